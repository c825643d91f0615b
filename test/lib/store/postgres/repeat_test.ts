// Changes whose connection is cut at the worst moment.
import { assertEquals } from "@std/assert";
import type { Store } from "../../../../lib/store.ts";
import type { Cut } from "../../../support/cutting_proxy.ts";
import { ensurePostgres } from "../../../support/postgres.ts";
import { sessionsIn, ticketOf, userOf } from "../../../support/store/records.ts";
import { insertAlice, next, openBoth, reset, session } from "../../../support/store/repeat_scene.ts";

const ignore = !await ensurePostgres();

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
    title: "a secret",
    message: "execute",
    change: (store) => store.ensureSecret({ name: "decoy", value: "one" }),
    outcome: "one",
    kept: (store) => store.ensureSecret({ name: "decoy", value: "two" }),
    expected: "one",
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
