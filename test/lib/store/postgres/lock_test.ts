// PostgresStore while another client has locked a row and then changes it.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { createLog } from "../../../../lib/log.ts";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { type Store, StoreUnavailableError } from "../../../../lib/store.ts";
import { openPostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { ensurePostgres, sharedPostgres, type Sql } from "../../../support/postgres.ts";
import { sessionOf, sessionsIn, ticketOf, userOf } from "../../../support/store/records.ts";

const ignore = !await ensurePostgres();
const log = createLog(() => {});
const postgres = sharedPostgres();

/** Opens a store in which alice has a session. */
async function openStore(callMs: number) {
  const server = await postgres();
  const address = parsePostgresUrl(await server.createDatabase());
  const store = await openPostgresStore(address, { log, callMs });
  await store.insertUser(userOf("alice"));
  await store.insertSession(sessionOf("alice", "s1"), userOf("alice"));
  const sql = server.sql(address.database);
  return { store, sql, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

/** How many statements of the store wait for a lock. */
async function waitingCount(sql: Sql): Promise<number> {
  const [row] = await sql`SELECT count(*) AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND usename = 'gatehouse'`;
  return Number(row?.["count"]);
}

async function untilWaiting(sql: Sql, count: number): Promise<void> {
  for (const startedAt = Date.now(); await waitingCount(sql) !== count; await delay(10)) {
    assert(Date.now() - startedAt < 20_000, `Waited in vain until ${count} statements wait`);
  }
}

/** Makes a change that waits for the transaction of `statement`, and then commits that. @returns the outcome */
async function overtaken(statement: string, change: (store: Store) => Promise<unknown>) {
  await using opened = await openStore(30_000);
  const { store, sql } = opened;
  let changing: Promise<unknown> = Promise.resolve();
  await sql.begin(async (transaction) => {
    await transaction.unsafe(statement);
    changing = change(store);
    await untilWaiting(sql, 1);
  });
  const outcome = await changing;
  return { outcome, sessions: (await sessionsIn(store, "alice")).length, user: await store.findUser("alice") };
}

const disabled = "UPDATE gatehouse_user SET disabled = true, changes = changes + 1";
const gone = "DELETE FROM gatehouse_user";
const next = userOf("alice", { groups: ["staff"] });

const rows: readonly (readonly [
  title: string,
  statement: string,
  change: (store: Store) => Promise<unknown>,
  outcome: unknown,
  sessions: number,
])[] = [
  [
    "a login of a disabled user",
    disabled,
    (s) => s.insertSession(sessionOf("alice", "s2"), userOf("alice")),
    false,
    1,
  ],
  ["a login of a deleted user", gone, (s) => s.insertSession(sessionOf("alice", "s2"), userOf("alice")), false, 0],
  ["a replacement of a disabled user", disabled, (s) => s.replaceUser(userOf("alice"), next), "stale", 1],
  ["a replacement of a deleted user", gone, (s) => s.replaceUser(userOf("alice"), next), "stale", 0],
  ["a deletion of a deleted user", gone, (s) => s.deleteUser(userOf("alice")), "missing", 0],
  [
    "a reset ticket of a deleted user",
    gone,
    (s) => s.insertTicket(ticketOf("t1", { purpose: "reset", login: "alice" })),
    "missing",
    0,
  ],
  [
    "a registration of a taken login",
    "INSERT INTO gatehouse_user VALUES ('bob', 'x', '', 1, 0, '', false, false, 0)",
    (s) => s.insertUser(userOf("bob")),
    "taken",
    1,
  ],
  // Only an earlier attempt of the same call, which still runs, can have the same id.
  [
    "a registration with a taken id",
    `INSERT INTO gatehouse_user VALUES ('carol', '${userOf("bob").id}', '', 1, 0, '', false, false, 0)`,
    (s) => s.insertUser(userOf("bob")),
    "taken",
    1,
  ],
  [
    "a sweep of a session that is in use",
    "UPDATE gatehouse_session SET last_seen_at = 1900000000000",
    (s) => s.deleteExpiredSessions({ lastSeenUntil: 1_800_000_000_000, createdUntil: 0 }),
    0,
    1,
  ],
  ["a logout of an ended session", "DELETE FROM gatehouse_session", (s) => s.deleteSession("s1"), false, 0],
  [
    "a use of an ended session",
    "DELETE FROM gatehouse_session",
    (s) => s.touchSession("s1", 2e12),
    undefined,
    0,
  ],
];

for (const [title, statement, change, outcome, sessions] of rows) {
  Deno.test({
    name: `PostgresStore sees a change that it waited for: ${title}`,
    ignore,
    async fn() {
      const result = await overtaken(statement, change);
      assertEquals([result.outcome, result.sessions], [outcome, sessions]);
      assertEquals(result.user === undefined, statement === gone);
    },
  });
}

Deno.test({
  name: "PostgresStore stops waiting for a row at its deadline, and so does the server",
  ignore,
  async fn() {
    await using opened = await openStore(1_000);
    const { store, sql } = opened;
    await sql.begin(async (transaction) => {
      await transaction`SELECT login FROM gatehouse_user FOR UPDATE`;
      await assertRejects(() => store.replaceUser(userOf("alice"), next), StoreUnavailableError);
      await untilWaiting(sql, 0);
    });
    assertEquals(await store.replaceUser(userOf("alice"), next), "done");
  },
});
