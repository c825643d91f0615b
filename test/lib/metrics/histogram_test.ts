import { assertEquals } from "@std/assert";
import { Histogram, RecentHistogram } from "../../../lib/metrics/histogram.ts";

/** A histogram whose clock is set by hand. */
function open(): { histogram: RecentHistogram; clock: { now: number } } {
  const clock = { now: 1_800_000_000_000 };
  return { histogram: new RecentHistogram([0.1, 1], () => clock.now), clock };
}

Deno.test("observe() counts in every range that a duration is within, the upper end included", () => {
  for (const histogram of [new Histogram([0.1, 1]), open().histogram]) {
    assertEquals([histogram.countsUntil, histogram.count, histogram.sumSeconds], [[0, 0], 0, 0]);
    for (const seconds of [0, 0.1, 0.25, 1, 1.5]) histogram.observe(seconds);
    assertEquals([histogram.countsUntil, histogram.count, histogram.sumSeconds], [[2, 4], 5, 2.85]);
  }
});

Deno.test("recentQuantiles() has none of nothing", () => {
  assertEquals(open().histogram.recentQuantiles([0.5, 0.99]), [undefined, undefined]);
});

const quantiles: readonly (readonly [what: string, seconds: readonly number[], p50: number, p99: number])[] = [
  ["one", [3], 3, 3],
  ["two", [2, 1], 1, 2],
  ["three, as numbers and not as texts", [10, 9, 1], 9, 10],
  ["a hundred, whatever their order", Array.from({ length: 100 }, (_, index) => 100 - index), 50, 99],
  ["a thousand", Array.from({ length: 1_000 }, (_, index) => index + 1), 500, 990],
];

for (const [what, seconds, p50, p99] of quantiles) {
  Deno.test(`recentQuantiles() of ${what} are by the nearest rank`, () => {
    const { histogram } = open();
    for (const one of seconds) histogram.observe(one);
    assertEquals(histogram.recentQuantiles([0.5, 0.99]), [p50, p99]);
  });
}

Deno.test("recentQuantiles() are those of the last minute", () => {
  const { histogram, clock } = open();
  histogram.observe(9);
  clock.now += 30_000;
  histogram.observe(1);
  assertEquals(histogram.recentQuantiles([1]), [9]);
  clock.now += 29_999;
  assertEquals(histogram.recentQuantiles([1]), [9]);
  clock.now += 1;
  assertEquals(histogram.recentQuantiles([1]), [1]);
  clock.now += 30_000;
  assertEquals(histogram.recentQuantiles([1]), [undefined]);
  assertEquals(histogram.count, 2);
});

Deno.test("recentQuantiles() of more than a thousand are those of the last thousand", () => {
  const { histogram } = open();
  for (let count = 0; count < 1_000; count++) histogram.observe(9);
  for (let count = 0; count < 999; count++) histogram.observe(1);
  assertEquals(histogram.recentQuantiles([0.5, 1]), [1, 9]);
  histogram.observe(1);
  assertEquals(histogram.recentQuantiles([0.5, 1]), [1, 1]);
  assertEquals(histogram.count, 2_000);
});
