// The promises of lib/store.ts about lists, counts and records, one test each, for every implementation.
import { assert, assertEquals } from "@std/assert";
import type { Store, StoredRecord, User } from "../../../lib/store.ts";
import {
  credentialOf,
  deleteByLogin,
  insertWithSession,
  secretOf,
  sessionOf,
  ticketOf,
  userOf,
} from "../../support/store/records.ts";
import { testStores } from "../../support/store/stores.ts";

testStores("lists users by pages in order of their ids, with the total of the prefix", async (store) => {
  // Inserted in another order than that of the ids, as two registrations at once may be.
  for (const [login, id] of [["bob", "2"], ["al", "1"], ["alice", "4"], ["carol", "3"], ["alan", "5"]] as const) {
    await store.insertUser(userOf(login, { id }));
  }
  const page = async (query: Parameters<Store["listUsers"]>[0]) => {
    const { items: users, total, next } = await store.listUsers(query);
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
    const { items: users, total, next } = await store.listUsers({ limit: 9, ...query });
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
      seen.push(...result.items.map((user) => user.login));
      next = result.next;
      // One that was shown, and one that was not; and a new one.
      await deleteByLogin(store, `user${page}`);
      await deleteByLogin(store, `user${299 - page}`);
      await store.insertUser(userOf(`new${page}`, { id: String(2_000 + page) }));
      await store.insertUser(userOf(`user${page}`, { id: String(3_000 + page) }));
    }
    const throughout = users.slice(100, 200).map((user) => user.login);
    for (const login of throughout) assertEquals(seen.filter((other) => other === login).length, 1, login);
    for (const { login } of (await store.listUsers({ limit: 1_000 })).items) await deleteByLogin(store, login);
  }
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
      kind: "session",
      record: sessionOf("bob", "s1", { userAgent: "Gerät/1 “ö” \u{1f3f0}", lastSeenAt: 2 ** 41 }),
    },
    { kind: "session", record: sessionOf("bob", "s2", { factors: ["password", "totp"], authenticatedAt: 5 }) },
    { kind: "ticket", record: ticketOf("t1", { purpose: "setup", expiresAt: Number.MAX_SAFE_INTEGER }) },
    { kind: "ticket", record: ticketOf("t2", { purpose: "reset", login: "zoe" }) },
    { kind: "ticket", record: ticketOf("t3", { login: "nobody.yet" }) },
    secretOf("decoy"),
    secretOf("other", "k".repeat(64)),
    { kind: "credential", record: credentialOf("bob", "c1", { secret: "k".repeat(4_096) }) },
    { kind: "credential", record: credentialOf("zoe", "c2", { kind: "totp" }) },
  ];
  assertEquals(await Array.fromAsync(store.records()), []);
  await store.insertRecords(records.toReversed());
  const batches = await Array.fromAsync(store.records());
  assertEquals(batches.flat(), records);
  assert(batches.every(({ length }) => length > 0 && length <= 1_000));

  // They are what the others are.
  assertEquals((await store.findSession("s2"))?.user.login, "bob");
  assertEquals([await store.countAdmins(), (await store.hashWorks()).works.map(({ count }) => count)], [1, [1_502]]);
  assertEquals(await store.replaceUser(userOf("bob", { id: "2", disabled: true }), userOf("bob", { id: "2" })), "done");
  assertEquals(await deleteByLogin(store, "zoe"), "last-admin");
  await store.insertUser(userOf("carol", { groups: ["admin"] }));
  assertEquals(await deleteByLogin(store, "zoe"), "done");
  assertEquals([await store.findTicket("t2"), (await store.findTicket("t1"))?.purpose], [undefined, "setup"]);
});

testStores("keeps what it has when records are inserted", async (store) => {
  await insertWithSession(store, "alice");
  await store.insertTicket(ticketOf("t1"));
  await store.ensureSecret({ name: "decoy", value: "one" });
  const kept = (await Array.fromAsync(store.records())).flat();
  assertEquals(kept.map(({ kind }) => kind), ["user", "session", "ticket", "secret"]);
  await store.insertRecords(kept);
  await store.insertRecords([
    ...putUsers(userOf("alice", { id: "another", passwordHash: "another" })),
    { kind: "session", record: sessionOf("alice", "session of alice", { lastSeenAt: 1 }) },
    { kind: "ticket", record: ticketOf("t1", { expiresAt: 1 }) },
    secretOf("decoy", "another"),
  ]);
  assertEquals((await Array.fromAsync(store.records())).flat(), kept);
  await store.insertRecords([...kept, ...putUsers(userOf("carol"))]);
  assertEquals((await store.listUsers({ limit: 9 })).items, [userOf("alice"), userOf("carol")]);
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

function putUsers(...users: readonly User[]): readonly StoredRecord[] {
  return users.map((user) => ({ kind: "user", record: user }));
}
