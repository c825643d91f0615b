// Transactions, and when the pool closes a connection.
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { StoreUnavailableError } from "../../../../lib/store.ts";
import type { PoolLimits } from "../../../../lib/store/postgres/servers.ts";
import { Database } from "../../../../lib/store/postgres/database.ts";
import { ensureProgram } from "../../../support/packages.ts";
import { ensurePostgres, sharedPostgres } from "../../../support/postgres.ts";
import { open } from "../../../support/store/database.ts";

const ignore = !(await ensurePostgres() && await ensureProgram("openssl", "openssl"));
const postgres = sharedPostgres();

const hourMs = 60 * 60 * 1_000;

Deno.test({
  name: "Database never runs the rest of a transaction on another connection",
  ignore,
  async fn() {
    const server = await postgres();
    await using database = await open(parsePostgresUrl(server.url("postgres")));
    let attempts = 0;
    const outcome = await database.transact(async ({ run }) => {
      if (++attempts > 1) return "repeated";
      await server.kill();
      await server.start();
      const statement = "CREATE TABLE outside_of_the_transaction ()";
      await assertRejects(() => run(statement), Error);
      await assertRejects(() => run(statement), Error, "The connection is lost");
      return "done";
    });
    assertEquals([outcome, attempts], ["repeated", 2]);
    const sql = server.sql("postgres");
    assertEquals(await sql`SELECT tablename FROM pg_tables WHERE tablename LIKE 'outside%'`, []);
  },
});

Deno.test({
  name: "Database rejects a text that PostgreSQL would not store unchanged",
  ignore,
  async fn() {
    const server = await postgres();
    await using database = await open(parsePostgresUrl(server.url("postgres")), { maxConnections: 1 });
    const echo = async (text: string) => (await database.run("SELECT $1::text AS text", [text])).rows[0];
    const pid = await pidOf(database);
    for (const text of ["", "a", "ü", "\u{1f3e0}", "\ufffd", "\uffff", "'; DROP TABLE x; --", "\\"]) {
      assertEquals(await echo(text), { text });
    }
    for (const text of ["\0", "a\0b", "\ud800", "\udc00\ud800"]) await assertRejects(() => echo(text), TypeError);
    assertEquals(await pidOf(database), pid);
  },
});

/** The server's process behind the connection that is used next. */
async function pidOf(database: Database): Promise<unknown> {
  return (await database.run("SELECT pg_backend_pid() AS pid")).rows[0]?.["pid"];
}

Deno.test({
  name: "Database reuses no connection whose call is over its deadline",
  ignore,
  async fn() {
    const server = await postgres();
    const limits = { callMs: 1_000, maxConnections: 1 };
    await using database = await open(parsePostgresUrl(server.url("postgres")), limits);
    const pid = await pidOf(database);
    const late = database.transact(async ({ run }) => {
      // Each is shorter than the limit of a statement, so the client stops first.
      for (let count = 0; count < 3; count++) await run("SELECT pg_sleep(0.6)");
      return "done";
    });
    await assertRejects(() => late, StoreUnavailableError, "no answer within 1000 ms");
    assertNotEquals(await pidOf(database), pid);
    assertEquals((await database.run("SELECT $1::text AS text", ["next"])).rows, [{ text: "next" }]);
  },
});

const ages: readonly (readonly [what: string, limits: PoolLimits, isSame: boolean])[] = [
  ["neither idle for long nor old", { maxIdleMs: hourMs, maxAgeMs: hourMs }, true],
  ["idle for long", { maxIdleMs: 20, maxAgeMs: hourMs }, false],
  ["old", { maxIdleMs: hourMs, maxAgeMs: 20 }, false],
];

for (const [what, limits, isSame] of ages) {
  Deno.test({
    name: `Database ${isSame ? "reuses" : "replaces"} a connection that is ${what}`,
    ignore,
    async fn() {
      const server = await postgres();
      await using database = await open(parsePostgresUrl(server.url("postgres")), limits);
      const first = await pidOf(database);
      await delay(40);
      (isSame ? assertEquals : assertNotEquals)(await pidOf(database), first);
    },
  });
}

Deno.test({
  name: "Database replaces an old connection that is in use all the time",
  ignore,
  async fn() {
    const server = await postgres();
    const limits = { maxIdleMs: hourMs, maxAgeMs: 50, maxConnections: 1 };
    await using database = await open(parsePostgresUrl(server.url("postgres")), limits);
    const pids = new Set<unknown>();
    const endsAt = performance.now() + 200;
    while (performance.now() < endsAt) pids.add(await pidOf(database));
    assertNotEquals(pids.size, 1);
  },
});

Deno.test({
  name: "Database closes its connections after the calls that use them",
  ignore,
  async fn() {
    const server = await postgres();
    const database = await open(parsePostgresUrl(server.url("postgres")));
    let closing: Promise<void> | undefined;
    const outcome = await database.transact(async ({ run }) => {
      await run("SELECT set_config('application_name', 'closed', false)");
      closing = database[Symbol.asyncDispose]();
      assertEquals((await run("SELECT 1 AS one")).rows[0]?.["one"], 1);
      return "done";
    });
    assertEquals(outcome, "done");
    await closing;
    const sql = server.sql("postgres");
    const count = async () =>
      (await sql`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'closed'`)[0]?.["n"];
    for (let tries = 0; tries < 100 && await count() > 0; tries++) await delay(10);
    assertEquals(await count(), 0);
  },
});
