import { assertEquals } from "@std/assert";
import { FailureLog } from "../../lib/failure_log.ts";
import { createLog } from "../../lib/log.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "../../lib/store.ts";

function open() {
  const records: Record<string, unknown>[] = [];
  const clock = { now: 1_000_000_000_000 };
  const log = createLog((line) => {
    const { time: _, ...record } = JSON.parse(line);
    records.push(record);
  });
  return { failures: new FailureLog(log, () => clock.now), records, clock };
}

const cause = new Error("No space left on device");

for (const one of [StoreClosedError, StoreFullError, StoreUnavailableError]) {
  Deno.test(`report() tells of a ${one.name} in one warning without a stack, and once a minute while it lasts`, () => {
    const { failures, records, clock } = open();
    const fail = (requestId: string) => {
      failures.report("touch-failed", { requestId, error: new one("Cannot write", { cause }) });
    };
    for (let index = 0; index < 100; index++) fail(`first-${index}`);
    clock.now += 59_999;
    fail("still");
    clock.now += 1;
    for (let index = 0; index < 100; index++) fail(`later-${index}`);
    const warning = { level: "warn", event: "touch-failed", reason: "Cannot write" };
    assertEquals(records, [
      { ...warning, requestId: "first-0" },
      { ...warning, requestId: "later-0", omitted: 100 },
    ]);
  });
}

Deno.test("report() tells at once when the reason changes", () => {
  const { failures, records } = open();
  const errors = [StoreFullError, StoreFullError, StoreClosedError, StoreClosedError, StoreFullError];
  for (const one of errors) failures.report("sweep-failed", { error: new one("no") });
  assertEquals(records.length, 3);
});

Deno.test("report() tells of each event by itself", () => {
  const { failures, records } = open();
  for (const event of ["sweep-failed", "touch-failed", "sweep-failed"]) {
    failures.report(event, { error: new StoreFullError("no") });
  }
  assertEquals(records.map(({ event }) => event), ["sweep-failed", "touch-failed"]);
});

Deno.test("report() goes on after the clock is set back", () => {
  const { failures, records, clock } = open();
  const fail = () => failures.report("touch-failed", { error: new StoreFullError("no") });
  fail();
  clock.now -= 3_600_000;
  fail();
  assertEquals(records.length, 2);
});

Deno.test("report() tells of every other error, with its stack and its causes", () => {
  const { failures, records } = open();
  for (const error of [new TypeError("bug", { cause }), new TypeError("bug", { cause }), "text", undefined]) {
    failures.report("request-failed", { requestId: "r", error });
  }
  assertEquals(records.map(({ level }) => level), Array(4).fill("error"));
  assertEquals(JSON.stringify(records[1]).match(/"name":"TypeError".*"stack":.*No space left/s)?.length, 1);
  assertEquals(records.slice(2).map(({ error }) => error), ["text", undefined]);
});
