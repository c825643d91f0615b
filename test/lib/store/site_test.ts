// What lib/store.ts promises of the sites that a session is logged in at.
import { assert, assertEquals, assertFalse } from "@std/assert";
import { maxSites } from "../../../lib/config/parsers.ts";
import type { SessionUpdate, SiteLogin, Store } from "../../../lib/store.ts";
import { deleteByLogin, sessionOf, sessionsIn, siteOf, ticketOf, userOf } from "../../support/store/records.ts";
import { testContended, testStores } from "../../support/store/stores.ts";

const alice = userOf("alice");
const session = sessionOf("alice", "s1");
const wiki = siteOf("https://wiki.example.org");
const git = siteOf("https://git.example.org");
const local = siteOf("http://127.0.0.1:8080");
const siteTicket = ticketOf("t1", { purpose: "site", login: "alice" });

/** Alice with a session, and a ticket for a site; bob, whose session is another. */
async function fill(store: Store): Promise<void> {
  for (const user of [alice, userOf("bob")]) assertEquals(await store.insertUser(user), "done");
  for (const login of ["alice", "bob"]) {
    const id = login === "alice" ? "s1" : "s2";
    assert(await store.insertSession(sessionOf(login, id), userOf(login)));
  }
  assertEquals(await store.insertTicket(siteTicket, { target: alice }), "done");
}

async function sitesOf(store: Store): Promise<readonly SiteLogin[] | undefined> {
  return (await store.findSession("s1"))?.session.sites;
}

testStores("adds the login at a site to a session, once for each origin, and uses up the ticket", async (store) => {
  await fill(store);
  assert(await store.updateSession("s1", alice, { ticketHash: "t1", site: wiki }));
  assertEquals(await store.findTicket("t1"), undefined);
  assertEquals(await sessionsIn(store, "alice"), [{ ...session, sites: [wiki] }]);
  assert(await store.updateSession("s1", alice, { site: git }));
  const again = siteOf(wiki.origin, "52".repeat(32));
  assert(await store.updateSession("s1", alice, { site: again }));
  assertEquals((await store.findSession("s1"))?.session, { ...session, sites: [git, again] });
  assertEquals(await sessionsIn(store, "bob"), [sessionOf("bob", "s2")]);
  // Neither a request at a later time nor a step-up ends it.
  await store.touchSession("s1", 1_900_000_000_000);
  assert(await store.updateSession("s1", alice, { factors: ["totp"], authenticatedAt: 1_900_000_000_001 }));
  assertEquals(await sitesOf(store), [git, again]);
});

testStores("adds no site to a session that has ended, without its ticket, or for another user", async (store) => {
  await fill(store);
  const update: SessionUpdate = { ticketHash: "t1", site: wiki };
  assertFalse(await store.updateSession("s2", alice, update));
  assertFalse(await store.updateSession("s1", userOf("bob"), update));
  assertFalse(await store.updateSession("s3", alice, update));
  assertFalse(await store.updateSession("s\0", alice, update));
  assertFalse(await store.updateSession("s1", { ...alice, passwordHash: "former" }, update));
  assertFalse(await store.updateSession("s1", { ...alice, id: "former" }, update));
  assertFalse(await store.updateSession("s1", alice, { ...update, ticketHash: "t2" }));
  assertEquals([await sitesOf(store), await store.findTicket("t1")], [[], siteTicket]);
  assert(await store.deleteSession("s1"));
  assertFalse(await store.updateSession("s1", alice, update));
  assertEquals(await store.findTicket("t1"), siteTicket);
  assert(await store.insertSession(session, alice));
  await store.replaceUser(alice, { ...alice, disabled: true });
  assertFalse(await store.updateSession("s1", alice, { site: wiki }));
});

testStores("drops sites that are unknown by now with the next login at one", async (store) => {
  await fill(store);
  for (const site of [wiki, git, local]) assert(await store.updateSession("s1", alice, { site }));
  // Without a login at a site nothing is dropped.
  assert(await store.updateSession("s1", alice, { factors: ["totp"], knownOrigins: [] }));
  assertEquals(await sitesOf(store), [wiki, git, local]);
  const knownOrigins = [local.origin, git.origin, "https://new.example.org"];
  assert(await store.updateSession("s1", alice, { site: git, knownOrigins }));
  assertEquals(await sitesOf(store), [local, git]);
});

testStores("keeps the latest logins of a session at so many sites, with the longest host names", async (store) => {
  await fill(store);
  const label = "a".repeat(63);
  const sites = Array.from({ length: maxSites + 2 }, (_, index) => {
    return siteOf(`https://${`${index}`.padStart(61, "b")}.${label}.${label}.${label}:65535`);
  });
  for (const site of sites) assert(await store.updateSession("s1", alice, { site }));
  assertEquals(await sitesOf(store), sites.slice(2));
});

testContended("keeps the sites of several logins at once, and a step-up", async (store) => {
  await fill(store);
  const updates: readonly SessionUpdate[] = [
    { site: wiki },
    { factors: ["totp"], authenticatedAt: 1_900_000_000_000 },
    { site: git, ticketHash: "t1" },
    { site: local },
  ];
  const outcomes = await Promise.all(updates.map((update) => store.updateSession("s1", alice, update)));
  assertEquals(outcomes, [true, true, true, true]);
  const [next] = await sessionsIn(store, "alice");
  assertEquals(new Set(next?.sites), new Set([wiki, git, local]));
  assertEquals([next?.factors, next?.authenticatedAt], [["password", "totp"], 1_900_000_000_000]);
});

testContended("lets one of many logins at a site use a ticket", async (store) => {
  await fill(store);
  const outcomes = await Promise.all(Array.from({ length: 20 }, (_, index) => {
    const site = siteOf(`https://${index}.example.org`);
    return store.updateSession("s1", alice, { ticketHash: "t1", site });
  }));
  assertEquals(outcomes.filter(Boolean).length, 1);
  assertEquals(await sitesOf(store), [siteOf(`https://${outcomes.indexOf(true)}.example.org`)]);
});

testStores("ends the logins at sites with the session and the user", async (store) => {
  await fill(store);
  assert(await store.updateSession("s1", alice, { site: wiki }));
  await store.deleteSessions("alice");
  assertEquals(await store.findSession("s1"), undefined);
  assert(await store.insertSession(session, alice));
  assertEquals(await sitesOf(store), []);
  assert(await store.updateSession("s1", alice, { site: wiki }));
  await deleteByLogin(store, "alice");
  await store.insertUser(alice);
  assertEquals(await sessionsIn(store, "alice"), []);
});
