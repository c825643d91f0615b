// Several servers in the address: which one is used, and how calls leave one that fails.

import { assert, assertEquals, assertFalse, assertInstanceOf, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { parsePostgresUrl, type PostgresAddress } from "../../../../lib/config/postgres_address.ts";
import { createLog } from "../../../../lib/log.ts";
import { StoreUnavailableError } from "../../../../lib/store.ts";
import { DatabaseRefusedError } from "../../../../lib/store/postgres/connection.ts";
import type { Database } from "../../../../lib/store/postgres/database.ts";
import { openPostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { ensurePostgres, sharedPostgres, type TestPostgres } from "../../../support/postgres.ts";
import { freePort } from "../../../support/process.ts";
import { open } from "../../../support/store/database.ts";
import { sessionOf, userOf } from "../../../support/store/records.ts";

const ignore = !await ensurePostgres();
const firstServer = sharedPostgres({ tcp: true });
const secondServer = sharedPostgres({ tcp: true });
const callMs = 2_000;

/** A leader and its standby, as far as a client can tell: the standby is read-only, and has other content. */
async function openPair(): Promise<{ leader: TestPostgres; standby: TestPostgres }> {
  const [leader, standby] = await Promise.all([firstServer(), secondServer()]);
  await setReadOnly(leader, false);
  await setReadOnly(standby, true);
  return { leader, standby };
}

/** Open connections are affected too. */
async function setReadOnly(server: TestPostgres, isReadOnly: boolean): Promise<void> {
  const sql = server.sql("postgres");
  await sql.unsafe(`ALTER SYSTEM SET default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
  await sql`SELECT pg_reload_conf()`;
  const shown = async () => (await sql`SHOW default_transaction_read_only`)[0]?.["default_transaction_read_only"];
  while (await shown() !== (isReadOnly ? "on" : "off")) await delay(5);
}

function addressOf(...servers: readonly { readonly port: number }[]): PostgresAddress {
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join();
  return parsePostgresUrl(`postgres://gatehouse:hunter2@${hosts}/postgres?target_session_attrs=read-write`);
}

/** The port of the server that a change reaches. */
async function changedPort(database: Database): Promise<unknown> {
  let port: unknown;
  await database.transact(async ({ run }) => {
    await run("CREATE TEMPORARY TABLE changed () ON COMMIT DROP");
    port = (await run("SELECT inet_server_port() AS port")).rows[0]?.["port"];
    return "done";
  });
  return port;
}

/** Accepts connections, and says nothing. */
function openBlackHole() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const conn of listener) conns.push(conn);
  })();
  return {
    port: listener.addr.port,
    conns,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) conn.close();
      await serving;
    },
  };
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `Database ${name}`, ignore, fn });
}

test("uses the server that accepts changes, behind those that refuse, are silent, or are read-only", async () => {
  const { leader, standby } = await openPair();
  await using hole = openBlackHole();
  await using database = await open(addressOf({ port: freePort() }, hole, standby, leader), { callMs });
  assertEquals(await changedPort(database), leader.port);
  // The next connections go to the same server, and not to the silent one first.
  const ports = await Promise.all(Array.from({ length: 5 }, () => changedPort(database)));
  assertEquals(new Set(ports), new Set([leader.port]));
  assertEquals(hole.conns.length, 1);
});

test("names the reason of every server, and no password, if it can use no server", async () => {
  const { standby } = await openPair();
  await using hole = openBlackHole();
  const dead = { port: freePort() };
  const address = addressOf(dead, hole, standby);
  const { message } = await assertRejects(() => open(address, { callMs }), StoreUnavailableError);
  assertEquals(
    message,
    `Cannot open the database postgres://127.0.0.1:${dead.port},127.0.0.1:${hole.port},127.0.0.1:${standby.port}` +
      `/postgres: no connection within 0 s (127.0.0.1:${dead.port}: connect ECONNREFUSED 127.0.0.1:${dead.port}; ` +
      `127.0.0.1:${hole.port}: timeout expired; 127.0.0.1:${standby.port}: the server is read-only)`,
  );
});

test("passes over a server that refuses the settings, and reports it if no other accepts them", async () => {
  const { leader, standby } = await openPair();
  await leader.sql("postgres").unsafe("DROP DATABASE IF EXISTS moved");
  await leader.createDatabase("moved");
  const moved = { ...addressOf(standby, leader), database: "moved" };
  await using database = await open(moved, { callMs });
  assertEquals(await changedPort(database), leader.port);
  const nowhere = { ...addressOf(leader, { port: freePort() }), database: "nowhere" };
  const { message } = await assertRejects(() => open(nowhere, { callMs }), DatabaseRefusedError, "does not exist; ");
  assertFalse(message.includes("hunter2"));
});

test("leaves a server that has become read-only", async () => {
  const { leader, standby } = await openPair();
  await using database = await open(addressOf(leader, standby), { callMs });
  assertEquals(await changedPort(database), leader.port);
  await setReadOnly(leader, true);
  await setReadOnly(standby, false);
  // The rejected change is made on the other server.
  assertEquals(await changedPort(database), standby.port);
});

test("leaves a server that has become read-only when only its state is asked for", async () => {
  const { leader, standby } = await openPair();
  await using database = await open(addressOf(leader, standby), { callMs });
  assertEquals(await database.failure(), undefined);
  await setReadOnly(leader, true);
  await setReadOnly(standby, false);
  const seen = new Set<string | undefined>();
  for (const startedAt = Date.now(); !seen.has(undefined) || seen.size < 2;) {
    assert(Date.now() - startedAt < 10_000);
    seen.add(await database.failure());
    await delay(50);
    if (seen.size === 1) seen.delete(undefined);
  }
  assertEquals(seen, new Set(["The database is read-only", undefined]));
  assertEquals((await database.run("SELECT inet_server_port() AS port")).rows, [{ port: standby.port }]);
});

test("leaves a server that stops without a word after one deadline, however many connections lead to it", async () => {
  const { leader, standby } = await openPair();
  await using database = await open(addressOf(leader, standby), { callMs });
  await Promise.all(Array.from({ length: 10 }, () => database.run("SELECT pg_sleep(0.05)")));
  await setReadOnly(standby, false);
  await leader.pause();
  try {
    await assertRejects(() => database.run("SELECT 1"), StoreUnavailableError, `no answer within ${callMs} ms`);
    const startedAt = performance.now();
    assertEquals(await changedPort(database), standby.port);
    assert(performance.now() - startedAt < callMs);
  } finally {
    await leader.resume();
  }
});

test("does not report a change as made if the server has stopped waiting for its synchronous standby", async () => {
  const { leader } = await openPair();
  const address = parsePostgresUrl(await leader.createDatabase());
  await using store = await openPostgresStore(address, { log: createLog(() => {}), callMs });
  await store.insertUser(userOf("alice"));
  await store.insertSession(sessionOf("alice", "s1"), userOf("alice"));
  const sql = leader.sql("postgres");
  await sql.unsafe("ALTER SYSTEM SET synchronous_standby_names = 'nowhere'");
  await sql`SELECT pg_reload_conf()`;
  try {
    const waiting = async () => await sql`SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`;
    // As `statement_timeout` does. The server then commits without the standby.
    const cancel = async () => {
      for (const { pid } of await waiting()) await sql`SELECT pg_cancel_backend(${pid})`;
    };
    const changes = [() => store.insertUser(userOf("bob")), () => store.deleteSession("s1")];
    for (const change of changes) {
      const outcome = change().catch((error) => error);
      for (let tries = 0; tries < 200 && (await waiting()).length === 0; tries++) await delay(5);
      await cancel();
      assertInstanceOf(await outcome, StoreUnavailableError);
      for (; (await waiting()).length > 0; await delay(5)) await cancel();
    }
    assertEquals(await store.findUser("bob"), userOf("bob"));
  } finally {
    await sql.unsafe("ALTER SYSTEM RESET synchronous_standby_names");
    await sql`SELECT pg_reload_conf()`;
  }
});
