// PostgresStore while its database is stopped, killed, silent, read-only, full or busy, and its recovery.
import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { createLog } from "../../../../lib/log.ts";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { StoreUnavailableError } from "../../../../lib/store.ts";
import { openPostgresStore, type PostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { DatabaseRefusedError } from "../../../../lib/store/postgres/connection.ts";
import { Database } from "../../../../lib/store/postgres/database.ts";
import { ensurePostgres } from "../../../support/postgres.ts";
import { sessionOf, userOf } from "../../../support/store/records.ts";
import { log, openStore, postgres } from "../../../support/store/postgres_store.ts";

const ignore = !await ensurePostgres();

/** Waits until `attempt` returns true. The store reports the end of a fault up to a second later. */
async function until(attempt: () => Promise<boolean>, what: string): Promise<void> {
  for (const startedAt = Date.now(); !await attempt();) {
    assert(Date.now() - startedAt < 20_000, `Waited for ${what} in vain`);
    await delay(20);
  }
}

/** Asserts that every kind of call fails, and the store says why. */
async function assertAway(store: PostgresStore): Promise<void> {
  const calls = [
    () => store.findUser("alice"),
    () => store.insertUser(userOf("bob")),
    () => store.insertSession(sessionOf("alice", "s1"), userOf("alice")),
    () => store.size(),
  ];
  const errors = await Promise.all(calls.map((call) => assertRejects(call, StoreUnavailableError)));
  for (const { message, cause } of errors) {
    assertStringIncludes(message, "Cannot use postgres:///test");
    assertInstanceOf(cause, Error);
  }
  await until(async () => (await store.failure())?.startsWith("Cannot use postgres:///test") === true, "the fault");
}

/** Asserts that the store has recovered, and no failed change is half done. */
async function assertBack(store: PostgresStore): Promise<void> {
  await until(async () => await store.failure() === undefined, "the end of the fault");
  assertEquals(await store.findUser("alice"), userOf("alice"));
  const bob = userOf("bob", { id: "after" });
  assert(["done", "taken"].includes(await store.insertUser(bob)));
  assert(await store.insertSession(sessionOf("alice", "s2"), userOf("alice")));
}

const outages: readonly (readonly [title: string, stop: "stop" | "kill" | "pause", start: "start" | "resume"])[] = [
  ["was stopped", "stop", "start"],
  ["was killed", "kill", "start"],
  ["does not answer", "pause", "resume"],
];
for (const [title, stop, start] of outages) {
  Deno.test({
    name: `PostgresStore fails while its database ${title}, and recovers by itself`,
    ignore,
    async fn() {
      await using opened = await openStore({ callMs: 1_000, sizeAgeMs: 0 });
      const { server, store } = opened;
      await server[stop]();
      try {
        await assertAway(store);
      } finally {
        await server[start]();
      }
      await assertBack(store);
    },
  });
}

Deno.test({
  name: "PostgresStore works when its database is restarted between two calls",
  ignore,
  async fn() {
    await using opened = await openStore();
    const { server, store } = opened;
    // Opens many connections, which the restart closes.
    await Promise.all(Array.from({ length: 30 }, () => store.findUser("alice")));
    await server.kill();
    await server.start();
    // Nothing was sent over the closed ones, so nothing counts as repeated.
    assertEquals(await store.deleteSession("unknown"), false);
    assertEquals(await store.insertUser(userOf("bob")), "done");
    await Promise.all(Array.from({ length: 30 }, () => store.findUser("alice")));
  },
});

Deno.test({
  name: "PostgresStore fails at its deadline, however many calls wait for a silent database",
  ignore,
  async fn() {
    await using opened = await openStore({ callMs: 500, maxConnections: 2 });
    const { server, store } = opened;
    await server.pause();
    try {
      const startedAt = performance.now();
      const calls = Array.from(
        { length: 50 },
        () => assertRejects(() => store.findUser("alice"), StoreUnavailableError),
      );
      const errors = await Promise.all(calls);
      assert(performance.now() - startedAt < 5_000);
      assert(errors.some(({ message }) => message.includes("no answer within 500 ms")));
    } finally {
      await server.resume();
    }
    await until(() => store.findUser("alice").then(() => true, () => false), "an answer");
  },
});

Deno.test({
  name: "PostgresStore reads from a read-only database, and writes when it is writable again",
  ignore,
  async fn() {
    await using opened = await openStore();
    const { server, store } = opened;
    const sql = server.sql("postgres");
    const setReadOnly = async (isReadOnly: boolean) => {
      await sql.unsafe(`ALTER SYSTEM SET default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
      await sql`SELECT pg_reload_conf()`;
    };
    await sql`SET default_transaction_read_only = off`;
    await setReadOnly(true);
    const fault = "The database is read-only";
    await until(async () => await store.failure() === fault, "the fault");
    await assertRejects(() => store.insertUser(userOf("bob")), StoreUnavailableError, "read-only");
    await assertRejects(() => store.deleteSession("s"), StoreUnavailableError, "read-only");
    assertEquals(await store.findUser("alice"), userOf("alice"));
    await setReadOnly(false);
    await assertBack(store);
  },
});

Deno.test({
  name: "PostgresStore reconnects when its server has become read-only",
  ignore,
  async fn() {
    await using opened = await openStore({ maxConnections: 1 });
    const { server, store, database } = opened;
    const sql = server.sql("postgres");
    // Only new connections are read-only.
    await sql.unsafe(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${database}`;
    await assertRejects(() => store.insertUser(userOf("bob")), StoreUnavailableError, "read-only");
    await sql.unsafe(`ALTER DATABASE ${database} RESET default_transaction_read_only`);
    assertEquals(await store.insertUser(userOf("bob")), "done");
  },
});

Deno.test({
  name: "PostgresStore gets the lock of an instance that was lost with it",
  ignore,
  async fn() {
    await using opened = await openStore();
    const { store } = opened;
    await using lost = await Database.open(store.database.address, { log, callMs: 500 });
    const locked = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const locking = lost.transact(async ({ run }) => {
      await run("SELECT login FROM gatehouse_user FOR UPDATE");
      locked.resolve();
      await ended.promise;
      return "undone";
    });
    await locked.promise;
    // The server ends its transaction as it is idle.
    const next = userOf("alice", { groups: ["staff"] });
    await until(() => store.replaceUser(userOf("alice"), next).then(() => true, () => false), "the lock");
    assertEquals(await store.findUser("alice"), next);
    ended.resolve();
    await assertRejects(() => locking, StoreUnavailableError);
  },
});

Deno.test({
  name: "PostgresStore waits at start for a database that is not there, and logs it once",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    const lines: string[] = [];
    await server.stop();
    const opening = openPostgresStore(address, { log: createLog((line) => lines.push(line)) });
    await until(() => Promise.resolve(lines.length > 0), "the log");
    await server.start();
    await using store = await opening;
    assertEquals(await store.countAdmins(), 0);
    const [{ level, event, store: shown, seconds }] = lines.map((line) => JSON.parse(line));
    assertEquals([lines.length, level, event, seconds], [1, "warn", "store-awaited", 60]);
    assertStringIncludes(shown, `postgres:///${address.database} at /`);
  },
});

Deno.test({
  name: "PostgresStore fails at start after the time to wait",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(server.url("postgres"));
    const away = { ...address, servers: [{ hostname: server.folder, port: 1 }] };
    const opening = () => openPostgresStore(away, { log, waitMs: 50 });
    const { message } = await assertRejects(opening, StoreUnavailableError);
    assertStringIncludes(message, "Cannot open the database postgres:///postgres at ");
    assertStringIncludes(message, "no connection within 0 s (");
  },
});

Deno.test({
  name: "PostgresStore fails immediately at start if the settings are wrong",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(server.url("nowhere"));
    await assertRejects(
      () => openPostgresStore(address, { log }),
      DatabaseRefusedError,
      'database "nowhere" does not exist',
    );
    const nobody = { ...address, database: "postgres", user: "nobody" };
    await assertRejects(
      () => openPostgresStore(nobody, { log }),
      DatabaseRefusedError,
      'role "nobody" does not exist',
    );
  },
});
