import { assertEquals } from "@std/assert";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { connect } from "../../../../lib/store/postgres/connection.ts";
import { preparePassword } from "../../../../lib/store/postgres/password.ts";
import { ensurePostgres, startPostgres } from "../../../support/postgres.ts";

const ignore = !await ensurePostgres();

/** RFC 4013, 3, and what PostgreSQL leaves as it is. */
const rows: readonly (readonly [what: string, password: string, prepared: string])[] = [
  ["ASCII", "user \x7f", "user \x7f"],
  ["a soft hyphen", "I\u00adX", "IX"],
  ["the case of letters", "USER", "USER"],
  ["a compatibility character", "\u00aa\u2168", "aIX"],
  ["a decomposed letter", "u\u0308ber", "\u00fcber"],
  ["a space of another kind", "a\u00a0b\u3000c", "a b c"],
  ["a control character", "\u00fc\u0007", "\u00fc\u0007"],
  ["a private character", "\ue000", "\ue000"],
  ["nothing but what is left out", "\u00ad", "\u00ad"],
  ["a text from right to left", "\u0627\u0628", "\u0627\u0628"],
  ["a text from right to left that ends otherwise", "\u0627\u00aa1", "\u0627\u00aa1"],
  ["both directions", "\u0627\u2168\u0628", "\u0627\u2168\u0628"],
];

for (const [what, password, prepared] of rows) {
  Deno.test(`preparePassword() takes ${what} as RFC 4013 does`, () => {
    assertEquals(preparePassword(password), prepared);
  });
}

Deno.test({
  name: "connect() is let in with every password that PostgreSQL took, by SCRAM and by MD5",
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
      for (const [what, password] of rows) {
        await sql.begin(async (transaction) => {
          await transaction.unsafe(`SET LOCAL password_encryption = '${encryption}'`);
          await transaction.unsafe(`ALTER ROLE ${role} PASSWORD '${password}'`);
        });
        const url = `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${server.port}/postgres`;
        const options = { signal: new AbortController().signal, statementMs: 5_000 };
        const connection = await connect(parsePostgresUrl(url), options).catch((error) => {
          throw new Error(`${what}, ${encryption}`, { cause: error });
        });
        await connection.close();
      }
    }
  },
});
