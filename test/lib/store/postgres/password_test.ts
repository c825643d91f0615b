// With which passwords a client is let in. SCRAM compares them as SASLprep (RFC 4013) normalizes them.

import { assertEquals } from "@std/assert";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { createLog } from "../../../../lib/log.ts";
import { Database } from "../../../../lib/store/postgres/database.ts";
import { ensurePostgres, startPostgres } from "../../../support/postgres.ts";

const ignore = !await ensurePostgres();
const log = createLog(() => {});

const passwords: readonly (readonly [what: string, password: string])[] = [
  ["ASCII", "user \x7f"],
  ["a soft hyphen", "I\u00adX"],
  ["upper case", "USER"],
  ["compatibility characters", "\u00aa\u2168"],
  ["a decomposed letter", "u\u0308ber"],
  ["spaces other than that of ASCII", "a\u00a0b\u3000c"],
  ["a control character", "\u00fc\u0007"],
  ["a private character", "\ue000"],
  ["a text from right to left", "\u0627\u0628"],
];

Deno.test({
  name: "Database.open() logs in by SCRAM and by MD5 with every password that PostgreSQL accepts",
  ignore,
  async fn() {
    await using server = await startPostgres({
      tcp: true,
      access: "local all all trust\nhost all by_scram 127.0.0.1/32 scram-sha-256\nhost all by_md5 127.0.0.1/32 md5\n",
    });
    const sql = server.sql("postgres");
    await sql`CREATE ROLE by_scram LOGIN`;
    await sql`CREATE ROLE by_md5 LOGIN`;
    for (const [role, encryption] of [["by_scram", "scram-sha-256"], ["by_md5", "md5"]] as const) {
      for (const [what, password] of passwords) {
        await sql.begin(async (transaction) => {
          await transaction.unsafe(`SET LOCAL password_encryption = '${encryption}'`);
          await transaction.unsafe(`ALTER ROLE ${role} PASSWORD '${password}'`);
        });
        const url = `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${server.port}/postgres`;
        const opening = Database.open(parsePostgresUrl(url), { log, waitMs: 0 }).catch((error) => {
          throw new Error(`${what}, ${encryption}`, { cause: error });
        });
        await using database = await opening;
        assertEquals((await database.run("SELECT current_user AS role")).rows, [{ role }]);
      }
    }
  },
});
