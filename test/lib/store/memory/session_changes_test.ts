import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import { type Change, type Store, type StoredRecord, StoreFullError } from "../../../../lib/store.ts";
import { openFileStore } from "../../../../lib/store/file/file_store.ts";
import { FrameTooLongError } from "../../../../lib/store/file/format.ts";
import { TableStore } from "../../../../lib/store/memory/table_store.ts";
import { memoryStorage, Tables } from "../../../../lib/store/memory/tables.ts";
import { sessionOf, sessionsIn, userOf } from "../../../support/store/records.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const alice = userOf("alice");

/** Sessions of alice, each seen later than the one before. */
function putsOf(count: number): StoredRecord[] {
  return Array.from({ length: count }, (_, index): StoredRecord => ({
    kind: "session",
    record: sessionOf("alice", `s${index}`, { lastSeenAt: index }),
  }));
}

/** A store of alice with sessions, which shows what it commits; `fault` is thrown in its place. */
function openWatched(sessionCount: number) {
  const tables = new Tables();
  for (const change of [{ kind: "user", record: alice } as const, ...putsOf(sessionCount)]) tables.apply(change);
  const commits: (readonly Change[])[] = [];
  const state: { fault?: Error } = {};
  const store = new TableStore({
    ...memoryStorage(tables),
    commit(changes) {
      if (state.fault !== undefined) return Promise.reject(state.fault);
      commits.push(changes);
      for (const change of changes) tables.apply(change);
      return Promise.resolve();
    },
  });
  return { store, commits, state };
}

Deno.test("insertSession() ends the surplus in the same change", async () => {
  const { store, commits } = openWatched(5);
  const session = sessionOf("alice", "new");
  assert(await store.insertSession(session, alice, { maxSessions: 4 }));
  const ended = ["s0", "s1"].map((id): Change => ({ kind: "session", deletedKey: id }));
  assertEquals(commits, [[{ kind: "session", record: session }, ...ended]]);
});

Deno.test("insertSession() below the limit ends nothing", async () => {
  const { store, commits } = openWatched(4);
  const session = sessionOf("alice", "new");
  assert(await store.insertSession(session, alice, { maxSessions: 5 }));
  assertEquals(commits, [[{ kind: "session", record: session }]]);
});

Deno.test("insertSession() on a full disk keeps to the limit in memory", async () => {
  const { store, state } = openWatched(3);
  state.fault = new StoreFullError("no room");
  for (const id of ["n1", "n2"]) {
    assert(await store.insertSession(sessionOf("alice", id), alice, { maxSessions: 3 }));
  }
  assertEquals((await sessionsIn(store, "alice")).map(({ id }) => id), ["n1", "n2", "s2"]);
});

Deno.test("insertSession() of a store that takes no changes ends nothing", async () => {
  const { store, state } = openWatched(3);
  state.fault = new Error("closed");
  await assertRejects(() => store.insertSession(sessionOf("alice", "new"), alice, { maxSessions: 3 }), Error, "closed");
  assertEquals((await sessionsIn(store, "alice")).length, 3);
});

const ends: Record<string, (store: Store) => Promise<unknown>> = {
  "insertSession()": (store) => store.insertSession(sessionOf("alice", "new"), alice, { maxSessions: 1 }),
  "deleteSessions()": (store) => store.deleteSessions("alice"),
  "replaceUser()": (store) => store.replaceUser(alice, { ...alice, passwordHash: "new" }, { keepSessionId: "" }),
  "replaceUser() that disables": (store) => store.replaceUser(alice, { ...alice, disabled: true }),
  "deleteUser()": (store) => store.deleteUser(alice),
  "deleteExpiredSessions()": (store) => store.deleteExpiredSessions({ lastSeenUntil: 9_999, createdUntil: 0 }),
};

for (const [name, end] of Object.entries(ends)) {
  Deno.test(`${name} writes no frame that is too long to be read, of however many sessions`, async () => {
    const disk = new SimulatedDisk();
    // A tenth of what the deletions take as one change: some 14 bytes each.
    const options = { log: createLog(() => {}), disk, maxFrameBytes: 32_768, minCompactBytes: 2 ** 30 };
    await using store = await openFileStore("data", options);
    await store.insertUser(alice);
    const puts = putsOf(5_000);
    for (let start = 0; start < puts.length; start += 100) await store.insertRecords(puts.slice(start, start + 100));
    await end(store);
    const left = await sessionsIn(store, "alice");
    assertEquals(left.length, name === "insertSession()" ? 1 : 0);
    await using again = await openFileStore("data", { ...options, disk: disk.afterPowerCut("nothing") });
    assertEquals(await sessionsIn(again, "alice"), left);
  });
}

Deno.test("deleteExpiredSessions() deletes no session that is seen while it looks", async () => {
  await using store = await openFileStore("data", { log: createLog(() => {}), disk: new SimulatedDisk() });
  await store.insertUser(alice);
  await store.insertRecords(putsOf(3));
  const touched = store.touchSession("s1", 500);
  assertEquals(await store.deleteExpiredSessions({ lastSeenUntil: 100, createdUntil: 0 }), 2);
  await touched;
  assertEquals((await sessionsIn(store, "alice")).map(({ id }) => id), ["s1"]);
});

Deno.test("insertRecords() of more than a frame can have is refused, and nothing of it is kept", async () => {
  const disk = new SimulatedDisk();
  await using store = await openFileStore("data", { log: createLog(() => {}), disk, maxFrameBytes: 4_096 });
  await store.insertUser(alice);
  await assertRejects(() => store.insertRecords(putsOf(1_000)), FrameTooLongError);
  assertEquals(await sessionsIn(store, "alice"), []);
  await store.insertRecords(putsOf(5));
  assertEquals((await sessionsIn(store, "alice")).length, 5);
});
