// Changes whose connection is cut at the worst moment.

import { assertEquals, assertRejects } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { type Store, StoreUnavailableError } from "../../../../lib/store.ts";
import { openPostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { Database } from "../../../../lib/store/postgres/database.ts";
import { type Cut, CuttingProxy } from "../../../support/cutting_proxy.ts";
import { ensurePostgres, openConnections, sharedPostgres } from "../../../support/postgres.ts";
import { deleteByLogin, sessionOf, sessionsIn, ticketOf, userOf } from "../../../support/store/records.ts";

const ignore = !await ensurePostgres();
const log = createLog(() => {});
const postgres = sharedPostgres();

/** Opens two stores on the same new database: one behind a proxy, and a direct one. */
async function openBoth(maxConnections = 1) {
  await using cleanup = new AsyncDisposableStack();
  const server = await postgres();
  const address = parsePostgresUrl(await server.createDatabase());
  const proxy = cleanup.use(await CuttingProxy.open(`${server.folder}/.s.PGSQL.5432`));
  const cut = { ...address, target: { socketPath: `${proxy.folder}/.s.PGSQL.5432` } };
  const store = cleanup.use(await openPostgresStore(cut, { log, maxConnections, sizeAgeMs: 0 }));
  const direct = cleanup.use(await openPostgresStore(address, { log, maxConnections: 1, sizeAgeMs: 0 }));
  const owned = cleanup.move();
  return { proxy, store, direct, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const next = userOf("alice", { passwordHash: "new" });
const session = sessionOf("alice", "s1");
const reset = ticketOf("t1", { purpose: "reset", login: "alice" });
const ofAlice = { session, asAdmin: false };
const nothing = () => Promise.resolve();

/** A change, its preparation, its outcome, and how to see that it was made once. */
interface Change {
  readonly title: string;
  readonly message: Cut["message"];
  readonly before?: (store: Store) => Promise<unknown>;
  readonly change: (store: Store) => Promise<unknown>;
  readonly outcome: unknown;
  readonly kept: (store: Store) => Promise<unknown>;
  readonly expected: unknown;
}

const insertAlice = (store: Store) => store.insertUser(userOf("alice"));
const insertSession = async (store: Store) => {
  await insertAlice(store);
  return await store.insertSession(session, userOf("alice"));
};
const insertReset = async (store: Store) => {
  await insertAlice(store);
  await store.insertTicket(reset);
};

const changes: readonly Change[] = [
  {
    title: "a registration",
    message: "commit",
    change: insertAlice,
    outcome: "done",
    kept: (store) => store.findUser("alice"),
    expected: userOf("alice"),
  },
  {
    title: "a registration with a ticket",
    message: "commit",
    before: (store) => store.insertTicket(ticketOf("t1")),
    change: (store) => store.insertUser(userOf("alice"), "t1"),
    outcome: "done",
    kept: async (store) => [await store.findUser("alice"), await store.findTicket("t1")],
    expected: [userOf("alice"), undefined],
  },
  {
    title: "a new password by a ticket",
    message: "commit",
    before: insertReset,
    change: (store) => store.replaceUser(userOf("alice"), next, { keepSessionId: "", ticketHash: "t1" }),
    outcome: "done",
    kept: async (store) => [await store.findUser("alice"), await store.findTicket("t1")],
    expected: [next, undefined],
  },
  {
    title: "a deletion",
    message: "commit",
    before: insertSession,
    change: (store) => store.deleteUser(userOf("alice")),
    outcome: "done",
    kept: async (store) => [await store.findUser("alice"), await store.findSession("s1")],
    expected: [undefined, undefined],
  },
  {
    title: "a login",
    message: "execute",
    before: insertAlice,
    change: (store) => store.insertSession(session, userOf("alice")),
    outcome: true,
    kept: (store) => sessionsIn(store, "alice"),
    expected: [session],
  },
  {
    title: "a logout",
    message: "execute",
    before: insertSession,
    change: (store) => store.deleteSession("s1"),
    outcome: true,
    kept: (store) => store.findSession("s1"),
    expected: undefined,
  },
  {
    title: "a use of a session",
    message: "execute",
    before: insertSession,
    change: (store) => store.touchSession("s1", session.lastSeenAt + 1),
    outcome: undefined,
    kept: async (store) => (await store.findSession("s1"))?.session.lastSeenAt,
    expected: session.lastSeenAt + 1,
  },
  {
    title: "a ticket for a reset",
    message: "commit",
    before: insertAlice,
    change: (store) => store.insertTicket(reset),
    outcome: "done",
    kept: (store) => store.findTicket("t1"),
    expected: reset,
  },
  {
    title: "a ticket for the setup",
    message: "commit",
    before: (store) => store.insertTicket(ticketOf("t0", { purpose: "setup" })),
    change: (store) => store.insertTicket(ticketOf("t1", { purpose: "setup" })),
    outcome: "done",
    kept: async (store) => [await store.findTicket("t0"), await store.findTicket("t1")],
    expected: [undefined, ticketOf("t1", { purpose: "setup" })],
  },
  {
    title: "a deletion of a ticket",
    message: "commit",
    before: (store) => store.insertTicket(ticketOf("t1")),
    change: (store) => store.deleteTicket("id of t1"),
    outcome: "done",
    kept: (store) => store.findTicket("t1"),
    expected: undefined,
  },
  {
    title: "an end of all sessions, by one of them",
    message: "commit",
    before: insertSession,
    // Only the first attempt knows how many sessions there were.
    change: async (store) => typeof await store.deleteSessions("alice", { actor: ofAlice }),
    outcome: "number",
    kept: (store) => sessionsIn(store, "alice"),
    expected: [],
  },
  {
    title: "an end of the own session",
    message: "commit",
    before: insertSession,
    change: (store) => store.deleteSession("s1", { actor: ofAlice }),
    outcome: true,
    kept: (store) => store.findSession("s1"),
    expected: undefined,
  },
  {
    title: "a deletion of the own account",
    message: "commit",
    before: insertSession,
    change: (store) => store.deleteUser(userOf("alice"), { actor: ofAlice }),
    outcome: "done",
    kept: (store) => store.findUser("alice"),
    expected: undefined,
  },
  {
    title: "a new password that ends all sessions",
    message: "commit",
    before: insertSession,
    change: (store) => store.replaceUser(userOf("alice"), next, { actor: ofAlice, keepSessionId: "" }),
    outcome: "done",
    kept: (store) => store.findUser("alice"),
    expected: next,
  },
  {
    title: "a search",
    message: "execute",
    before: insertAlice,
    change: (store) => store.findUser("alice"),
    outcome: userOf("alice"),
    kept: nothing,
    expected: undefined,
  },
];

// Also in the middle of a transaction.
const cuts: readonly Change[] = [
  ...changes,
  ...changes.filter(({ message }) => message === "commit").map((change) => ({
    ...change,
    message: "execute" as const,
  })),
];
for (const { title, message, before = nothing, change, outcome, kept, expected } of cuts) {
  for (const when of ["before", "after"] as const) {
    Deno.test({
      name: `PostgresStore makes a change once if its connection is cut ${when} the server's ${message}: ${title}`,
      ignore,
      async fn() {
        await using both = await openBoth();
        await before(both.direct);
        both.proxy.cutNext({ when, message });
        assertEquals(await change(both.store), outcome);
        assertEquals(both.proxy.leftCount, 0);
        assertEquals(await kept(both.direct), expected);
      },
    });
  }
}

/** Changes that another client makes between two attempts are not mistaken for an earlier attempt. */
const others: readonly (readonly [
  title: string,
  message: Cut["message"],
  change: (store: Store) => Promise<unknown>,
  meanwhile: (store: Store) => Promise<unknown>,
  outcome: unknown,
])[] = [
  [
    "a registration",
    "commit",
    (store) => store.insertUser(userOf("bob")),
    (store) => store.insertUser(userOf("bob", { id: "another" })),
    "taken",
  ],
  [
    "a replacement",
    "commit",
    (store) => store.replaceUser(userOf("alice"), next),
    (store) => store.replaceUser(userOf("alice"), userOf("alice", { passwordHash: "another" })),
    "stale",
  ],
  [
    "a login",
    "execute",
    (store) => store.insertSession(session, userOf("alice")),
    (store) => store.replaceUser(userOf("alice"), userOf("alice", { disabled: true })),
    false,
  ],
  [
    "a ticket for a reset",
    "commit",
    (store) => store.insertTicket(reset),
    (store) => deleteByLogin(store, "alice"),
    "missing",
  ],
];

for (const [title, message, change, meanwhile, outcome] of others) {
  Deno.test({
    name: `PostgresStore sees changes of other clients while its connection was cut: ${title}`,
    ignore,
    async fn() {
      await using both = await openBoth();
      await insertAlice(both.direct);
      both.proxy.cutNext({ when: "before", message, meanwhile: () => meanwhile(both.direct) });
      assertEquals(await change(both.store), outcome);
    },
  });
}

Deno.test({
  name: "PostgresStore fails if the second connection is cut too, and works with the third",
  ignore,
  async fn() {
    await using both = await openBoth();
    both.proxy.cutNext({ when: "after", message: "commit" }, { when: "after", message: "commit" });
    await assertRejects(() => insertAlice(both.store), StoreUnavailableError, "Cannot use postgres:///test");
    // The caller cannot know it, but the change was made.
    assertEquals(await both.store.findUser("alice"), userOf("alice"));
  },
});

Deno.test({
  name: "PostgresStore uses no older connection after one is lost",
  ignore,
  async fn() {
    await using both = await openBoth(5);
    await openConnections(both.store);
    both.proxy.cutOld();
    assertEquals(await insertAlice(both.store), "done");
  },
});

/** Runs a transaction that conflicts so many times, as on a row that hundreds of calls change at once. */
async function conflict(times: number, callMs: number): Promise<{ outcome: string; tries: number }> {
  const address = parsePostgresUrl(await (await postgres()).createDatabase());
  await using database = await Database.open(address, { log, callMs });
  let tries = 0;
  const outcome = await database.transact(async ({ run }) => {
    if (tries++ < times) await run("DO $$ BEGIN RAISE EXCEPTION 'a conflict' USING ERRCODE = '40001'; END $$");
    return "done";
  });
  return { outcome, tries };
}

Deno.test({
  name: "Database repeats a conflict until its deadline",
  ignore,
  async fn() {
    assertEquals(await conflict(30, 60_000), { outcome: "done", tries: 31 });
    await assertRejects(() => conflict(Infinity, 300), StoreUnavailableError, "no answer within 300 ms");
  },
});
