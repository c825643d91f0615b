import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Change, StoreClosedError, StoreFullError } from "../../../../lib/store.ts";
import { FrameTooLongError } from "../../../../lib/store/file/format.ts";
import { Journal, type JournalOptions } from "../../../../lib/store/file/journal.ts";
import { readJournal } from "../../../../lib/store/file/folder.ts";
import { createJournal } from "../../../../lib/store/file/journal_file.ts";
import { userOf } from "../../../support/store/records.ts";
import { type Call, type Fault, SimulatedDisk } from "../../../support/store/simulated_disk.ts";

Deno.test("append() applies a change once it is on the disk, and not before", async () => {
  const { disk, journal, applied } = await openJournal();
  const appended = journal.append([put("alice")]);
  assertEquals(applied, []);
  await appended;
  assertEquals(applied, ["alice"]);
  assertEquals(logins(disk.afterPowerCut("nothing"), 1), ["alice"]);
});

Deno.test("append() lets changes that arrive during a sync share one write and one sync", async () => {
  const { disk, journal, applied } = await openJournal({ extendBytes: 65_536 });
  const first = journal.append([put("user0")]);
  const others = Array.from({ length: 100 }, (_, index) => journal.append([put(`user${index + 1}`)]));
  disk.calls.length = 0;
  await Promise.all([first, ...others]);
  assertEquals(disk.calls.map((call) => call.kind), ["write", "sync", "write", "sync"]);
  assertEquals(applied, Array.from({ length: 101 }, (_, index) => `user${index}`));
  assertEquals(logins(disk, 1), applied);
});

Deno.test("append() never tears the changes of one call apart, however many", async () => {
  const { disk, journal } = await openJournal();
  const many = Array.from({ length: 5_000 }, (_, index) => put(`user${index}`));
  await Promise.all([journal.append(many), journal.append(many)]);
  assertEquals(framesOf(disk).map(({ changeCount }) => changeCount), [5_000, 5_000]);
});

Deno.test("append() splits calls over frames that can be read again, and refuses a call that fits into none", async () => {
  const { disk, journal, applied } = await openJournal({ extendBytes: 4_096, maxFrameBytes: 2_048 });
  const small = Array.from({ length: 40 }, (_, index) => [put(`user${index}`), put(`other${index}`)]);
  const large = Array.from({ length: 40 }, (_, index) => put(`large${index}`));
  // The first goes out alone; all others wait for it, and would share a frame.
  const calls = [...small.slice(0, 20), large, ...small.slice(20)];
  const outcomes = await Promise.allSettled(calls.map((changes) => journal.append(changes)));
  const refused = outcomes.flatMap((outcome, index) => outcome.status === "rejected" ? [[index, outcome.reason]] : []);
  assertEquals(refused.map(([index]) => index), [20]);
  assert(refused[0]?.[1] instanceof FrameTooLongError);
  assertEquals(applied, Array.from({ length: 40 }, (_, index) => [`user${index}`, `other${index}`]).flat());
  assertEquals(logins(disk, 1), applied);
  const frames = framesOf(disk);
  assert(frames.length < 41 && frames.every(({ bytes }) => bytes <= 2_048), JSON.stringify(frames));
  await journal.append([put("later")]);
  assertEquals(logins(disk.afterPowerCut("nothing"), 1).at(-1), "later");
});

Deno.test("append() takes up the work again after a pause", async () => {
  const { journal, applied } = await openJournal();
  for (const login of ["a", "b", "c"]) await journal.append([put(login)]);
  assertEquals(applied, ["a", "b", "c"]);
});

Deno.test("append() extends the file by synced zeros, so that zeros always follow the last frame", async () => {
  const { disk, journal } = await openJournal({ extendBytes: 512 });
  for (let index = 0; index < 20; index++) {
    await journal.append([put(`user${index}`)]);
    const after = disk.afterPowerCut("nothing");
    assertEquals(logins(after, 1).length, index + 1);
    assertEquals(after.content("journal-1").length % 512, 0);
  }
});

for (const kind of ["fail", "tear", "late"] as const) {
  Deno.test(`append() on a full disk (${kind}) keeps nothing of the change, and goes on when there is room`, async () => {
    const { disk, journal, applied } = await openJournal();
    await journal.append([put("before")]);
    disk.errorCode = "ENOSPC";
    failNext(disk, "write", kind);
    await assertRejects(() => journal.append([put("refused")]), StoreFullError, "disk is full (ENOSPC)");
    assertEquals(logins(disk.afterPowerCut("everything"), 1), ["before"]);
    await journal.append([put("after")]);
    assertEquals(applied, ["before", "after"]);
    assertEquals(logins(disk.afterPowerCut("nothing"), 1), ["before", "after"]);
  });

  Deno.test(`append() that cannot extend the file (${kind}) keeps nothing, and goes on when there is room`, async () => {
    const { disk, journal, applied } = await openJournal({ extendBytes: 512 });
    disk.errorCode = "EDQUOT";
    await journal.append([put("first")]);
    const size = disk.content("journal-1").length;
    disk.script = (call) => call.kind === "write" ? kind : undefined;
    const refused = Array.from({ length: 5 }, (_, index) => put(`refused${index}`));
    await assertRejects(() => journal.append(refused), StoreFullError, "Cannot extend the journal");
    assertEquals(disk.content("journal-1").length, size);
    disk.script = () => undefined;
    await journal.append([put("after")]);
    assertEquals(applied, ["first", "after"]);
    assertEquals(logins(disk.afterPowerCut("nothing"), 1), ["first", "after"]);
  });
}

Deno.test("append() on a full disk goes on with changes that only delete, until the reserve is used up", async () => {
  const { disk, journal, applied } = await openJournal({ extendBytes: 4_096 });
  disk.errorCode = "ENOSPC";
  disk.script = (call) => call.kind === "truncate" ? undefined : isExtension(disk, call) ? "fail" : undefined;
  const put1 = () => journal.append([put("alice")]);
  while (await put1().then(() => true, () => false));
  await assertRejects(put1, StoreFullError);
  let deleted = 0;
  const deleteOne = () => journal.append([{ kind: "delete-session", id: `s${deleted}` }]);
  while (await deleteOne().then(() => true, () => false)) deleted++;
  // A quarter of 4,096 bytes in frames of 48.
  assert(deleted > 15 && deleted < 30, `${deleted} deleted`);
  await assertRejects(deleteOne, StoreFullError);
  disk.script = () => undefined;
  await put1();
  assertEquals(logins(disk.afterPowerCut("nothing"), 1).length, applied.length);
});

for (const code of ["ENOSPC", "EDQUOT", "EFBIG"]) {
  Deno.test(`append() knows ${code} for a full disk`, async () => {
    const { disk, journal } = await openJournal();
    disk.errorCode = code;
    failNext(disk, "write", "fail");
    await assertRejects(() => journal.append([put("alice")]), StoreFullError, `disk is full (${code})`);
  });
}

for (const number of [27, 28, 122, 69]) {
  Deno.test(`append() knows number ${number} of an error without a code for a full disk`, async () => {
    const { disk, journal } = await openJournal();
    disk.errorCode = undefined;
    disk.errorText = `(os error ${number})`;
    failNext(disk, "write", "fail");
    await assertRejects(() => journal.append([put("alice")]), StoreFullError, "disk is full");
  });
}

Deno.test("append() knows a full disk by its number too, as Deno gives some errors no code", async () => {
  const { disk, journal } = await openJournal();
  disk.errorCode = undefined;
  disk.errorText = "File too large (os error 27)";
  failNext(disk, "write", "fail");
  await assertRejects(() => journal.append([put("alice")]), StoreFullError, "disk is full (os error 27)");
  disk.errorText = "Input/output error (os error 5)";
  failNext(disk, "write", "fail");
  const error = await assertRejects(() => journal.append([put("alice")]), Error, "os error 5");
  assert(!(error instanceof StoreFullError));
});

Deno.test("append() refuses what could not be read again, and goes on", async () => {
  const { disk, journal, applied } = await openJournal();
  await assertRejects(() => journal.append([put("with a space")]), TypeError, "the login in row 0");
  await journal.append([put("after")]);
  assertEquals(applied, ["after"]);
  assertEquals(logins(disk.afterPowerCut("nothing"), 1), ["after"]);
});

Deno.test("append() that can neither write nor cut back cuts back before the next frame", async () => {
  const { disk, journal, applied } = await openJournal();
  disk.errorCode = "EFBIG";
  disk.script = (call) => call.kind === "write" ? "tear" : undefined;
  await assertRejects(() => journal.append([put("torn"), put("torn-too")]), StoreFullError);
  await assertRejects(() => journal.append([put("refused")]), StoreFullError, "Cannot write to the journal");
  disk.script = () => undefined;
  await journal.append([put("after")]);
  assertEquals(applied, ["after"]);
  assertEquals(logins(disk.afterPowerCut("nothing"), 1), ["after"]);
});

Deno.test("rotate() first cuts back what a failed write left: only in the last journal may a frame be torn", async () => {
  const { disk, journal } = await openJournal();
  let writes = 0;
  disk.script = (call) => call.kind !== "write" ? undefined : writes++ === 0 ? "tear" : "fail";
  await assertRejects(() => journal.append([put("torn")]));
  assert(readJournal(disk, 1, () => {}).torn !== undefined);
  disk.script = () => undefined;
  await journal.rotate();
  assertEquals(readJournal(disk.afterPowerCut("everything"), 1, () => {}).torn, undefined);
});

Deno.test("append() hands on an error that is not of a full disk, and goes on", async () => {
  const { disk, journal, applied } = await openJournal();
  failNext(disk, "write", "tear");
  const error = await assertRejects(() => journal.append([put("refused")]), Error, "failed");
  assert(!(error instanceof StoreFullError) && !(error instanceof StoreClosedError));
  await journal.append([put("after")]);
  assertEquals(applied, ["after"]);
});

Deno.test("append() after a failed sync is refused until restart, and nothing of it is applied", async () => {
  const { disk, journal, applied } = await openJournal();
  await journal.append([put("before")]);
  failNext(disk, "sync", "fail");
  const first = journal.append([put("unsure")]);
  const waiting = journal.append([put("waiting")]);
  await assertRejects(
    () => first,
    StoreClosedError,
    'until restart: a sync of "simulated/journal-1" failed',
  );
  await assertRejects(() => waiting, StoreClosedError);
  await assertRejects(() => journal.append([put("later")]), StoreClosedError);
  await assertRejects(() => journal.rotate(), StoreClosedError);
  assert(
    journal.fault?.startsWith(
      'Cannot change the store until restart: a sync of "simulated/journal-1" failed',
    ),
  );
  assertEquals(applied, ["before"]);
});

Deno.test("rotate() that waits behind a failed sync is refused too", async () => {
  const { disk, journal } = await openJournal();
  failNext(disk, "sync", "fail");
  const outcomes = await Promise.allSettled([journal.append([put("unsure")]), journal.rotate()]);
  for (const outcome of outcomes) {
    assert(outcome.status === "rejected" && outcome.reason instanceof StoreClosedError);
  }
  assertEquals(disk.list(), ["journal-1"]);
});

Deno.test("rotate() sends later changes to the next generation and applies all earlier ones", async () => {
  const { disk, journal, applied } = await openJournal();
  const before = journal.append([put("before")]);
  const rotated = journal.rotate();
  const after = journal.append([put("after")]);
  assertEquals(await rotated, { generation: 2, changesBefore: 1 });
  assertEquals(applied.includes("before"), true);
  await Promise.all([before, after]);
  await journal.append([put("last")]);
  const found = disk.afterPowerCut("nothing");
  assertEquals([...logins(found, 1), ...logins(found, 2)], ["before", "after", "last"]);
  assertEquals(logins(found, 2).at(-1), "last");
});

Deno.test("rotate() on a full disk fails, and the present generation goes on", async () => {
  const { disk, journal, applied } = await openJournal();
  disk.errorCode = "ENOSPC";
  for (const kind of ["create", "write"] as const) {
    failNext(disk, kind, "fail");
    await assertRejects(() => journal.rotate(), StoreFullError, "Cannot create the journal");
    assertEquals(disk.list(), ["journal-1"]);
  }
  await journal.append([put("after")]);
  assertEquals([applied, logins(disk.afterPowerCut("nothing"), 1)], [["after"], ["after"]]);
});

Deno.test("rotate() that cannot sync the folder closes the journal: the next one may be there after a power cut", async () => {
  const { disk, journal, applied } = await openJournal();
  await journal.append([put("before")]);
  failNext(disk, "syncFolder", "fail");
  await assertRejects(() => journal.rotate(), StoreClosedError, "until restart");
  await assertRejects(() => journal.append([put("later")]), StoreClosedError);
  assertEquals(applied, ["before"]);
});

Deno.test("rotate() whose rename fails after it was done closes the journal", async () => {
  const { disk, journal } = await openJournal();
  await journal.append([put("before")]);
  failNext(disk, "rename", "late");
  await assertRejects(() => journal.rotate(), StoreClosedError, "until restart");
  await assertRejects(() => journal.append([put("later")]), StoreClosedError);
  const left = disk.afterPowerCut("everything");
  assertEquals([logins(left, 1), logins(left, 2)], [["before"], []]);
});

Deno.test("rotate() that cannot create a file fails, and the present generation goes on", async () => {
  const { disk, journal, applied } = await openJournal();
  failNext(disk, "create", "fail");
  await assertRejects(() => journal.rotate(), Error, "failed");
  await journal.append([put("after")]);
  assertEquals([applied, logins(disk.afterPowerCut("nothing"), 1)], [["after"], ["after"]]);
});

Deno.test("append() on a full disk lets what only deletes go on beside what does not", async () => {
  const { disk, journal } = await openJournal({ extendBytes: 4_096 });
  disk.errorCode = "ENOSPC";
  disk.script = (call) => isExtension(disk, call) ? "fail" : undefined;
  while (await journal.append([put("alice")]).then(() => true, () => false));
  const outcomes = await Promise.allSettled([
    journal.append([put("bob")]),
    journal.append([{ kind: "delete-session", id: "s1" }]),
    journal.append([put("carol")]),
  ]);
  assertEquals(outcomes.map((outcome) => outcome.status), ["rejected", "fulfilled", "rejected"]);
});

Deno.test("close() waits for changes that wait, and takes no more", async () => {
  const { journal, applied } = await openJournal();
  const appended = journal.append([put("alice")]);
  await journal.close();
  await appended;
  assertEquals(applied, ["alice"]);
  await assertRejects(() => journal.append([put("bob")]), StoreClosedError, "it is closed");
  assertEquals(journal.fault, "Cannot change the store as it is closed");
});

Deno.test("Journal.open() goes on behind the last frame", async () => {
  const { disk, journal } = await openJournal();
  await journal.append([put("alice")]);
  await journal.close();
  const again = new Journal(disk, readJournal(disk, 1, () => {}), { apply: () => {}, extendBytes: 4096 });
  assertEquals(again.bytes, journal.bytes);
  await again.append([put("bob")]);
  assertEquals(logins(disk.afterPowerCut("nothing"), 1), ["alice", "bob"]);
});

Deno.test("append() tells how long each sync took, and nothing of one that failed", async () => {
  const seconds: number[] = [];
  const { disk, journal } = await openJournal({ extendBytes: 4096, onSync: (took) => seconds.push(took) });
  await journal.append([put("alice")]);
  assertEquals(seconds.length, 1);
  await journal.rotate();
  await journal.append([put("bob")]);
  assertEquals(seconds.length, 2);
  assert(seconds.every((took) => took >= 0 && took < 10));
  failNext(disk, "sync", "fail");
  await assertRejects(() => journal.append([put("carol")]), StoreClosedError);
  assertEquals(seconds.length, 2);
});

/** The frames of the first journal, as their headers have them. */
function framesOf(disk: SimulatedDisk): { readonly bytes: number; readonly changeCount: number }[] {
  const frames: { bytes: number; changeCount: number }[] = [];
  const content = disk.content("journal-1");
  for (let at = 32; new DataView(content.buffer).getUint32(at, true) !== 0;) {
    const view = new DataView(content.buffer, at);
    const bytes = Math.ceil((view.getUint32(0, true) + 17) / 16) * 16;
    frames.push({ bytes, changeCount: view.getUint32(8, true) });
    at += bytes;
  }
  return frames;
}

async function openJournal(options: Partial<JournalOptions> & { extendBytes: number } = { extendBytes: 4096 }) {
  const disk = new SimulatedDisk();
  const applied: string[] = [];
  const apply = (change: Change) => void applied.push(change.kind === "put-user" ? change.user.login : change.kind);
  await createJournal(disk, { generation: 1, changesBefore: 0 }, options.extendBytes);
  const journal = new Journal(disk, readJournal(disk, 1, apply), { apply, ...options });
  return { disk, journal, applied };
}

function put(login: string): Change {
  return { kind: "put-user", user: userOf(login) };
}

function logins(disk: SimulatedDisk, generation: number): string[] {
  const found: string[] = [];
  readJournal(
    disk,
    generation,
    (change) => void found.push(change.kind === "put-user" ? change.user.login : "?"),
  );
  return found;
}

/** The next call of that kind fails, and no other. */
function failNext(disk: SimulatedDisk, kind: Call["kind"], fault: Fault): void {
  let isDone = false;
  disk.script = (call) => {
    if (isDone || call.kind !== kind) return undefined;
    isDone = true;
    return fault;
  };
}

/** Whether the call is to write behind the end of the file. */
function isExtension(disk: SimulatedDisk, call: Call): boolean {
  return call.kind === "write" && (call.offset ?? 0) >= disk.content(call.name).length;
}
