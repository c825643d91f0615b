// Changes whose connection is cut at the worst moment.
import type { Store } from "../../../../lib/store.ts";
import { sessionsIn, ticketOf, userOf } from "../../../support/store/records.ts";
import { type CutChange, insertAlice, next, reset, session, testCuts } from "../../../support/store/repeat_scene.ts";

const ofAlice = { session, asAdmin: false };

const insertSession = async (store: Store) => {
  await insertAlice(store);
  return await store.insertSession(session, userOf("alice"));
};
const insertReset = async (store: Store) => {
  await insertAlice(store);
  await store.insertTicket(reset);
};

const changes: readonly CutChange[] = [
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
    kept: () => Promise.resolve(),
    expected: undefined,
  },
];

testCuts(changes);
