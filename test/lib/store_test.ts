// The promises of lib/store.ts, one test each, for every implementation. That changes survive crashes is shown in
// test/lib/store/.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLog } from "../../lib/log.ts";
import type { Store } from "../../lib/store.ts";
import { FileStore } from "../../lib/store/file.ts";
import { MemoryStore } from "../../lib/store/memory.ts";
import { sessionOf, userOf } from "./store/records.ts";

const silent = createLog(() => {});

/** How each implementation is opened, empty. */
const implementations: Record<string, () => Promise<Store>> = {
  MemoryStore: () => Promise.resolve(new MemoryStore()),
  FileStore: async () => await FileStore.open(await Deno.makeTempDir(), { log: silent, extendBytes: 4096 }),
};

function testStores(promise: string, test: (store: Store) => Promise<void>): void {
  for (const [name, open] of Object.entries(implementations)) {
    Deno.test(`${name} ${promise}`, async () => {
      await using store = await open();
      await test(store);
    });
  }
}

testStores("finds the user that was inserted, and no other", async (store) => {
  assertEquals(await store.findUser("alice"), undefined);
  assert(await store.insertUser(userOf("alice", { groups: ["staff"] })));
  assertEquals(await store.findUser("alice"), userOf("alice", { groups: ["staff"] }));
  assertEquals(await store.findUser("alic"), undefined);
});

testStores("refuses a login that is taken, and keeps the first", async (store) => {
  assert(await store.insertUser(userOf("alice", { id: "first" })));
  assert(!await store.insertUser(userOf("alice", { id: "second" })));
  assertEquals((await store.findUser("alice"))?.id, "first");
});

testStores("lets one of 200 parallel registrations of a login win", async (store) => {
  const users = Array.from({ length: 200 }, (_, index) => userOf("alice", { id: `id-${index}` }));
  const results = await Promise.all(users.map((user) => store.insertUser(user)));
  assertEquals(results.filter(Boolean).length, 1);
  assertEquals((await store.findUser("alice"))?.id, `id-${results.indexOf(true)}`);
});

testStores("lets 1,000 parallel registrations of different logins all win", async (store) => {
  const users = Array.from({ length: 1_000 }, (_, index) => userOf(`user${index}`));
  assert((await Promise.all(users.map((user) => store.insertUser(user)))).every(Boolean));
  for (const user of users) assertEquals(await store.findUser(user.login), user);
});

testStores("shows a change to nobody before its promise resolves", async (store) => {
  let isResolved = false;
  const inserted = store.insertUser(userOf("alice")).then(() => isResolved = true);
  // MemoryStore is done at once; FileStore must first wait for the disk, during which readers see nothing.
  const seen = await store.findUser("alice");
  if (store instanceof FileStore) assertEquals([seen, isResolved], [undefined, false]);
  await inserted;
  assertEquals(await store.findUser("alice"), userOf("alice"));
});

testStores("replaces a user that is as expected, and no other", async (store) => {
  const before = userOf("alice");
  const after = userOf("alice", { passwordHash: "new", groups: ["staff"] });
  assert(!await store.replaceUser(before, after));
  await store.insertUser(before);
  assert(await store.replaceUser(before, after));
  assertEquals(await store.findUser("alice"), after);
  for (const field of [{ id: "x" }, { passwordHash: "x" }, { disabled: true }, { groups: ["x"] }]) {
    assert(!await store.replaceUser({ ...after, ...field }, userOf("alice", { passwordHash: "stale" })));
  }
  assertEquals(await store.findUser("alice"), after);
});

testStores("refuses to give a user another login", async (store) => {
  await store.insertUser(userOf("alice"));
  await assertRejects(
    async () => await store.replaceUser(userOf("alice"), userOf("bob")),
    TypeError,
    "login",
  );
  assertEquals(await store.findUser("bob"), undefined);
});

testStores("lets one of many parallel replacements win", async (store) => {
  await store.insertUser(userOf("alice"));
  const results = await Promise.all(
    Array.from(
      { length: 20 },
      (_, index) => store.replaceUser(userOf("alice"), userOf("alice", { passwordHash: `hash-${index}` })),
    ),
  );
  assertEquals(results.filter(Boolean).length, 1);
  assertEquals((await store.findUser("alice"))?.passwordHash, `hash-${results.indexOf(true)}`);
});

testStores("ends the sessions of a user that is disabled, and of no other", async (store) => {
  await insertWithSession(store, "alice");
  await insertWithSession(store, "bob");
  assert(await store.replaceUser(userOf("alice"), userOf("alice", { groups: ["staff"] })));
  assert(await store.findSession("session of alice") !== undefined);
  const staff = userOf("alice", { groups: ["staff"] });
  assert(await store.replaceUser(staff, { ...staff, disabled: true }));
  assertEquals(await store.findSession("session of alice"), undefined);
  assertEquals(await store.findSession("session of bob"), sessionOf("bob", "session of bob"));
});

testStores("deletes a user with its sessions, once, and the login is free", async (store) => {
  await insertWithSession(store, "alice");
  assertEquals(await Promise.all([store.deleteUser("alice"), store.deleteUser("alice")]), [true, false]);
  assertEquals(await store.findUser("alice"), undefined);
  assertEquals(await store.findSession("session of alice"), undefined);
  assert(await store.insertUser(userOf("alice", { id: "another" })));
  assertEquals(await store.findSession("session of alice"), undefined);
});

testStores("makes no session for a user that is gone, disabled or changed", async (store) => {
  const session = sessionOf("alice", "s");
  assert(!await store.insertSession(session, userOf("alice")));
  await store.insertUser(userOf("alice"));
  assert(!await store.insertSession(session, userOf("alice", { passwordHash: "old" })));
  await store.replaceUser(userOf("alice"), userOf("alice", { disabled: true }));
  assert(!await store.insertSession(session, userOf("alice", { disabled: true })));
  assertEquals(await store.findSession("s"), undefined);
  await store.replaceUser(userOf("alice", { disabled: true }), userOf("alice"));
  assert(await store.insertSession(session, userOf("alice")));
  assertEquals(await store.findSession("s"), session);
});

testStores("makes no session for a user that is being deleted", async (store) => {
  await store.insertUser(userOf("alice"));
  const [deleted, inserted] = await Promise.all([
    store.deleteUser("alice"),
    store.insertSession(sessionOf("alice", "s"), userOf("alice")),
  ]);
  assertEquals([deleted, inserted], [true, false]);
  assertEquals(await store.findSession("s"), undefined);
});

testStores("notes a session as seen, never earlier than before, and ended ones not at all", async (store) => {
  await insertWithSession(store, "alice");
  const seen = async () => (await store.findSession("session of alice"))?.lastSeenAt;
  await store.touchSession("session of alice", 1_800_000_000_000);
  assertEquals(await seen(), 1_800_000_000_000);
  await store.touchSession("session of alice", 1_700_000_000_000);
  assertEquals(await seen(), 1_800_000_000_000);
  await Promise.all([
    store.deleteSession("session of alice"),
    store.touchSession("session of alice", 1_900_000_000_000),
  ]);
  assertEquals(await seen(), undefined);
});

testStores("ends a session once", async (store) => {
  await insertWithSession(store, "alice");
  const results = [store.deleteSession("session of alice"), store.deleteSession("session of alice")];
  assertEquals(await Promise.all(results), [true, false]);
  assertEquals(await store.deleteSession("unknown"), false);
});

testStores("deletes the sessions that have expired by either limit, and no other", async (store) => {
  await store.insertUser(userOf("alice"));
  const dates = {
    idle: [200, 99],
    "idle edge": [200, 100],
    old: [49, 900],
    "old edge": [50, 900],
    live: [51, 101],
  };
  for (const [id, [createdAt = 0, lastSeenAt = 0]] of Object.entries(dates)) {
    await store.insertSession(sessionOf("alice", id, { createdAt, lastSeenAt }), userOf("alice"));
  }
  assertEquals(await store.deleteExpiredSessions({ lastSeenUntil: 100, createdUntil: 50 }), 4);
  const left = await Promise.all(Object.keys(dates).map((id) => store.findSession(id)));
  assertEquals(left.map((session) => session?.id), [undefined, undefined, undefined, undefined, "live"]);
});

testStores("deletes thousands of expired sessions at once", async (store) => {
  await store.insertUser(userOf("alice"));
  const ids = Array.from({ length: 2_500 }, (_, index) => `s${index}`);
  await Promise.all(
    ids.map((id) => store.insertSession(sessionOf("alice", id, { lastSeenAt: 1 }), userOf("alice"))),
  );
  assertEquals(await store.deleteExpiredSessions({ lastSeenUntil: 1, createdUntil: 0 }), 2_500);
  assertEquals(await store.findSession("s2499"), undefined);
});

testStores("has no fault while it takes changes", async (store) => {
  assertEquals(await store.fault(), undefined);
});

async function insertWithSession(store: Store, login: string): Promise<void> {
  await store.insertUser(userOf(login));
  await store.insertSession(sessionOf(login, `session of ${login}`), userOf(login));
}
