import { assert, assertEquals, assertGreater } from "@std/assert";
import { clientLimit } from "../../../lib/limits/limit_rule.ts";
import { MemoryLimitStore, RateLimiter } from "../../../lib/limits/rate_limiter.ts";

/** A moment as `Date.now()` gives it: sums are rounded as they are in service. */
const start = 1_795_000_000_123;
const hourMs = 60 * 60 * 1_000;

/** A limit of clients, with a clock that stands still until it is set. */
function createScene(perHour: number) {
  const clock = { now: start };
  const limiter = new RateLimiter(new MemoryLimitStore(), () => clock.now);
  const limit = clientLimit("test", perHour);
  const quota = {
    take: (client: string) => limiter.take(limit(client)),
    waitSeconds: (client: string) => limiter.waitSeconds(limit(client)),
    putBack: (client: string) => limiter.putBack(limit(client)),
  };
  return { quota, clock };
}

type Quota = ReturnType<typeof createScene>["quota"];

/** How many can be taken at once. */
async function drain(quota: Quota, client: string): Promise<number> {
  let count = 0;
  while (await quota.take(client) === 0) count++;
  return count;
}

Deno.test("RateLimiter.take() allows a burst of the hourly limit, for any limit", async () => {
  for (let perHour = 1; perHour <= 200; perHour++) {
    assertEquals(await drain(createScene(perHour).quota, "a"), perHour);
  }
  assertEquals(await drain(createScene(1_000).quota, "a"), 1_000);
});

Deno.test("RateLimiter.take() returns the whole seconds until the next attempt, which is then allowed", async () => {
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
    await drain(quota, "a");
    assertEquals(await quota.take("a"), waitSeconds, `${perHour} per hour`);
    clock.now += waitSeconds * 1_000;
    assertEquals(await quota.take("a"), 0, `${perHour} per hour`);
  }
});

Deno.test("RateLimiter.take() allows the next attempt at its time and no millisecond earlier", async () => {
  const { quota, clock } = createScene(60);
  await drain(quota, "a");
  clock.now += 59_000;
  assertEquals(await quota.take("a"), 1);
  clock.now += 999;
  assertEquals(await quota.take("a"), 1);
  clock.now += 1;
  assertEquals([await quota.take("a"), await quota.take("a")], [0, 60]);
});

Deno.test("RateLimiter.take() refills evenly, up to the limit", async () => {
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
    await drain(quota, "a");
    clock.now += afterMs;
    assertEquals(await drain(quota, "a"), count, `after ${afterMs} ms`);
  }
});

Deno.test("RateLimiter.take() counts slow attempts too", async () => {
  const { quota, clock } = createScene(2);
  assertEquals(await quota.take("a"), 0);
  clock.now += hourMs / 4;
  assertEquals(await quota.take("a"), 0);
  // Half of one has come back.
  assertEquals(await quota.take("a"), 900);
});

Deno.test("RateLimiter.take() consumes nothing when it refuses", async () => {
  const { quota, clock } = createScene(1);
  assertEquals(await quota.take("a"), 0);
  for (let count = 0; count < 1_000; count++) assertEquals(await quota.take("a"), 3_600);
  clock.now += hourMs;
  assertEquals(await quota.take("a"), 0);
});

Deno.test("RateLimiter.take() counts each client separately", async () => {
  const { quota } = createScene(3);
  assertEquals(await drain(quota, "a"), 3);
  assertEquals(await drain(quota, "b"), 3);
  assertGreater(await quota.take("a"), 0);
  assertEquals(await drain(quota, "__proto__"), 3);
});

Deno.test("RateLimiter.take() never refuses if the limit is 0, which is unlimited", async () => {
  const { quota } = createScene(0);
  for (let count = 0; count < 10_000; count++) assertEquals(await quota.take("a"), 0);
});

Deno.test("RateLimiter.take() stores 100,000 clients, and evicts the least recently changed", async () => {
  const { quota } = createScene(2);
  await quota.take("first");
  await quota.take("second");
  await quota.take("first");
  assertGreater(await quota.take("first"), 0);
  for (let count = 0; count < 100_000 - 2; count++) await quota.take(`client ${count}`);
  assertGreater(await quota.take("first"), 0);
  // One more: now "second" is the oldest, as "first" was taken from after it.
  await quota.take("one more");
  assertGreater(await quota.take("first"), 0);
  assertEquals(await drain(quota, "second"), 2);
  // Which made one too many again.
  assert(await quota.take("first") === 0);
});

Deno.test("RateLimiter.waitSeconds() returns what take() would return, and consumes nothing", async () => {
  const { quota, clock } = createScene(60);
  for (let count = 0; count < 100; count++) assertEquals(await quota.waitSeconds("a"), 0);
  assertEquals(await drain(quota, "a"), 60);
  for (const afterMs of [0, 1, 30_000, 29_998]) {
    clock.now += afterMs;
    const seconds = await quota.waitSeconds("a");
    assertEquals([seconds > 0, await quota.take("a")], [true, seconds]);
  }
  clock.now += 1;
  assertEquals([
    await quota.waitSeconds("a"),
    await quota.waitSeconds("a"),
    await quota.take("a"),
    await quota.waitSeconds("a"),
  ], [
    0,
    0,
    0,
    60,
  ]);
  assertEquals(await quota.waitSeconds("b"), 0);
});

Deno.test("RateLimiter.waitSeconds() is 0 if the limit is 0, which is unlimited", async () => {
  const { quota } = createScene(0);
  for (let count = 0; count < 1_000; count++) await quota.take("a");
  assertEquals(await quota.waitSeconds("a"), 0);
});

Deno.test("RateLimiter.putBack() undoes take(), at any time", async () => {
  for (const afterMs of [0, 1, 30_000, hourMs - 1]) {
    const { quota, clock } = createScene(60);
    assertEquals(await drain(quota, "a"), 60);
    clock.now += afterMs;
    await quota.putBack("a");
    assertEquals(await drain(quota, "a"), 1 + Math.floor(afterMs / (hourMs / 60)), `after ${afterMs} ms`);
  }
});

Deno.test("RateLimiter.putBack() gives room for one, again and again", async () => {
  const { quota } = createScene(7);
  await drain(quota, "a");
  for (let count = 0; count < 1_000; count++) {
    await quota.putBack("a");
    assertEquals(await drain(quota, "a"), 1);
  }
  assertEquals(await drain(quota, "b"), 7);
});

Deno.test("RateLimiter.putBack() adds nothing to a full bucket", async () => {
  const { quota, clock } = createScene(7);
  for (let count = 0; count < 100; count++) await quota.putBack("a");
  assertEquals(await drain(quota, "a"), 7);
  clock.now += 2 * hourMs;
  for (let count = 0; count < 100; count++) await quota.putBack("a");
  assertEquals(await drain(quota, "a"), 7);
});

Deno.test("RateLimiter.putBack() stores no full bucket, so that it evicts no other", async () => {
  const { quota, clock } = createScene(7);
  await drain(quota, "a");
  for (let count = 0; count < 100_000; count++) {
    await quota.take(`client ${count}`);
    await quota.putBack(`client ${count}`);
  }
  // Nor one that nothing was taken from, or that is full by time.
  for (let count = 0; count < 100_000; count++) await quota.putBack(`another ${count}`);
  assertGreater(await quota.waitSeconds("a"), 0);
  clock.now += hourMs / 7;
  assertEquals(await drain(quota, "a"), 1);
});

Deno.test("RateLimiter.putBack() does nothing if the limit is 0, which is unlimited", async () => {
  const { quota } = createScene(0);
  for (let count = 0; count < 100; count++) await quota.putBack("a");
  assertEquals([await quota.take("a"), await quota.waitSeconds("a")], [0, 0]);
});

/** The /64 of a number, of which 256 are in one /56. */
const net = (index: number) => `2001:db8:0:${index.toString(16)}::/64`;

Deno.test("RateLimiter.take() allows an IPv6 /56 four times the limit of a client, and a /48 ten times", async () => {
  const { quota, clock } = createScene(6);
  for (let index = 0; index < 4; index++) assertEquals(await drain(quota, net(index)), 6);
  assertEquals([await drain(quota, net(255)), await quota.take(net(0))], [0, 600]);
  for (let index = 1; index <= 6; index++) assertEquals(await drain(quota, net(256 * index)), 6);
  assertEquals([await drain(quota, net(256 * 7)), await quota.waitSeconds(net(256 * 7))], [0, 60]);
  // Another network, and whoever is in none.
  assertEquals([await drain(quota, "2001:db8:1:0::/64"), await drain(quota, "192.0.2.1")], [6, 6]);
  // What is put back is so everywhere.
  await quota.putBack(net(0));
  assertEquals([await drain(quota, net(256 * 7)), await drain(quota, net(0))], [1, 0]);
  clock.now += hourMs / 60;
  assertEquals(await drain(quota, net(256 * 7)), 1);
});
