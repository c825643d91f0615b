// The task `copy` between folders and PostgreSQL, as a process that is killed.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createLog } from "../../../lib/log.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import type { StoredRecord } from "../../../lib/store.ts";
import { realDisk } from "../../../lib/store/file/disk.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { readRunningFolder } from "../../../lib/store/file/folder.ts";
import { StoreFolderError } from "../../../lib/store/file/store_folder.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { ensurePostgres, startPostgres } from "../../support/postgres.ts";
import { TestProcess } from "../../support/process.ts";
import { recordsOf, userOf } from "../../support/store/records.ts";

const ignore = !await ensurePostgres();
const log = createLog(() => {});

Deno.test({
  name: "the task copy from a folder to PostgreSQL and back, killed half-way and run again, gives the same digest",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const url = await server.createDatabase("there");
    const folder = await Deno.makeTempDir();
    // Two batches, and a third with the special records.
    await fill(`${folder}/data`, recordsOf(2_400));
    await using store = await openPostgresStore(parsePostgresUrl(url), { log, sizeAgeMs: 0 });

    await server.sql("there").begin(async (sql) => {
      // The third batch waits for this lock.
      await sql`LOCK TABLE gatehouse_session IN SHARE MODE`;
      await killCopy([`${folder}/data`, url], async () => (await store.size()).users === 2_000);
    });
    const there = await runCopy([`${folder}/data`, url]);
    const [copied, held = ""] = there.split(": both hold ");
    assertMatch(copied ?? "", /^Copied 412 records from ".+\/data" to "postgres:\/\/\/there at .+"$/);
    assertMatch(held, /^2400 users, 3 sessions, 5 tickets, 1 secrets, 3 credentials, digest [\da-f]{64}\n$/);

    await server.sql("there").begin(async (sql) => {
      // Reading tickets, in the third batch, waits for this lock.
      await sql`LOCK TABLE gatehouse_ticket IN ACCESS EXCLUSIVE MODE`;
      await killCopy([url, `${folder}/back`], async () => await usersIn(`${folder}/back`) === 2_000);
    });
    for (const [source, count] of [[url, 412], [`${folder}/data`, 0]] as const) {
      const back = await runCopy([source, `${folder}/back`]);
      assert(back.startsWith(`Copied ${count} records `) && back.endsWith(`: both hold ${held}`), back);
    }
  },
});

Deno.test({
  name: "the task copy rejects a database with other users, without tables or away, and never shows its password",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const withPassword = (url: string) => url.replace("gatehouse@", "gatehouse:a-secret@");
    const target = withPassword(await server.createDatabase("target"));
    const empty = withPassword(await server.createDatabase("empty"));
    const folder = await Deno.makeTempDir();
    await fill(`${folder}/data`, recordsOf(3));
    {
      await using store = await openPostgresStore(parsePostgresUrl(target), { log });
      await store.insertUser(userOf("bob", { id: "9" }));
    }
    const rows: readonly [args: string[], text: string][] = [
      [
        [`${folder}/data`, target],
        `Cannot copy to "postgres:///target at ${server.folder}/.s.PGSQL.5432" as it holds a user "bob" (9)`,
      ],
      [
        [empty, `${folder}/new`],
        `Cannot use the tables in postgres:///empty at ${server.folder}/.s.PGSQL.5432: ` +
        "the database has no tables of Gatehouse",
      ],
      [[`${folder}/data`, target.replace(server.folder, folder)], "Cannot open the database postgres:///target"],
    ];
    for (const [args, text] of rows) {
      await using task = copyProcess(args);
      assertEquals((await task.status).code, 1, task.output);
      assertStringIncludes(task.output, text);
      assert(!task.output.includes("a-secret"), task.output);
      // A task does not wait for a database that is away.
      assert(!task.output.includes("store-awaited"), task.output);
    }
    const tables = await server.sql("empty")`SELECT tablename FROM pg_tables WHERE tablename LIKE 'gatehouse%'`;
    assertEquals([...tables], []);
  },
});

Deno.test({
  name: "the task copy changes no table of a source of an older version",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const url = await server.createDatabase("older");
    const folder = await Deno.makeTempDir();
    const sql = server.sql("older");
    {
      await using store = await openPostgresStore(parsePostgresUrl(url), { log });
      await store.insertUser(userOf("bob"));
    }
    await sql`DELETE FROM gatehouse_schema WHERE version > 1`;
    await using task = copyProcess([url, `${folder}/new`]);
    assertEquals((await task.status).code, 1, task.output);
    assertStringIncludes(
      task.output,
      "an older version of Gatehouse has created them: start this version on the database once",
    );
    assertEquals([...await sql`SELECT max(version)::int AS version FROM gatehouse_schema`], [{ version: 1 }]);
  },
});

async function fill(folder: string, records: readonly StoredRecord[]): Promise<void> {
  await using store = await openFileStore(folder, { log, extendBytes: 4_096 });
  await store.insertRecords(records);
}

/** How many users a folder holds, also while the copy writes to it. */
async function usersIn(folder: string): Promise<number> {
  try {
    return (await readRunningFolder(realDisk(folder))).tables.users.size;
  } catch (error) {
    if (error instanceof StoreFolderError) return 0;
    throw error;
  }
}

function copyProcess(args: string[]): TestProcess {
  return new TestProcess(Deno.execPath(), {
    args: ["run", "-A", "lib/tasks/copy.ts", ...args],
    env: { NO_COLOR: "1" },
  });
}

async function runCopy(args: string[]): Promise<string> {
  await using task = copyProcess(args);
  assert((await task.status).success, task.output);
  return task.output;
}

/** Starts a copy, and kills it as soon as `isHalf`. */
async function killCopy(args: string[], isHalf: () => Promise<boolean> | boolean): Promise<void> {
  await using task = copyProcess(args);
  await task.until(async () => await isHalf() || undefined, { what: "half of the copy" });
  assertEquals((await task.stop("SIGKILL")).signal, "SIGKILL");
}
