/** The journal on a full disk. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreFullError } from "../../../../lib/store.ts";
import { type Call, SimulatedDisk } from "../../../support/store/simulated_disk.ts";
import { failNext, logins, openJournal, put } from "../../../support/store/journal.ts";

for (const kind of ["fail", "tear", "late"] as const) {
  Deno.test(`append() on a full disk (${kind}) keeps nothing of the change, and works when there is room`, async () => {
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

  Deno.test(`append() that cannot extend the file (${kind}) keeps nothing, and works when there is room`, async () => {
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
  const deleteOne = () => journal.append([{ kind: "session", deletedKey: `s${deleted}` }]);
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

Deno.test("append() on a full disk lets what only deletes go on beside what does not", async () => {
  const { disk, journal } = await openJournal({ extendBytes: 4_096 });
  disk.errorCode = "ENOSPC";
  disk.script = (call) => isExtension(disk, call) ? "fail" : undefined;
  while (await journal.append([put("alice")]).then(() => true, () => false));
  const outcomes = await Promise.allSettled([
    journal.append([put("bob")]),
    journal.append([{ kind: "session", deletedKey: "s1" }]),
    journal.append([put("carol")]),
  ]);
  assertEquals(outcomes.map((outcome) => outcome.status), ["rejected", "fulfilled", "rejected"]);
});

/** Whether the call is to write behind the end of the file. */
function isExtension(disk: SimulatedDisk, call: Call): boolean {
  return call.kind === "write" && (call.offset ?? 0) >= disk.content(call.name).length;
}
