// The promises of lib/store.ts about users and tickets, one test each, for every implementation. crash_test.ts tests
// that changes survive crashes.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { deleteByLogin, insertWithSession, secretOf, ticketOf, userOf } from "../../support/store/records.ts";
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

testContended("deletes a user with its sessions, once, and the login is free", async (store) => {
  await insertWithSession(store, "alice");
  const deleted = await Promise.all([store.deleteUser(userOf("alice")), store.deleteUser(userOf("alice"))]);
  assertEquals(deleted.toSorted(), ["done", "missing"]);
  assertEquals(await store.findUser("alice"), undefined);
  assertEquals(await store.findSession("session of alice"), undefined);
  assertEquals(await store.insertUser(userOf("alice", { id: "another" })), "done");
  assertEquals(await store.findSession("session of alice"), undefined);
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

testStores("keeps the last setup ticket for each login and for any, beside all others", async (store) => {
  await store.insertTicket(ticketOf("setup 1", { purpose: "setup" }));
  await store.insertTicket(ticketOf("other"));
  await store.insertTicket(ticketOf("grace 1", { purpose: "setup", login: "grace" }));
  await store.insertTicket(ticketOf("setup 2", { purpose: "setup" }));
  await store.insertTicket(ticketOf("grace 2", { purpose: "setup", login: "grace" }));
  const hashes = ["setup 1", "setup 2", "other", "grace 1", "grace 2"];
  const found = await Promise.all(hashes.map((hash) => store.findTicket(hash)));
  assertEquals(found.map((ticket) => ticket?.secretHash), [undefined, "setup 2", "other", undefined, "grace 2"]);
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

testContended("keeps the first secret of a name, and returns it to every caller", async (store) => {
  const values = Array.from({ length: 20 }, (_, index) => `value ${index}`);
  const returned = await Promise.all(values.map((value) => store.ensureSecret({ name: "decoy", value })));
  const [first = ""] = returned;
  assert(values.includes(first));
  assertEquals(new Set(returned), new Set([first]));
  assertEquals(await store.ensureSecret({ name: "other", value: "another" }), "another");
  assertEquals(await store.ensureSecret({ name: "decoy", value: "later" }), first);
  const records = (await Array.fromAsync(store.records())).flat();
  assertEquals(records, [secretOf("decoy", first), secretOf("other", "another")]);
});

testStores("has no fault while it takes changes", async (store) => {
  assertEquals(await store.failure(), undefined);
});
