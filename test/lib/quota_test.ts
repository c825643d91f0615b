import { assert, assertEquals, assertGreater } from "@std/assert";
import { Quota } from "../../lib/quota.ts";

/** A moment as `Date.now()` gives it: sums are rounded as they are in service. */
const start = 1_795_000_000_123;
const hourMs = 60 * 60 * 1_000;

/** A quota with a clock that stands still until it is put forward. */
function createScene(perHour: number) {
  const clock = { now: start };
  return { quota: new Quota(perHour, () => clock.now), clock };
}

/** How many can be taken at once. */
function drain(quota: Quota, client: string): number {
  let count = 0;
  while (quota.take(client) === 0) count++;
  return count;
}

Deno.test("Quota.take() gives as many at once as there are in an hour, for any number", () => {
  for (let perHour = 1; perHour <= 200; perHour++) {
    assertEquals(drain(createScene(perHour).quota, "a"), perHour);
  }
  assertEquals(drain(createScene(1_000).quota, "a"), 1_000);
});

Deno.test("Quota.take() says after how many whole seconds there is one again, and keeps its word", () => {
  const rows: readonly (readonly [perHour: number, waitSeconds: number])[] = [
    [1, 3_600],
    [2, 1_800],
    [7, 515],
    [60, 60],
    [1_000, 4],
    [3_600, 1],
    [10_000, 1],
  ];
  for (const [perHour, waitSeconds] of rows) {
    const { quota, clock } = createScene(perHour);
    drain(quota, "a");
    assertEquals(quota.take("a"), waitSeconds, `${perHour} per hour`);
    clock.now += waitSeconds * 1_000;
    assertEquals(quota.take("a"), 0, `${perHour} per hour`);
  }
});

Deno.test("Quota.take() gives nothing a moment too early, and then one", () => {
  const { quota, clock } = createScene(60);
  drain(quota, "a");
  clock.now += 59_000;
  assertEquals(quota.take("a"), 1);
  clock.now += 999;
  assertEquals(quota.take("a"), 1);
  clock.now += 1;
  assertEquals([quota.take("a"), quota.take("a")], [0, 60]);
});

Deno.test("Quota.take() refills evenly, up to the whole", () => {
  const rows: readonly (readonly [afterMs: number, count: number])[] = [
    [0, 0],
    [hourMs / 60 - 1, 0],
    [hourMs / 60, 1],
    [hourMs / 2, 30],
    [hourMs - 1, 59],
    [hourMs, 60],
    [2 * hourMs, 60],
    [1_000 * hourMs, 60],
  ];
  for (const [afterMs, count] of rows) {
    const { quota, clock } = createScene(60);
    drain(quota, "a");
    clock.now += afterMs;
    assertEquals(drain(quota, "a"), count, `after ${afterMs} ms`);
  }
});

Deno.test("Quota.take() counts what is taken slowly too", () => {
  const { quota, clock } = createScene(2);
  assertEquals(quota.take("a"), 0);
  clock.now += hourMs / 4;
  assertEquals(quota.take("a"), 0);
  // Half of one has come back.
  assertEquals(quota.take("a"), 900);
});

Deno.test("Quota.take() takes nothing when it refuses", () => {
  const { quota, clock } = createScene(1);
  assertEquals(quota.take("a"), 0);
  for (let count = 0; count < 1_000; count++) assertEquals(quota.take("a"), 3_600);
  clock.now += hourMs;
  assertEquals(quota.take("a"), 0);
});

Deno.test("Quota.take() counts each client for itself", () => {
  const { quota } = createScene(3);
  assertEquals(drain(quota, "a"), 3);
  assertEquals(drain(quota, "b"), 3);
  assertGreater(quota.take("a"), 0);
  assertEquals(drain(quota, "__proto__"), 3);
});

Deno.test("Quota.take() never refuses when the quota is 0, which is unlimited", () => {
  const { quota } = createScene(0);
  for (let count = 0; count < 10_000; count++) assertEquals(quota.take("a"), 0);
});

Deno.test("Quota.take() remembers 100,000 clients, and gives up the one not taken from for longest", () => {
  const { quota } = createScene(2);
  quota.take("first");
  quota.take("second");
  quota.take("first");
  assertGreater(quota.take("first"), 0);
  for (let count = 0; count < 100_000 - 2; count++) quota.take(`client ${count}`);
  assertGreater(quota.take("first"), 0);
  // One more: now "second" is the oldest, as "first" was taken from after it.
  quota.take("one more");
  assertGreater(quota.take("first"), 0);
  assertEquals(drain(quota, "second"), 2);
  // Which made one too many again.
  assert(quota.take("first") === 0);
});

Deno.test("Quota.waitSeconds() says what take() would say, and takes nothing", () => {
  const { quota, clock } = createScene(60);
  for (let count = 0; count < 100; count++) assertEquals(quota.waitSeconds("a"), 0);
  assertEquals(drain(quota, "a"), 60);
  for (const afterMs of [0, 1, 30_000, 29_998]) {
    clock.now += afterMs;
    const seconds = quota.waitSeconds("a");
    assertEquals([seconds > 0, quota.take("a")], [true, seconds]);
  }
  clock.now += 1;
  assertEquals([quota.waitSeconds("a"), quota.waitSeconds("a"), quota.take("a"), quota.waitSeconds("a")], [
    0,
    0,
    0,
    60,
  ]);
  assertEquals(quota.waitSeconds("b"), 0);
});

Deno.test("Quota.waitSeconds() is 0 when the quota is 0, which is unlimited", () => {
  const { quota } = createScene(0);
  for (let count = 0; count < 1_000; count++) quota.take("a");
  assertEquals(quota.waitSeconds("a"), 0);
});

Deno.test("Quota.putBack() makes a taking undone, whenever it happens", () => {
  for (const afterMs of [0, 1, 30_000, hourMs - 1]) {
    const { quota, clock } = createScene(60);
    assertEquals(drain(quota, "a"), 60);
    clock.now += afterMs;
    quota.putBack("a");
    assertEquals(drain(quota, "a"), 1 + Math.floor(afterMs / (hourMs / 60)), `after ${afterMs} ms`);
  }
});

Deno.test("Quota.putBack() gives room for one, again and again", () => {
  const { quota } = createScene(7);
  drain(quota, "a");
  for (let count = 0; count < 1_000; count++) {
    quota.putBack("a");
    assertEquals(drain(quota, "a"), 1);
  }
  assertEquals(drain(quota, "b"), 7);
});

Deno.test("Quota.putBack() puts nothing into a full bucket", () => {
  const { quota, clock } = createScene(7);
  for (let count = 0; count < 100; count++) quota.putBack("a");
  assertEquals(drain(quota, "a"), 7);
  clock.now += 2 * hourMs;
  for (let count = 0; count < 100; count++) quota.putBack("a");
  assertEquals(drain(quota, "a"), 7);
});

Deno.test("Quota.putBack() gives a bucket that is full no place, so that none that is not is given up for it", () => {
  const { quota, clock } = createScene(7);
  drain(quota, "a");
  for (let count = 0; count < 100_000; count++) {
    quota.take(`client ${count}`);
    quota.putBack(`client ${count}`);
  }
  // Nor one that nothing was taken from, or that is full by time.
  for (let count = 0; count < 100_000; count++) quota.putBack(`another ${count}`);
  assertGreater(quota.waitSeconds("a"), 0);
  clock.now += hourMs / 7;
  assertEquals(drain(quota, "a"), 1);
});

Deno.test("Quota.putBack() does nothing when the quota is 0, which is unlimited", () => {
  const { quota } = createScene(0);
  for (let count = 0; count < 100; count++) quota.putBack("a");
  assertEquals([quota.take("a"), quota.waitSeconds("a")], [0, 0]);
});
