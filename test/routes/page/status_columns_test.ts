/** The numbers behind the plots of the state: what is told is put where its minute, second or day is. */
import { assertEquals } from "@std/assert";
import { StateColumns } from "../../../routes/page/status_columns.js";

const quiet = { p50_ms: null, p99_ms: null };

/** A house of two days and three minutes, up to 23:58. */
function begun(): StateColumns {
  const columns = new StateColumns();
  columns.begin({
    registrations: { first_day: "2026-11-21", counts: [4, 7] },
    logins: { first_minute: "2026-11-22T23:56:00.000Z", success: [1, 2, 3], failure: [0, 0, 1], throttled: [0, 0, 0] },
  });
  return columns;
}

function momentAt(time: string, told: Record<string, unknown> = {}) {
  const logins = { success: 0, failure: 0, throttled: 0 };
  return { time, logins, registrations: 0, hash: quiet, sync: quiet, running: 0, waiting: 0, ...told };
}

function seconds(time: string): number {
  return Date.parse(time) / 1_000;
}

Deno.test("StateColumns.begin() gives each count its day and its minute", () => {
  const { days, minutes, today } = begun();
  assertEquals(days, [[seconds("2026-11-21"), seconds("2026-11-22")], [4, 7]]);
  assertEquals(today, 7);
  const first = seconds("2026-11-22T23:56:00Z");
  assertEquals(minutes, [[first, first + 60, first + 120], [1, 2, 3], [0, 0, 1], [0, 0, 0]]);
});

Deno.test("StateColumns.add() corrects the present minute, and moves on with the time", () => {
  const columns = begun();
  columns.add(momentAt("2026-11-22T23:58:30.000Z", { logins: { success: 5, failure: 2, throttled: 1 } }));
  assertEquals(columns.minutes.slice(1), [[1, 2, 5], [0, 0, 2], [0, 0, 1]]);
  // Nothing was told in 23:59.
  columns.add(momentAt("2026-11-23T00:00:01.000Z", { logins: { success: 9, failure: 0, throttled: 0 } }));
  assertEquals(columns.minutes.map((column: number[]) => column.at(-1)), [seconds("2026-11-23T00:00:00Z"), 9, 0, 0]);
  assertEquals(columns.minutes[1], [5, 0, 9]);
});

Deno.test("StateColumns.add() counts a registration once", () => {
  const columns = begun();
  // The history has those of this minute.
  columns.add(momentAt("2026-11-22T23:58:30.000Z", { registrations: 2 }));
  assertEquals(columns.today, 7);
  columns.add(momentAt("2026-11-22T23:58:31.000Z", { registrations: 3 }));
  columns.add(momentAt("2026-11-22T23:58:32.000Z", { registrations: 3 }));
  assertEquals(columns.today, 8);
  columns.add(momentAt("2026-11-22T23:59:00.000Z", { registrations: 2 }));
  assertEquals(columns.today, 10);
});

Deno.test("StateColumns.add() begins a day at midnight UTC, and lets the oldest go", () => {
  const columns = begun();
  columns.add(momentAt("2026-11-22T23:59:59.000Z", { registrations: 1 }));
  columns.add(momentAt("2026-11-23T00:00:00.000Z", { registrations: 1 }));
  assertEquals(columns.days, [[seconds("2026-11-22"), seconds("2026-11-23")], [7, 1]]);
});

Deno.test("StateColumns.add() keeps ten minutes of seconds, also those without a hash", () => {
  const columns = begun();
  const start = seconds("2026-11-22T23:58:00Z");
  for (let second = 0; second <= 700; second++) {
    const hash = second === 650 ? { p50_ms: 70, p99_ms: 90 } : quiet;
    columns.add(momentAt(new Date((start + second) * 1_000).toISOString(), { hash, running: 2, waiting: 1 }));
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

Deno.test("StateColumns.begin() after a lost connection counts nothing twice", () => {
  const columns = begun();
  columns.add(momentAt("2026-11-22T23:58:30.000Z", { registrations: 2 }));
  columns.begin({
    registrations: { first_day: "2026-11-21", counts: [4, 9] },
    logins: { first_minute: "2026-11-22T23:56:00.000Z", success: [1, 2, 3], failure: [0, 0, 1], throttled: [0, 0, 0] },
  });
  columns.add(momentAt("2026-11-22T23:58:33.000Z", { registrations: 4 }));
  assertEquals([columns.today, columns.times[0]?.length], [9, 2]);
});
