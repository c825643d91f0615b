/** The numbers behind the plots of the status: each value is at its minute, day or moment. */
import { assertEquals } from "@std/assert";
import { StatusColumns } from "../../../routes/page/status_columns.js";

const quiet = { p50_ms: null, p99_ms: null };

/** A response of a service of two days and three minutes, up to 23:58. */
function statusAt(time: string, changes: Record<string, unknown> = {}) {
  return {
    time,
    registrations: { first_day: "2026-11-21", counts: [4, 7] },
    logins: { first_minute: "2026-11-22T23:56:00.000Z", success: [1, 2, 3], failure: [0, 0, 1], throttled: [0, 0, 0] },
    hash: quiet,
    sync: quiet,
    running: 0,
    waiting: 0,
    ...changes,
  };
}

function seconds(time: string): number {
  return Date.parse(time) / 1_000;
}

Deno.test("StatusColumns.add() gives each count its day and its minute", () => {
  const columns = new StatusColumns();
  assertEquals(columns.today, 0);
  columns.add(statusAt("2026-11-22T23:58:30.000Z"));
  assertEquals(columns.days, [[seconds("2026-11-21"), seconds("2026-11-22")], [4, 7]]);
  assertEquals(columns.today, 7);
  const first = seconds("2026-11-22T23:56:00Z");
  assertEquals(columns.minutes, [[first, first + 60, first + 120], [1, 2, 3], [0, 0, 1], [0, 0, 0]]);
});

Deno.test("StatusColumns.add() replaces the history by that of each response, and counts nothing twice", () => {
  const columns = new StatusColumns();
  columns.add(statusAt("2026-11-22T23:58:30.000Z"));
  const changes = {
    registrations: { first_day: "2026-11-22", counts: [7, 1] },
    logins: { first_minute: "2026-11-22T23:58:00.000Z", success: [5, 0, 9], failure: [2, 0, 0], throttled: [1, 0, 0] },
  };
  columns.add(statusAt("2026-11-23T00:00:01.000Z", changes));
  assertEquals(columns.days, [[seconds("2026-11-22"), seconds("2026-11-23")], [7, 1]]);
  assertEquals(columns.minutes.map((column: number[]) => column.at(-1)), [seconds("2026-11-23T00:00:00Z"), 9, 0, 0]);
  assertEquals(columns.minutes[1], [5, 0, 9]);
});

Deno.test("StatusColumns.add() keeps ten minutes of responses, also those without a hash", () => {
  const columns = new StatusColumns();
  const start = seconds("2026-11-22T23:58:00Z");
  for (let second = 0; second <= 700; second++) {
    const hash = second === 650 ? { p50_ms: 70, p99_ms: 90 } : quiet;
    const time = new Date((start + second) * 1_000).toISOString();
    columns.add(statusAt(time, { hash, running: 2, waiting: 1 }));
  }
  assertEquals([columns.times[0]?.[0], columns.times[0]?.at(-1)], [start + 100, start + 700]);
  const times = columns.times.slice(1).map((column: (number | null)[]) => column.filter((one) => one !== null));
  assertEquals(times, [[70], [90], [], []]);
  assertEquals(columns.queue.map((column: number[]) => [column.length, column.at(-1)]), [
    [601, start + 700],
    [601, 2],
    [601, 1],
  ]);
});

Deno.test("StatusColumns.add() has no syncs with a database", () => {
  const columns = new StatusColumns();
  columns.add(statusAt("2026-11-22T23:58:30.000Z", { hash: { p50_ms: 70, p99_ms: 90 }, sync: null }));
  assertEquals(columns.times.slice(1), [[70], [90], [null], [null]]);
});
