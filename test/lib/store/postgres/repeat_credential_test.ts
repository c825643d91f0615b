// Changes of credentials and of sessions whose connection is cut at the worst moment.
import { credentialOf, sessionOf, sessionsIn, siteOf, userOf } from "../../../support/store/records.ts";
import {
  code,
  type CutChange,
  insertFactors,
  loginTicket,
  passkey,
  session,
  testCuts,
  used,
} from "../../../support/store/repeat_scene.ts";

const site = siteOf("https://wiki.example.org");
const ofAlice = { session, asAdmin: false };

const changes: readonly CutChange[] = [
  {
    title: "a login by a passkey and a ticket",
    message: "commit",
    before: insertFactors,
    change: (store) => store.insertSession(sessionOf("alice", "s2"), userOf("alice"), { ticketHash: "t1", use: used }),
    outcome: true,
    kept: async (store) => [
      (await sessionsIn(store, "alice")).length,
      await store.findTicket(loginTicket.secretHash),
      (await store.findCredential("passkey", "p1"))?.credential,
    ],
    expected: [2, undefined, used.next],
  },
  {
    title: "a step-up by a recovery code",
    message: "commit",
    before: insertFactors,
    change: (store) => {
      const authentication = {
        factors: ["recovery"] as const,
        authenticatedAt: 9,
        use: { current: code, next: undefined },
      };
      return store.updateSession("s1", userOf("alice"), authentication);
    },
    outcome: true,
    kept: async (store) => [(await store.findSession("s1"))?.session, await store.listCredentials("alice")],
    expected: [{ ...session, factors: ["password", "recovery"], authenticatedAt: 9 }, [passkey]],
  },
  {
    title: "a login at a site",
    message: "commit",
    before: insertFactors,
    change: (store) => store.updateSession("s1", userOf("alice"), { ticketHash: "t1", site }),
    outcome: true,
    kept: async (store) => [(await store.findSession("s1"))?.session, await store.findTicket("t1")],
    expected: [{ ...session, sites: [site] }, undefined],
  },
  {
    title: "a login at a site that the session is logged in at",
    message: "commit",
    async before(store) {
      await insertFactors(store);
      await store.updateSession("s1", userOf("alice"), { site });
    },
    change: (store) => store.updateSession("s1", userOf("alice"), { ticketHash: "t1", site }),
    outcome: true,
    kept: async (store) => [(await store.findSession("s1"))?.session, await store.findTicket("t1")],
    expected: [{ ...session, sites: [site] }, undefined],
  },
  {
    title: "a new passkey and new recovery codes",
    message: "commit",
    before: insertFactors,
    change: (store) => {
      const added = [credentialOf("alice", "p2"), credentialOf("alice", "r2", { kind: "recovery" })];
      return store.insertCredentials(userOf("alice"), added, { actor: ofAlice });
    },
    outcome: "done",
    kept: async (store) => (await store.listCredentials("alice")).map(({ key }) => key),
    expected: ["p1", "p2", "r2"],
  },
  {
    title: "another name of a passkey",
    message: "commit",
    before: insertFactors,
    change: (store) => store.useCredential(used, { actor: ofAlice }),
    outcome: "done",
    kept: async (store) => (await store.findCredential("passkey", "p1"))?.credential,
    expected: used.next,
  },
  {
    title: "a deletion of a passkey",
    message: "commit",
    before: insertFactors,
    change: (store) => store.deleteCredentials("alice", { id: passkey.id, actor: ofAlice }),
    outcome: 1,
    kept: (store) => store.listCredentials("alice"),
    expected: [code],
  },
  {
    title: "a deletion of all credentials",
    message: "commit",
    before: insertFactors,
    // Only the first attempt knows how many there were.
    change: async (store) => typeof await store.deleteCredentials("alice", { actor: ofAlice }),
    outcome: "number",
    kept: (store) => store.listCredentials("alice"),
    expected: [],
  },
];

testCuts(changes);
