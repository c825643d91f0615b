import { assert, assertEquals, assertObjectMatch, assertRejects } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import { type Store, StoreClosedError, StoreFullError } from "../../../../lib/store.ts";
import { type Disk, realDisk } from "../../../../lib/store/file/disk.ts";
import { type FileStoreOptions, openFileStore } from "../../../../lib/store/file/file_store.ts";
import { CorruptFileError } from "../../../../lib/store/file/file_header.ts";
import { deleteByLogin, sessionOf, ticketOf, userOf } from "../../../support/store/records.ts";
import { StoreLockedError } from "../../../../lib/store/file/store_folder.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const small = { extendBytes: 1024, minCompactBytes: 2048 };

Deno.test("a file store keeps users and sessions over a restart", async () => {
  const path = await Deno.makeTempDir();
  const alice = userOf("alice", { groups: ["admin"] });
  const session = sessionOf("alice", "s1");
  {
    await using store = await openFolder(path);
    await store.insertUser(alice);
    await store.insertSession(session, alice);
    await store.insertUser(userOf("bob"));
    await deleteByLogin(store, "bob");
    await store.insertTicket(ticketOf("t1"));
  }
  await using store = await openFolder(path);
  assertEquals(await store.findUser("alice"), alice);
  assertEquals((await store.findSession("s1"))?.session, session);
  assertEquals(await store.findUser("bob"), undefined);
  assertEquals(await store.findTicket("t1"), ticketOf("t1"));
  assertObjectMatch(await store.size(), { users: 1, sessions: 1 });
});

Deno.test("openFileStore() makes the folder, for its own user alone", async () => {
  const path = `${await Deno.makeTempDir()}/a/b`;
  await using store = await openFolder(path);
  await store.insertUser(userOf("alice"));
  assertEquals((await Deno.stat(path)).mode, 0o40700);
  for (const name of ["lock", "journal-1"]) assertEquals((await Deno.stat(`${path}/${name}`)).mode, 0o100600);
});

Deno.test("openFileStore() refuses a folder that another holds, and says which process", async () => {
  const path = await Deno.makeTempDir();
  const message = `Cannot open store "${path}" as it is locked: process ${Deno.pid} holds it`;
  {
    await using _store = await openFolder(path);
    await assertRejects(() => openFolder(path), StoreLockedError, message);
  }
  await using _store = await openFolder(path);
});

Deno.test("openFileStore() gives the lock back when the folder is damaged", async () => {
  const path = await Deno.makeTempDir();
  await Deno.writeFile(`${path}/journal-1`, new Uint8Array(100));
  await assertRejects(() => openFolder(path), CorruptFileError, `${path}/journal-1`);
  await Deno.remove(`${path}/journal-1`);
  await using _store = await openFolder(path);
});

Deno.test("openFileStore() cuts a torn tail, logs where and how much, and goes on", async () => {
  const disk = new SimulatedDisk();
  const store = await open(disk);
  await store.insertUser(userOf("alice"));
  disk.script = (call) => call.kind === "write" ? "cut" : undefined;
  await assertRejects(() => store.insertUser(userOf("torn")));

  const lines: string[] = [];
  const after = disk.afterPowerCut("everything");
  const again = await open(after, { log: createLog((line) => lines.push(line)) });
  const { event, file, offset, bytes } = JSON.parse(lines[0] ?? "{}");
  assertEquals([event, file, offset], ["torn-tail-cut", "simulated/journal-1", 32 + 208]);
  assert(bytes > 0 && bytes < 208);
  assertEquals([await again.findUser("torn"), lines.length], [undefined, 1]);
  await again.insertUser(userOf("bob"));

  const last = await open(after.afterPowerCut("nothing"));
  assertEquals((await last.size()).users, 2);
});

Deno.test("a file store writes a snapshot when the journal outgrows the last, and removes old files", async () => {
  const disk = new SimulatedDisk();
  const store = await open(disk, small);
  for (let index = 0; index < 60; index++) {
    await store.insertUser(userOf(`user${index}`));
    assert(disk.list().length <= 6, `${disk.list()}`);
  }
  await store[Symbol.asyncDispose]();
  const [journal, snapshot] = disk.list().sort();
  assert(disk.list().length === 2 && journal?.startsWith("journal-") && snapshot?.startsWith("snapshot-"));
  // 60 users of 208 bytes in journals of 2 KiB or as much as the snapshot: some four snapshots, not sixty.
  const generation = Number(journal?.slice("journal-".length));
  assert(generation > 2 && generation < 10, `generation ${generation}`);
  const again = await open(disk.afterPowerCut("nothing"));
  for (let index = 0; index < 60; index++) assert(await again.findUser(`user${index}`) !== undefined);
});

Deno.test("a file store takes changes while a snapshot is written, and loses none", async () => {
  const disk = new SimulatedDisk();
  const store = await open(disk, small);
  const logins = Array.from({ length: 300 }, (_, index) => `user${index}`);
  for (let start = 0; start < 300; start += 10) {
    await Promise.all(logins.slice(start, start + 10).map((login) => store.insertUser(userOf(login))));
  }
  assert(disk.list().some((name) => name.startsWith("snapshot-")));
  const again = await open(disk.afterPowerCut("nothing"));
  for (const login of logins) assert(await again.findUser(login) !== undefined, login);
});

Deno.test("a file store that cannot write a snapshot logs it, loses nothing, and retries later", async () => {
  const disk = new SimulatedDisk();
  const lines: string[] = [];
  const store = await open(disk, { ...small, log: createLog((line) => lines.push(line)) });
  disk.script = (call) => call.name.startsWith("snapshot") && call.kind === "write" ? "fail" : undefined;
  for (let index = 0; index < 60; index++) await store.insertUser(userOf(`user${index}`));
  const failures = lines.filter((line) => line.includes('"compaction-failed"')).length;
  assert(failures > 1 && failures < 10, `${failures} failures`);
  assertEquals(await userCountOf(disk.afterPowerCut("nothing")), 60);

  disk.script = () => undefined;
  await store[Symbol.asyncDispose]();
  assertEquals(disk.list().length, 2);
  assertEquals(await userCountOf(disk.afterPowerCut("nothing")), 60);
});

Deno.test("a file store that is closed without a change writes no snapshot", async () => {
  const disk = new SimulatedDisk();
  {
    await using store = await open(disk);
    await store.insertUser(userOf("alice"));
  }
  const names = disk.list();
  {
    await using _store = await open(disk);
  }
  assertEquals(disk.list(), names);
});

Deno.test("a file store that is closed during changes finishes them, and compacts once at a time", async () => {
  const disk = new SimulatedDisk();
  const store = await open(disk, { ...small, minCompactBytes: 1 });
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 5 }, (_, index) => store.insertUser(userOf(`r${round}-${index}`))));
  }
  const late = Array.from({ length: 20 }, (_, index) => store.insertUser(userOf(`late${index}`)));
  await store[Symbol.asyncDispose]();
  const outcomes = await Promise.allSettled(late);
  const kept = outcomes.filter((outcome) => outcome.status === "fulfilled").length;
  assertEquals(await userCountOf(disk.afterPowerCut("nothing")), 25 + kept);
  assertEquals(disk.list().filter((name) => name.startsWith("snapshot-")).length, 1);
});

Deno.test("a file store that is closed during a change waits for it, then releases file and folder", async () => {
  const disk = new SimulatedDisk();
  const events: string[] = [];
  const { openToWrite } = disk;
  Object.assign(disk, {
    lock: () => Promise.resolve({ [Symbol.dispose]: () => events.push("unlock") }),
    openToWrite: (name: string) => ({ ...openToWrite.call(disk, name), [Symbol.dispose]: () => events.push("close") }),
  });
  const store = await open(disk);
  const writing = Promise.withResolvers<void>();
  disk.script = ({ kind }) => {
    events.push(kind);
    writing.resolve();
    return undefined;
  };
  const change = store.insertUser(userOf("alice"));
  await writing.promise;
  await store[Symbol.asyncDispose]();
  assertEquals(await change, "done");
  assertEquals(events, ["write", "sync", "close", "unlock"]);
  assertEquals(await userCountOf(disk.afterPowerCut("nothing")), 1);
});

Deno.test("a file store without a snapshot after a stop begins no other journal at the next one", async () => {
  const disk = new SimulatedDisk();
  for (let stop = 0; stop < 4; stop++) {
    const store = await open(disk);
    if (stop === 0) await store.insertUser(userOf("alice"));
    disk.script = (call) => call.name.startsWith("snapshot") ? "fail" : undefined;
    await store[Symbol.asyncDispose]();
    disk.script = () => undefined;
  }
  assertEquals(disk.list().sort(), ["journal-1", "journal-2"]);
});

Deno.test("a file store on a full disk refuses changes, still reads, and recovers when there is room", async () => {
  const disk = new SimulatedDisk();
  await using store = await open(disk);
  await store.insertUser(userOf("alice"));
  disk.errorCode = "ENOSPC";
  disk.script = (call) => call.kind === "write" ? "fail" : undefined;
  await assertRejects(() => store.insertUser(userOf("bob")), StoreFullError);
  assertEquals([await store.findUser("bob"), await store.failure()], [undefined, undefined]);
  assert(await store.findUser("alice") !== undefined);
  // A login goes on, and lasts until a restart.
  assert(await store.insertSession(sessionOf("alice", "s1"), userOf("alice")));
  assertEquals((await store.findSession("s1"))?.session, sessionOf("alice", "s1"));
  const restarted = await open(disk.afterPowerCut("everything"));
  assertObjectMatch(await restarted.size(), { users: 1, sessions: 0 });
  disk.script = () => undefined;
  assertEquals(await store.insertUser(userOf("bob")), "done");
});

Deno.test("a file store whose sync failed says so, still reads, and writes no snapshot when it is closed", async () => {
  const disk = new SimulatedDisk();
  const store = await open(disk);
  await store.insertUser(userOf("alice"));
  disk.script = (call) => call.kind === "sync" ? "fail" : undefined;
  await assertRejects(() => store.insertUser(userOf("bob")), StoreClosedError);
  await assertRejects(() => store.insertSession(sessionOf("alice", "s1"), userOf("alice")), StoreClosedError);
  assert((await store.failure())?.includes("sync"));
  assertEquals([(await store.findUser("alice"))?.login, await store.findUser("bob")], ["alice", undefined]);
  disk.script = () => undefined;
  await store[Symbol.asyncDispose]();
  assertEquals(disk.list(), ["journal-1"]);
});

Deno.test("a file store takes at most 170 bytes a user of 12 letters on disk, 20,000 of them", async () => {
  const path = await Deno.makeTempDir();
  {
    await using store = await openFolder(path);
    const hash = `$pbkdf2-sha256$i=600000$${"s".repeat(22)}$${"h".repeat(43)}`;
    await Promise.all(
      Array.from(
        { length: 20_000 },
        (_, index) => store.insertUser(userOf(`user${String(index).padStart(8, "0")}`, { passwordHash: hash })),
      ),
    );
  }
  const snapshot = realDisk(path).list().find((name) => name.startsWith("snapshot-")) ?? "";
  assert((await Deno.stat(`${path}/${snapshot}`)).size <= 170 * 20_000);
});

function open(disk: Disk, options: Partial<FileStoreOptions> = {}): Promise<Store> {
  return openFileStore(disk.path, { disk, log: createLog(() => {}), extendBytes: 1024, ...options });
}

function openFolder(path: string): Promise<Store> {
  return openFileStore(path, { log: createLog(() => {}), extendBytes: 4096 });
}

/** How many users a disk holds. */
async function userCountOf(disk: Disk): Promise<number> {
  return (await (await open(disk)).size()).users;
}
