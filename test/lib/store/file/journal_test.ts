import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreClosedError, StoreFullError } from "../../../../lib/store.ts";
import { FrameTooLongError } from "../../../../lib/store/file/format.ts";
import { Journal } from "../../../../lib/store/file/journal.ts";
import { readJournal } from "../../../../lib/store/file/folder.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";
import { failNext, logins, openJournal, put } from "../../../support/store/journal.ts";

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

Deno.test("append() splits calls over frames that can be read again, and refuses a call above a frame", async () => {
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
    journal.failure?.startsWith(
      'Cannot change the store until restart: a sync of "simulated/journal-1" failed',
    ),
  );
  assertEquals(applied, ["before"]);
});

Deno.test("close() waits for changes that wait, and takes no more", async () => {
  const { journal, applied } = await openJournal();
  const appended = journal.append([put("alice")]);
  await journal.close();
  await appended;
  assertEquals(applied, ["alice"]);
  await assertRejects(() => journal.append([put("bob")]), StoreClosedError, "it is closed");
  assertEquals(journal.failure, "Cannot change the store as it is closed");
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
