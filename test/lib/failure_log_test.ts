import { assert, assertEquals } from "@std/assert";
import { FailureLog } from "../../lib/failure_log.ts";
import { createLog } from "../../lib/log.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "../../lib/store.ts";

/** A failure log over a store whose answer, and a clock whose time, are set by hand. */
function open() {
  const records: Record<string, unknown>[] = [];
  const clock = { now: 1_000_000_000_000 };
  const store = { answer: undefined as string | undefined, failure: () => Promise.resolve(store.answer) };
  const log = createLog((line) => {
    const { time: _, ...record } = JSON.parse(line);
    records.push(record);
  });
  return { failures: new FailureLog({ store, log, now: () => clock.now }), records, clock, store };
}

const cause = new Error("No space left on device");

for (const type of [StoreClosedError, StoreUnavailableError]) {
  Deno.test(`report() logs one line without a stack for an outage, whatever fails of it: ${type.name}`, async () => {
    const { failures, records, clock, store } = open();
    const fail = (event: string, fields = {}) => {
      failures.report(event, { ...fields, error: new type("Cannot write", { cause }) });
    };
    for (let index = 0; index < 100; index++) fail("request-failed", { requestId: `r${index}` });
    store.answer = "The database cannot be reached";
    for (const event of ["sweep-failed", "check-failed", "counts-failed", "touch-failed"]) fail(event);
    for (let minute = 0; minute < 3; minute++) {
      clock.now += 60_000;
      fail("request-failed");
      assertEquals(await failures.isStoreReady(), false);
    }
    const start = { level: "error", event: "store-not-ready", reason: "Cannot write", requestId: "r0" };
    assertEquals(records, [start]);
    store.answer = undefined;
    for (let probe = 0; probe < 3; probe++) assertEquals(await failures.isStoreReady(), true);
    const end = { level: "info", event: "store-ready", seconds: 180, failureCount: 107 };
    assertEquals(records, [start, end]);
    fail("request-failed");
    assertEquals(records.at(-1), { level: "error", event: "store-not-ready", reason: "Cannot write" });
  });
}

Deno.test("isStoreReady() logs an outage that no request has met, and each new answer of the store", async () => {
  const { failures, records, clock, store } = open();
  for (const answer of [undefined, "away", "away", "read-only", "read-only", undefined, undefined]) {
    store.answer = answer;
    clock.now += 5_000;
    assertEquals(await failures.isStoreReady(), answer === undefined);
  }
  assertEquals(records, [
    { level: "error", event: "store-not-ready", reason: "away" },
    { level: "error", event: "store-not-ready", reason: "read-only" },
    { level: "info", event: "store-ready", seconds: 20, failureCount: 0 },
  ]);
});

Deno.test("isStoreReady() ends no outage by an answer from before it, even if the clock is set back", async () => {
  for (const [ms, isOver] of [[0, false], [1_999, false], [2_000, true], [-3_600_000, true]] as const) {
    const { failures, records, clock } = open();
    failures.report("request-failed", { error: new StoreUnavailableError("no") });
    clock.now += ms;
    assertEquals(await failures.isStoreReady(), true);
    assertEquals(records.length, isOver ? 2 : 1);
  }
});

Deno.test("report() logs one warning a minute of a full disk, which is no outage", async () => {
  const { failures, records, clock } = open();
  const fail = (requestId: string) => {
    failures.report("touch-failed", { requestId, error: new StoreFullError("Cannot write", { cause }) });
  };
  for (let index = 0; index < 100; index++) fail(`first-${index}`);
  clock.now += 59_999;
  fail("still");
  clock.now += 1;
  for (let index = 0; index < 100; index++) fail(`later-${index}`);
  clock.now -= 3_600_000;
  fail("set-back");
  assertEquals(await failures.isStoreReady(), true);
  const warning = { level: "warn", event: "touch-failed", reason: "Cannot write" };
  assertEquals(records, [
    { ...warning, requestId: "first-0" },
    { ...warning, requestId: "later-0", omitted: 100 },
    { ...warning, requestId: "set-back", omitted: 99 },
  ]);
});

Deno.test("report() logs every other error, with its stack and its causes", () => {
  const { failures, records } = open();
  for (const error of [new TypeError("bug", { cause }), new TypeError("bug", { cause }), "text", undefined]) {
    failures.report("request-failed", { requestId: "r", error });
  }
  assertEquals(records.map(({ level }) => level), Array(4).fill("error"));
  assert(/"name":"TypeError".*"stack":.*No space left/s.test(JSON.stringify(records[1])));
  assertEquals(records.slice(2).map(({ error }) => error), ["text", undefined]);
});
