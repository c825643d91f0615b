/** The journal's change from one generation to the next. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreClosedError } from "../../../../lib/store.ts";
import { readJournal } from "../../../../lib/store/file/folder.ts";
import { failNext, logins, openJournal, put } from "../../../support/store/journal.ts";

Deno.test("rotate() first cuts off a failed write: only the last journal may have a torn frame", async () => {
  const { disk, journal } = await openJournal();
  let writes = 0;
  disk.script = (call) => call.kind !== "write" ? undefined : writes++ === 0 ? "tear" : "fail";
  await assertRejects(() => journal.append([put("torn")]));
  assert(readJournal(disk, 1, () => {}).torn !== undefined);
  disk.script = () => undefined;
  await journal.rotate();
  assertEquals(readJournal(disk.afterPowerCut("everything"), 1, () => {}).torn, undefined);
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

Deno.test("rotate() that cannot sync the folder closes the journal: a power cut may leave the next one", async () => {
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
