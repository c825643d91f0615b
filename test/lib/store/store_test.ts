// The promises of lib/store.ts, one test each, for every implementation. That changes survive crashes is shown in
// test/lib/store/.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { maxSessionAheadMs, type Store, type StoredRecord, type User } from "../../../lib/store.ts";
import type { SessionQuery } from "../../../lib/store/queries.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { deleteByLogin, sessionOf, sessionsIn, ticketOf, userOf } from "../../support/store/records.ts";
import { testContended, testStores } from "../../support/store/stores.ts";

testStores("finds the user that was inserted, and no other", async (store) => {
  assertEquals(await store.findUser("alice"), undefined);
  assertEquals(await store.insertUser(userOf("alice", { groups: ["staff"] })), "done");
  assertEquals(await store.findUser("alice"), userOf("alice", { groups: ["staff"] }));
  assertEquals(await store.findUser("alic"), undefined);
});

testStores("refuses a login that is taken, and keeps the first", async (store) => {
  assertEquals(await store.insertUser(userOf("alice", { id: "first" })), "done");
  assertEquals(await store.insertUser(userOf("alice", { id: "second" })), "taken");
  assertEquals((await store.findUser("alice"))?.id, "first");
});

testContended("lets one of 200 parallel registrations of a login win", async (store) => {
  const users = Array.from({ length: 200 }, (_, index) => userOf("alice", { id: `id-${index}` }));
  const results = await Promise.all(users.map((user) => store.insertUser(user)));
  assertEquals(results.filter((result) => result === "done").length, 1);
  assertEquals((await store.findUser("alice"))?.id, `id-${results.indexOf("done")}`);
});

testContended("lets 1,000 parallel registrations of different logins all win", async (store) => {
  const users = Array.from({ length: 1_000 }, (_, index) => userOf(`user${index}`));
  const results = await Promise.all(users.map((user) => store.insertUser(user)));
  assert(results.every((result) => result === "done"));
  for (const user of users) assertEquals(await store.findUser(user.login), user);
});

testStores("shows a change to nobody before its promise resolves", async (store, name) => {
  let isResolved = false;
  const inserted = store.insertUser(userOf("alice")).then(() => isResolved = true);
  // Memory is done at once; a file store must first wait for the disk, during which readers see nothing. Of a database
  // only the answer may be late.
  const seen = await store.findUser("alice");
  if (name === "file store") assertEquals([seen, isResolved], [undefined, false]);
  await inserted;
  assertEquals(await store.findUser("alice"), userOf("alice"));
});

testStores("replaces a user that is as expected, and no other", async (store) => {
  const before = userOf("alice");
  const after = userOf("alice", { passwordHash: "new", groups: ["staff"] });
  assertEquals(await store.replaceUser(before, after), "stale");
  await store.insertUser(before);
  assertEquals(await store.replaceUser(before, after), "done");
  assertEquals(await store.findUser("alice"), after);
  for (const field of [{ id: "x" }, { passwordHash: "x" }, { disabled: true }, { groups: ["x"] }]) {
    assertEquals(await store.replaceUser({ ...after, ...field }, userOf("alice", { passwordHash: "stale" })), "stale");
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

testContended("lets one of many parallel replacements win", async (store) => {
  await store.insertUser(userOf("alice"));
  const results = await Promise.all(
    Array.from(
      { length: 20 },
      (_, index) => store.replaceUser(userOf("alice"), userOf("alice", { passwordHash: `hash-${index}` })),
    ),
  );
  assertEquals(results.filter((result) => result === "done").length, 1);
  assertEquals((await store.findUser("alice"))?.passwordHash, `hash-${results.indexOf("done")}`);
});

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

testContended("deletes a user with its sessions, once, and the login is free", async (store) => {
  await insertWithSession(store, "alice");
  const deleted = await Promise.all([store.deleteUser(userOf("alice")), store.deleteUser(userOf("alice"))]);
  assertEquals(deleted.toSorted(), ["done", "missing"]);
  assertEquals(await store.findUser("alice"), undefined);
  assertEquals(await store.findSession("session of alice"), undefined);
  assertEquals(await store.insertUser(userOf("alice", { id: "another" })), "done");
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
  await store.insertRecords(sessions.map((session): StoredRecord => ({ kind: "put-session", session })));
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
    const { sessions, total, next } = await store.listSessions("alice", query);
    return [sessions.map(({ id }) => id).join(" "), total, next];
  };
  assertEquals(await page({ limit: 3 }), ["s0 s1 s2", 7, "s2"]);
  assertEquals(await page({ limit: 3, after: "s2" }), ["s3 s4 s5", 7, "s5"]);
  assertEquals(await page({ limit: 3, after: "s5" }), ["s6", 7, undefined]);
  assertEquals(await page({ limit: 7 }), ["s0 s1 s2 s3 s4 s5 s6", 7, undefined]);
  assertEquals(await page({ limit: 1, after: "s6" }), ["", 7, undefined]);
  assertEquals(await page({ limit: 9, createdAfter: 11 }), ["s2 s3 s4 s5 s6", 5, undefined]);
  assertEquals(await page({ limit: 2, createdAfter: 11, seenAfter: 94 }), ["s2 s3", 4, "s3"]);
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
    await store.insertRecords(old.map((session): StoredRecord => ({ kind: "put-session", session })));
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

testContended("uses up a ticket with the change that it is for, once of any number at once", async (store) => {
  await store.insertTicket(ticketOf("t1"));
  assertEquals(await store.findTicket("t1"), ticketOf("t1"));
  const logins = Array.from({ length: 100 }, (_, index) => `user${index}`);
  const results = await Promise.all(logins.map((login) => store.insertUser(userOf(login), "t1")));
  assertEquals(results.filter((result) => result === "done").length, 1);
  assertEquals(results.filter((result) => result === "no-ticket").length, 99);
  assertEquals([await store.findTicket("t1"), (await store.listUsers({ limit: 9 })).total], [undefined, 1]);
});

testStores("keeps a ticket whose change is refused", async (store) => {
  await store.insertUser(userOf("alice"));
  await store.insertTicket(ticketOf("t1"));
  assertEquals(await store.insertUser(userOf("alice"), "t1"), "taken");
  const stale = userOf("alice", { passwordHash: "stale" });
  assertEquals(await store.replaceUser(stale, userOf("alice"), { ticketHash: "t1" }), "stale");
  assertEquals(await store.findTicket("t1"), ticketOf("t1"));
  const next = userOf("alice", { passwordHash: "new" });
  assertEquals(await store.replaceUser(userOf("alice"), next, { ticketHash: "t1" }), "done");
  assertEquals(await store.replaceUser(next, userOf("alice"), { ticketHash: "t1" }), "no-ticket");
  assertEquals((await store.findUser("alice"))?.passwordHash, "new");
});

testStores("takes tickets for a reset away with another password and with the user, and no others", async (store) => {
  const reset = (hash: string, login: string) => ticketOf(hash, { purpose: "reset", login });
  assertEquals(await store.insertTicket(reset("too early", "alice")), "missing");
  for (const login of ["alice", "bob"]) await store.insertUser(userOf(login));
  const insertAll = () =>
    Promise.all([
      store.insertTicket(reset("t1", "alice")),
      store.insertTicket(reset("t2", "bob")),
      store.insertTicket(ticketOf("t3", { login: "alice" })),
    ]);
  const found = async () => {
    const tickets = await Promise.all(["t1", "t2", "t3"].map((hash) => store.findTicket(hash)));
    return tickets.map((ticket) => ticket?.secretHash);
  };
  assertEquals(await insertAll(), ["done", "done", "done"]);
  const staff = userOf("alice", { groups: ["staff"] });
  await store.replaceUser(userOf("alice"), staff);
  // A new hash of the same password, as in passing.
  await store.replaceUser(staff, { ...staff, passwordHash: "rehashed" });
  await store.replaceUser({ ...staff, passwordHash: "rehashed" }, staff);
  assertEquals(await found(), ["t1", "t2", "t3"]);
  await store.replaceUser(staff, { ...staff, passwordHash: "new" }, { keepSessionId: "" });
  assertEquals(await found(), [undefined, "t2", "t3"]);
  await insertAll();
  await deleteByLogin(store, "alice");
  assertEquals(await found(), [undefined, "t2", "t3"]);
});

testStores("keeps one ticket for the setup, the last, beside all others", async (store) => {
  await store.insertTicket(ticketOf("setup 1", { purpose: "setup" }));
  await store.insertTicket(ticketOf("other"));
  await store.insertTicket(ticketOf("setup 2", { purpose: "setup" }));
  const found = await Promise.all(["setup 1", "setup 2", "other"].map((hash) => store.findTicket(hash)));
  assertEquals(found.map((ticket) => ticket?.secretHash), [undefined, "setup 2", "other"]);
});

testStores("deletes tickets that have expired, and no other", async (store) => {
  for (const expiresAt of [99, 100, 101]) await store.insertTicket(ticketOf(`t${expiresAt}`, { expiresAt }));
  assertEquals(await store.deleteExpiredTickets(100), 2);
  assertEquals(await store.deleteExpiredTickets(100), 0);
  assertEquals([await store.findTicket("t100"), (await store.findTicket("t101"))?.expiresAt], [undefined, 101]);
});

testContended("never loses the last admin, whatever is tried at once", async (store) => {
  const admins = ["alice", "bob"].map((login) => userOf(login, { groups: ["admin", "staff"] }));
  for (const admin of admins) await store.insertUser(admin);
  assertEquals(await store.countAdmins(), 2);
  const outcomes = await Promise.all([
    store.replaceUser(admins[0] ?? userOf("alice"), userOf("alice", { groups: ["staff"] })),
    store.deleteUser(admins[1] ?? userOf("bob")),
  ]);
  assertEquals(outcomes.toSorted(), ["done", "last-admin"]);
  assertEquals(await store.countAdmins(), 1);
  const last = (await store.findUser(outcomes[0] === "done" ? "bob" : "alice")) ?? userOf("alice");
  assertEquals(await store.replaceUser(last, { ...last, disabled: true }), "last-admin");
  assertEquals(await store.replaceUser(last, { ...last, groups: [] }), "last-admin");
  assertEquals(await deleteByLogin(store, last.login), "last-admin");
  assertEquals(await store.replaceUser(last, { ...last, passwordHash: "new", groups: ["admin"] }), "done");
});

testStores("counts neither a disabled admin nor one of another group", async (store) => {
  await store.insertUser(userOf("alice", { groups: ["admin"], disabled: true }));
  await store.insertUser(userOf("bob", { groups: ["admins"] }));
  assertEquals(await store.countAdmins(), 0);
  assertEquals(await deleteByLogin(store, "alice"), "done");
});

testStores("lists users by pages in order of their ids, with the total of the prefix", async (store) => {
  // Inserted in another order than that of the ids, as two registrations at once may be.
  for (const [login, id] of [["bob", "2"], ["al", "1"], ["alice", "4"], ["carol", "3"], ["alan", "5"]] as const) {
    await store.insertUser(userOf(login, { id }));
  }
  const page = async (query: Parameters<Store["listUsers"]>[0]) => {
    const { users, total, next } = await store.listUsers(query);
    return [users.map((user) => user.login).join(), total, next];
  };
  assertEquals(await page({ limit: 10 }), ["al,bob,carol,alice,alan", 5, undefined]);
  assertEquals(await page({ limit: 5 }), ["al,bob,carol,alice,alan", 5, undefined]);
  assertEquals(await page({ limit: 2 }), ["al,bob", 5, "2"]);
  assertEquals(await page({ limit: 2, after: "2" }), ["carol,alice", 5, "4"]);
  assertEquals(await page({ limit: 2, after: "4" }), ["alan", 5, undefined]);
  assertEquals(await page({ limit: 2, after: "9" }), ["", 5, undefined]);
  assertEquals(await page({ limit: 1, prefix: "al", after: "1" }), ["alice", 3, "4"]);
  assertEquals(await page({ limit: 9, prefix: "x" }), ["", 0, undefined]);
});

testStores("lists users by a part of the login and by group, in each order", async (store) => {
  const rows = [
    ["bab", "2", ["staff"]],
    ["al_ice", "1", ["family", "staff"]],
    ["malice", "4", ["admin"]],
    ["b%b", "3", ["staffers"]],
    ["slice\\", "5", []],
  ] as const;
  for (const [login, id, groups] of rows) await store.insertUser(userOf(login, { id, groups }));
  const page = async (query: Partial<Parameters<Store["listUsers"]>[0]>) => {
    const { users, total, next } = await store.listUsers({ limit: 9, ...query });
    return [users.map((user) => user.login).join(), total, next];
  };
  assertEquals(await page({ contains: "" }), ["al_ice,bab,b%b,malice,slice\\", 5, undefined]);
  assertEquals(await page({ contains: "lice" }), ["malice,slice\\", 2, undefined]);
  assertEquals(await page({ contains: "lice", limit: 1 }), ["malice", 2, "4"]);
  assertEquals(await page({ contains: "ice", prefix: "m" }), ["malice", 1, undefined]);
  assertEquals(await page({ contains: "malice" }), ["malice", 1, undefined]);
  assertEquals(await page({ contains: "malices" }), ["", 0, undefined]);
  // Wildcards of SQL and its escape are characters like others.
  assertEquals(await page({ contains: "_" }), ["al_ice", 1, undefined]);
  assertEquals(await page({ contains: "%" }), ["b%b", 1, undefined]);
  assertEquals(await page({ contains: "\\" }), ["slice\\", 1, undefined]);
  assertEquals(await page({ contains: "'" }), ["", 0, undefined]);
  // A group is matched as a whole.
  assertEquals(await page({ group: "staff" }), ["al_ice,bab", 2, undefined]);
  assertEquals(await page({ group: "staff", contains: "b" }), ["bab", 1, undefined]);
  assertEquals(await page({ group: "family" }), ["al_ice", 1, undefined]);
  assertEquals(await page({ group: "taff" }), ["", 0, undefined]);

  assertEquals(await page({ sort: "registered_at", limit: 2, after: "2" }), ["b%b,malice", 5, "4"]);
  assertEquals(await page({ sort: "-registered_at", limit: 2 }), ["slice\\,malice", 5, "4"]);
  assertEquals(await page({ sort: "-registered_at", limit: 2, after: "4" }), ["b%b,bab", 5, "2"]);
  assertEquals(await page({ sort: "-registered_at", limit: 2, after: "2" }), ["al_ice", 5, undefined]);
  assertEquals(await page({ sort: "-registered_at", after: "0" }), ["", 5, undefined]);
  assertEquals(await page({ sort: "login", limit: 2 }), ["al_ice,b%b", 5, "b%b"]);
  assertEquals(await page({ sort: "login", limit: 2, after: "b%b" }), ["bab,malice", 5, "malice"]);
  assertEquals(await page({ sort: "login", limit: 2, after: "malice" }), ["slice\\", 5, undefined]);
  assertEquals(await page({ sort: "login", limit: 1, group: "staff" }), ["al_ice", 2, "al_ice"]);
});

testStores("shows every user that exists throughout on exactly one page, in each order", async (store) => {
  const users = Array.from({ length: 300 }, (_, index) => userOf(`user${index}`, { id: String(1_000 + index) }));
  for (const sort of ["registered_at", "-registered_at", "login"] as const) {
    await store.insertRecords(putUsers(...users));
    const seen: string[] = [];
    let next: string | undefined = "";
    for (let page = 0; next !== undefined; page++) {
      const result: Awaited<ReturnType<Store["listUsers"]>> = await store.listUsers({ limit: 7, after: next, sort });
      seen.push(...result.users.map((user) => user.login));
      next = result.next;
      // One that was shown, and one that was not; and a new one.
      await deleteByLogin(store, `user${page}`);
      await deleteByLogin(store, `user${299 - page}`);
      await store.insertUser(userOf(`new${page}`, { id: String(2_000 + page) }));
      await store.insertUser(userOf(`user${page}`, { id: String(3_000 + page) }));
    }
    const throughout = users.slice(100, 200).map((user) => user.login);
    for (const login of throughout) assertEquals(seen.filter((other) => other === login).length, 1, login);
    for (const { login } of (await store.listUsers({ limit: 1_000 })).users) await deleteByLogin(store, login);
  }
});

testStores("tells the highest cost of any hash that is kept, in whatever order they came", async (store) => {
  const highest = async () => (await store.hashCosts()).highestIterations;
  assertEquals(await highest(), 0);
  const userWith = (login: string, iterations: number) => {
    return userOf(login, { passwordHash: userOf(login).passwordHash.replace("i=1$", `i=${iterations}$`) });
  };
  // Some begin like the one before.
  const costs = [[1, 1], [10, 10], [10, 10], [9, 10], [600, 600], [60, 600], [6_000, 6_000], [10, 6_000]] as const;
  for (const [index, [cost, expected]] of costs.entries()) {
    assertEquals(await store.insertUser(userWith(`user${index}`, cost)), "done");
    assertEquals(await highest(), expected);
  }
  const dearest = userWith("user6", 6_000);
  assertEquals(await store.replaceUser(dearest, userWith("user6", 700)), "done");
  assertEquals(await highest(), 700);
  assertEquals(await deleteByLogin(store, "user6"), "done");
  assertEquals(await highest(), 600);
});

testStores("counts the hashes that nobody can log in with, and leaves them out of the highest cost", async (store) => {
  assertEquals(await store.hashCosts(), { highestIterations: 0, unusableCount: 0 });
  const { passwordHash } = userOf("user");
  const dear = [10_000_001, 999_999_999, 999_999_999].map((cost) => passwordHash.replace("i=1$", `i=${cost}$`));
  const costliest = passwordHash.replace("i=1$", "i=10000000$");
  const hashes = ["no hash", passwordHash, ...dear, costliest, "no hash", passwordHash.slice(0, -1)];
  for (const [index, passwordHash] of hashes.entries()) {
    assertEquals(await store.insertUser(userOf(`user${index}`, { passwordHash })), "done");
  }
  assertEquals(await store.hashCosts(), { highestIterations: 10_000_000, unusableCount: 6 });
});

testStores(
  "counts the registrations of each day from midnight to midnight, in UTC, of users that are kept",
  async (store) => {
    const days = { first: Date.parse("2026-11-21") / 86_400_000, count: 3 };
    assertEquals(await store.countRegistrations(days), [0, 0, 0]);
    const dates = [
      "2026-11-20T23:59:59.999Z",
      "2026-11-21T00:00:00.000Z",
      "2026-11-21T23:59:59.999Z",
      "2026-11-23T00:00:00.000Z",
      "2026-11-23T12:00:00.000Z",
      "2026-11-23T23:59:59.999Z",
      "2026-11-24T00:00:00.000Z",
    ];
    for (const [index, date] of dates.entries()) {
      await store.insertUser(userOf(`user${index}`, { registeredAt: Date.parse(date) }));
    }
    assertEquals(await store.countRegistrations(days), [2, 0, 3]);
    assertEquals(await store.countRegistrations({ ...days, count: 1 }), [2]);
    await deleteByLogin(store, "user4");
    assertEquals(await store.countRegistrations(days), [2, 0, 2]);
  },
);

testStores("takes records as they are and shows them all, a batch at a time, each kind in order", async (store) => {
  const records: readonly StoredRecord[] = [
    ...putUsers(userOf("zoe", { id: "1", groups: ["admin", "staff"] }), userOf("bob", { id: "2", disabled: true })),
    ...putUsers(...Array.from({ length: 1_500 }, (_, index) => userOf(`user${index}`, { id: `3${10_000 + index}` }))),
    {
      kind: "put-session",
      session: sessionOf("bob", "s1", { userAgent: "Gerät/1 “ö” \u{1f3f0}", lastSeenAt: 2 ** 41 }),
    },
    { kind: "put-session", session: sessionOf("bob", "s2") },
    { kind: "put-ticket", ticket: ticketOf("t1", { purpose: "setup", expiresAt: Number.MAX_SAFE_INTEGER }) },
    { kind: "put-ticket", ticket: ticketOf("t2", { purpose: "reset", login: "zoe" }) },
    { kind: "put-ticket", ticket: ticketOf("t3", { login: "nobody.yet" }) },
  ];
  assertEquals(await Array.fromAsync(store.records()), []);
  await store.insertRecords(records.toReversed());
  const batches = await Array.fromAsync(store.records());
  assertEquals(batches.flat(), records);
  assert(batches.every(({ length }) => length > 0 && length <= 1_000));

  // They are what the others are.
  assertEquals((await store.findSession("s2"))?.user.login, "bob");
  assertEquals([await store.countAdmins(), (await store.hashCosts()).highestIterations], [1, 1]);
  assertEquals(await store.replaceUser(userOf("bob", { id: "2", disabled: true }), userOf("bob", { id: "2" })), "done");
  assertEquals(await deleteByLogin(store, "zoe"), "last-admin");
  await store.insertUser(userOf("carol", { groups: ["admin"] }));
  assertEquals(await deleteByLogin(store, "zoe"), "done");
  assertEquals([await store.findTicket("t2"), (await store.findTicket("t1"))?.purpose], [undefined, "setup"]);
});

testStores("keeps what it has when records are inserted", async (store) => {
  await insertWithSession(store, "alice");
  await store.insertTicket(ticketOf("t1"));
  const kept = (await Array.fromAsync(store.records())).flat();
  assertEquals(kept.map(({ kind }) => kind), ["put-user", "put-session", "put-ticket"]);
  await store.insertRecords(kept);
  await store.insertRecords([
    ...putUsers(userOf("alice", { id: "another", passwordHash: "another" })),
    { kind: "put-session", session: sessionOf("alice", "session of alice", { lastSeenAt: 1 }) },
    { kind: "put-ticket", ticket: ticketOf("t1", { expiresAt: 1 }) },
  ]);
  assertEquals((await Array.fromAsync(store.records())).flat(), kept);
  await store.insertRecords([...kept, ...putUsers(userOf("carol"))]);
  assertEquals((await store.listUsers({ limit: 9 })).users, [userOf("alice"), userOf("carol")]);
});

testStores("tells how much it keeps", async (store, name) => {
  const { bytes, ...counts } = await store.size();
  assertEquals(counts, { users: 0, sessions: 0 });
  await insertWithSession(store, "alice");
  await insertWithSession(store, "bob");
  await store.deleteSession("session of bob");
  const later = await store.size();
  assertEquals([later.users, later.sessions], [2, 1]);
  // A journal grows with each change, a database by whole pages.
  if (name === "file store") assert(later.bytes > bytes);
  else if ("database" in store) assert(bytes > 0 && later.bytes >= bytes);
  else assertEquals([bytes, later.bytes], [0, 0]);
});

testStores("has no fault while it takes changes", async (store) => {
  assertEquals(await store.fault(), undefined);
});

async function insertWithSession(store: Store, login: string): Promise<void> {
  await store.insertUser(userOf(login));
  await store.insertSession(sessionOf(login, `session of ${login}`), userOf(login));
}

function putUsers(...users: readonly User[]): readonly StoredRecord[] {
  return users.map((user) => ({ kind: "put-user", user }));
}
