/** The tasks `import` and `export` on PostgreSQL, while services use it. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import { createLog } from "../../../lib/log.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { digestIn, runTask, startTask, writeUsers } from "../../support/import.ts";
import { ensurePostgres, startPostgres } from "../../support/postgres.ts";
import { userOf } from "../../support/store/records.ts";

const ignore = !await ensurePostgres();
const log = createLog(() => {});

Deno.test({
  name: "the task import into PostgreSQL, killed half-way and run again, gives the digest of a folder, and back",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const url = await server.createDatabase("register");
    const folder = await Deno.makeTempDir();
    const [users, exported] = [`${folder}/users`, `${folder}/exported`];
    await writeUsers(users, 2_500);
    const inFolder = await runTask(["import", "jsonl", users], { store: `${folder}/data` });
    // A service that runs meanwhile.
    await using store = await openPostgresStore(parsePostgresUrl(url), { log, sizeAgeMs: 0 });
    await server.sql("register").begin(async (sql) => {
      // The third batch waits for this row, which is never committed.
      await sql`INSERT INTO gatehouse_user SELECT 'user2400', '1', '', 0, 0, '', false, false, 0`;
      await using task = startTask(["import", "jsonl", users], url);
      await task.until(async () => (await store.size()).users === 2_000 || undefined, { what: "two batches" });
      await task.stop("SIGKILL");
      await sql`DELETE FROM gatehouse_user WHERE login = 'user2400'`;
    });
    const again = await runTask(["import", "jsonl", users], { store: url });
    assertStringIncludes(again.stdout, "Imported 500 users ");
    assertStringIncludes(again.stdout, "2000 already there, 0 refused");
    assertEquals([again.code, digestIn(again)], [0, digestIn(inFolder)]);
    assertEquals((await store.findUser("user2400"))?.groups, ["staff"]);

    const written = await runTask(["export", "csv", exported], { store: url });
    assertEquals([written.code, digestIn(written)], [0, digestIn(inFolder)]);
    const back = await runTask(["import", "csv", exported], { store: `${folder}/back` });
    assertEquals([back.code, digestIn(back)], [0, digestIn(inFolder)]);
  },
});

Deno.test({
  name: "the task import refuses what a service has registered meanwhile, and a dry run writes nothing to PostgreSQL",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const url = await server.createDatabase("register");
    const folder = await Deno.makeTempDir();
    await writeUsers(`${folder}/users`, 3);
    const dry = await runTask(["import", "jsonl", `${folder}/users`, "--dry-run"], { store: url });
    assertEquals(dry.code, 1);
    assertStringIncludes(dry.stderr, "the database has no tables of Gatehouse");
    await using store = await openPostgresStore(parsePostgresUrl(url), { log, sizeAgeMs: 0 });
    await store.insertUser(userOf("user1"));
    for (const more of [["--dry-run"], []]) {
      const { code, stdout, stderr } = await runTask(["import", "jsonl", `${folder}/users`, ...more], { store: url });
      assertEquals(code, 1);
      assertStringIncludes(stdout, "0 already there, 1 refused");
      assertStringIncludes(stderr, 'Refused line 2, "user1": the login is taken by another user of the store');
      assertEquals((await store.size()).users, more.length === 0 ? 3 : 1);
    }
  },
});

Deno.test({
  name: "the tasks import and export say when the database is away or goes, without its password",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const url = (await server.createDatabase("register")).replace("gatehouse@", "gatehouse:a-secret@");
    const folder = await Deno.makeTempDir();
    await writeUsers(`${folder}/users`, 3);
    await (await openPostgresStore(parsePostgresUrl(url), { log }))[Symbol.asyncDispose]();
    await using task = startTask(["import", "jsonl", `${folder}/users`], url);
    const lost = server.sql("register").begin(async (sql) => {
      // The import waits for this row.
      await sql`INSERT INTO gatehouse_user SELECT 'user1', '1', '', 0, 0, '', false, false, 0`;
      const isWaiting = async () => (await sql`SELECT 1 FROM pg_locks WHERE NOT granted`).length > 0 || undefined;
      await task.until(isWaiting, { what: "the import to wait" });
      await server.kill();
      await sql`SELECT 1`;
    });
    await assertRejects(() => lost);
    assertEquals((await task.status).code, 1);
    assertStringIncludes(task.output, ". Run the import again, which continues it\n");
    for (const args of [["import", "jsonl", `${folder}/users`], ["export", "csv", `${folder}/exported`]]) {
      const { code, stdout, stderr } = await runTask(args, { store: url });
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, "Cannot open the database postgres:///register");
      assert(!stderr.includes("a-secret"));
    }
  },
});
