// The promises of lib/store.ts about sessions, one test each, for every implementation.
import { assert, assertEquals } from "@std/assert";
import { maxSessionAheadMs, type StoredRecord } from "../../../lib/store.ts";
import type { SessionQuery } from "../../../lib/store/queries.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { insertWithSession, sessionOf, sessionsIn, userOf } from "../../support/store/records.ts";
import { testContended, testStores } from "../../support/store/stores.ts";

testStores("ends the sessions of a user that is disabled, and of no other", async (store) => {
  await insertWithSession(store, "alice");
  await insertWithSession(store, "bob");
  assertEquals(await store.replaceUser(userOf("alice"), userOf("alice", { groups: ["staff"] })), "done");
  assert(await store.findSession("session of alice") !== undefined);
  const staff = userOf("alice", { groups: ["staff"] });
  assertEquals(await store.replaceUser(staff, { ...staff, disabled: true }), "done");
  assertEquals(await store.findSession("session of alice"), undefined);
  assertEquals((await store.findSession("session of bob"))?.session, sessionOf("bob", "session of bob"));
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
  assertEquals((await store.findSession("s"))?.session, session);
});

testStores("finds a session with its user as they are now", async (store) => {
  await insertWithSession(store, "alice");
  const find = () => store.findSession("session of alice");
  await store.replaceUser(userOf("alice"), userOf("alice", { groups: ["staff"] }));
  assertEquals((await find())?.user, userOf("alice", { groups: ["staff"] }));
  await store.touchSession("session of alice", 1_800_000_000_000);
  assertEquals((await find())?.session.lastSeenAt, 1_800_000_000_000);
  await store.deleteUser(userOf("alice", { groups: ["staff"] }));
  assertEquals(await find(), undefined);
});

testContended("leaves no session of a user that is being deleted or disabled", async (store) => {
  const ends = [
    () => store.deleteUser(userOf("alice")),
    () => store.replaceUser(userOf("alice"), userOf("alice", { disabled: true })),
  ];
  for (const end of ends) {
    await store.insertUser(userOf("alice"));
    const ids = Array.from({ length: 8 }, (_, index) => `s${index}`);
    const [ended, ...inserted] = await Promise.all([
      end(),
      ...ids.map((id) => store.insertSession(sessionOf("alice", id), userOf("alice"))),
    ]);
    assertEquals(ended, "done");
    // In one process changes are made in the order of the calls; between machines there is none.
    if (store instanceof TableStore) assertEquals(inserted, ids.map(() => false));
    assertEquals(await sessionsIn(store, "alice"), []);
  }
});

testContended("notes a session as seen, hardly earlier than before, and ended ones not at all", async (store) => {
  await insertWithSession(store, "alice");
  const seen = async () => (await store.findSession("session of alice"))?.session.lastSeenAt;
  const createdAt = async () => (await store.findSession("session of alice"))?.session.createdAt;
  const before = await createdAt();
  await store.touchSession("session of alice", 1_800_000_000_000);
  assertEquals([await seen(), await createdAt()], [1_800_000_000_000, before]);
  // As much as clocks of instances differ, and more, by a clock that was set back.
  await store.touchSession("session of alice", 1_800_000_000_000 - maxSessionAheadMs);
  assertEquals([await seen(), await createdAt()], [1_800_000_000_000, before]);
  await store.touchSession("session of alice", 1_800_000_000_000 - maxSessionAheadMs - 1);
  assertEquals([await seen(), await createdAt()], [1_799_996_399_999, before]);
  await store.touchSession("session of alice", 1_000_000_000_000);
  assertEquals([await seen(), await createdAt()], [1_000_000_000_000, 1_000_000_000_000]);
  await Promise.all([
    store.deleteSession("session of alice"),
    store.touchSession("session of alice", 1_900_000_000_000),
  ]);
  assertEquals(await seen(), undefined);
});

testContended("ends a session once", async (store) => {
  await insertWithSession(store, "alice");
  const results = [store.deleteSession("session of alice"), store.deleteSession("session of alice")];
  assertEquals((await Promise.all(results)).toSorted(), [false, true]);
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
  assertEquals(left.map((found) => found?.session.id), [undefined, undefined, undefined, undefined, "live"]);
});

testContended("deletes thousands of expired sessions at once", async (store) => {
  await store.insertUser(userOf("alice"));
  const sessions = Array.from({ length: 2_500 }, (_, index) => sessionOf("alice", `s${index}`, { lastSeenAt: 1 }));
  await store.insertRecords(sessions.map((session): StoredRecord => ({ kind: "session", record: session })));
  assertEquals(await store.deleteExpiredSessions({ lastSeenUntil: 1, createdUntil: 0 }), 2_500);
  assertEquals(await store.findSession("s2499"), undefined);
});

testStores("lists the sessions of a user, the oldest first, and ends all of them", async (store) => {
  await insertWithSession(store, "alice");
  await insertWithSession(store, "bob");
  await store.insertSession(sessionOf("alice", "the second"), userOf("alice"));
  const ids = async (login: string) => (await sessionsIn(store, login)).map((session) => session.id);
  assertEquals(await ids("alice"), ["session of alice", "the second"]);
  assertEquals(await store.deleteSessions("alice"), 2);
  assertEquals([await ids("alice"), await ids("bob"), await ids("nobody")], [[], ["session of bob"], []]);
  assertEquals(await store.deleteSessions("alice"), 0);
});

testStores("lists sessions by pages, each once, and only those seen and made late enough", async (store) => {
  await store.insertUser(userOf("alice"));
  const ids = Array.from({ length: 7 }, (_, index) => `s${index}`);
  // Not in the order of their ids.
  for (const id of ids.toReversed()) {
    const dates = { createdAt: 10 + Number(id.slice(1)), lastSeenAt: 100 - Number(id.slice(1)) };
    await store.insertSession(sessionOf("alice", id, dates), userOf("alice"));
  }
  await insertWithSession(store, "bob");
  const page = async (query: SessionQuery) => {
    const { items: sessions, total, next } = await store.listSessions("alice", query);
    return [sessions.map(({ id }) => id).join(" "), total, next];
  };
  assertEquals(await page({ limit: 3 }), ["s0 s1 s2", 7, "s2"]);
  assertEquals(await page({ limit: 3, after: "s2" }), ["s3 s4 s5", 7, "s5"]);
  assertEquals(await page({ limit: 3, after: "s5" }), ["s6", 7, undefined]);
  assertEquals(await page({ limit: 7 }), ["s0 s1 s2 s3 s4 s5 s6", 7, undefined]);
  assertEquals(await page({ limit: 1, after: "s6" }), ["", 7, undefined]);
  assertEquals(await page({ limit: 9, createdUntil: 11 }), ["s2 s3 s4 s5 s6", 5, undefined]);
  assertEquals(await page({ limit: 2, createdUntil: 11, lastSeenUntil: 94 }), ["s2 s3", 4, "s3"]);
});

testStores("ends the sessions seen longest ago when a user has too many with a new one", async (store) => {
  for (const login of ["alice", "bob"]) await store.insertUser(userOf(login));
  const insert = (id: string, lastSeenAt: number, maxSessions: number) => {
    return store.insertSession(sessionOf("alice", id, { lastSeenAt }), userOf("alice"), { maxSessions });
  };
  const ids = async () => (await sessionsIn(store, "alice")).map(({ id }) => id).join(" ");
  await store.insertSession(sessionOf("bob", "of bob", { lastSeenAt: 1 }), userOf("bob"), { maxSessions: 1 });
  for (const [id, lastSeenAt] of [["s1", 30], ["s2", 10], ["s3", 10], ["s4", 20]] as const) {
    assert(await insert(id, lastSeenAt, 4));
  }
  await store.touchSession("s2", 40);
  // Seen at once they end in order of their making.
  assert(await insert("s5", 50, 4));
  assertEquals(await ids(), "s1 s2 s4 s5");
  // The new one stays, whenever its clock says it was seen; and a lower limit holds at once.
  assert(await insert("s6", 5, 2));
  assertEquals(await ids(), "s5 s6");
  assert(await insert("s7", 5, 1));
  assertEquals(await ids(), "s7");
  assertEquals(
    await store.insertSession(sessionOf("alice", "s8"), userOf("alice", { id: "x" }), { maxSessions: 1 }),
    false,
  );
  assertEquals([await ids(), (await sessionsIn(store, "bob")).length], ["s7", 1]);
});

testContended("keeps no more sessions of a user than the limit, of any number made at once", async (store) => {
  await store.insertUser(userOf("alice"));
  const ids = Array.from({ length: 40 }, (_, index) => `s${index}`);
  const inserted = await Promise.all(
    ids.map((id) => store.insertSession(sessionOf("alice", id), userOf("alice"), { maxSessions: 5 })),
  );
  assert(inserted.every(Boolean));
  assertEquals((await sessionsIn(store, "alice")).length, 5);
});

for (const end of ["a login", "deleteSessions", "replaceUser", "deleteUser"]) {
  testStores(`ends thousands of sessions that an earlier version left, by ${end}`, async (store) => {
    const user = userOf("alice");
    await store.insertUser(user);
    const old = Array.from({ length: 2_500 }, (_, index) => sessionOf("alice", `s${index}`, { lastSeenAt: index }));
    await store.insertRecords(old.map((session): StoredRecord => ({ kind: "session", record: session })));
    const left: Record<string, string[]> = { "a login": ["new", "s2498", "s2499"], replaceUser: ["s7"] };
    if (end === "a login") assert(await store.insertSession(sessionOf("alice", "new"), user, { maxSessions: 3 }));
    if (end === "deleteSessions") assertEquals(await store.deleteSessions("alice"), 2_500);
    const next = { ...user, passwordHash: "new" };
    if (end === "replaceUser") assertEquals(await store.replaceUser(user, next, { keepSessionId: "s7" }), "done");
    if (end === "deleteUser") assertEquals(await store.deleteUser(user), "done");
    assertEquals((await sessionsIn(store, "alice")).map(({ id }) => id), left[end] ?? []);
    assertEquals((await store.size()).sessions, left[end]?.length ?? 0);
  });
}

testStores("ends all sessions but one with a new password", async (store) => {
  await insertWithSession(store, "alice");
  await store.insertSession(sessionOf("alice", "own"), userOf("alice"));
  const next = userOf("alice", { passwordHash: "new" });
  assertEquals(await store.replaceUser(userOf("alice"), next, { keepSessionId: "own" }), "done");
  assertEquals((await sessionsIn(store, "alice")).map((session) => session.id), ["own"]);
  assertEquals(await store.replaceUser(next, userOf("alice"), { keepSessionId: "" }), "done");
  assertEquals(await sessionsIn(store, "alice"), []);
});
