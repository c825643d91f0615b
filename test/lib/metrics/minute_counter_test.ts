import { assertEquals } from "@std/assert";
import { keptMinutes, MinuteCounter } from "../../../lib/metrics/minute_counter.ts";

const minuteMs = 60_000;
const start = Date.parse("2026-11-22T09:35:39.123Z");

/** A counter whose clock is set by hand. */
function open(): { counter: MinuteCounter; clock: { now: number } } {
  const clock = { now: start };
  return { counter: new MinuteCounter(() => clock.now), clock };
}

/** The last hour without the minutes in which nothing happened, by how long ago they are. */
function ago(counter: MinuteCounter): Record<number, number> {
  const entries = counter.lastHour.map((count, index) => [keptMinutes - 1 - index, count] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

Deno.test("a new MinuteCounter has counted nothing", () => {
  const { counter } = open();
  assertEquals([counter.total, counter.lastHour.at(-1), counter.lastHour], [0, 0, new Array(60).fill(0)]);
});

Deno.test("add() counts in the minute of the clock, which begins with second 0", () => {
  const { counter, clock } = open();
  counter.add();
  counter.add();
  clock.now = Date.parse("2026-11-22T09:35:59.999Z");
  counter.add();
  assertEquals([counter.lastHour.at(-1), ago(counter)], [3, { 0: 3 }]);
  clock.now++;
  assertEquals([counter.lastHour.at(-1), ago(counter)], [0, { 1: 3 }]);
  counter.add();
  assertEquals([counter.lastHour.at(-1), ago(counter), counter.total], [1, { 0: 1, 1: 3 }, 4]);
});

Deno.test("lastHour forgets what is 60 minutes ago, and the total does not", () => {
  const { counter, clock } = open();
  counter.add();
  clock.now += 59 * minuteMs;
  assertEquals(ago(counter), { 59: 1 });
  counter.add();
  clock.now += minuteMs;
  assertEquals(ago(counter), { 1: 1 });
  assertEquals(counter.total, 2);
});

for (const minutes of [60, 61, 119, 120, 100_000]) {
  Deno.test(`nothing is left of a minute when ${minutes} have passed without a look`, () => {
    const { counter, clock } = open();
    for (let minute = 0; minute < 60; minute++, clock.now += minuteMs) counter.add();
    clock.now += (minutes - 1) * minuteMs;
    assertEquals([ago(counter), counter.lastHour.at(-1), counter.total], [{}, 0, 60]);
    counter.add();
    assertEquals(ago(counter), { 0: 1 });
  });
}

Deno.test("a clock that is set back goes on in the minute in which it was", () => {
  const { counter, clock } = open();
  counter.add();
  clock.now -= 10 * minuteMs;
  counter.add();
  assertEquals([counter.lastHour.at(-1), ago(counter)], [2, { 0: 2 }]);
  clock.now += 11 * minuteMs;
  assertEquals(ago(counter), { 1: 2 });
});
