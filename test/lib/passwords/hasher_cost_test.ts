/** How the hasher measures what a hash costs, and how many hashes it runs at once. */
import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { OverloadedError } from "../../../lib/passwords/hash_queue.ts";
import { Hasher } from "../../../lib/passwords/hasher.ts";
import { spyOnDerive } from "../../support/passwords/derivations.ts";
import { argon2id, hashPassword, memoryBytesOf } from "../../../lib/passwords/password_hash.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";

const iterations = 20;
const password = "correct horse battery staple";

/** A clock that goes on by so much each time it is looked at. */
function stubClock(stepMs: number): Disposable {
  const now = performance.now;
  let nowMs = 0;
  performance.now = () => nowMs += stepMs;
  return {
    [Symbol.dispose]: () => {
      performance.now = now;
    },
  };
}

/** Cores, and how many hashes run at once by default. */
const cores: readonly (readonly [coreCount: number, atOnce: number])[] = [[1, 2], [28, 29], [29, 30], [30, 30], [
  256,
  30,
]];
for (const [coreCount, atOnce] of cores) {
  Deno.test(`Hasher.open() lets ${atOnce} run at once on ${coreCount} cores`, async () => {
    const hardware = Object.getOwnPropertyDescriptor(Navigator.prototype, "hardwareConcurrency") ?? {};
    Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { ...hardware, get: () => coreCount });
    try {
      using _clock = stubClock(2_000);
      using spy = spyOnDerive();
      await Hasher.open({ scheme: pbkdf2(1) });
      // The decoy is one more.
      assertEquals(spy.costs.length, atOnce + 1);
    } finally {
      Object.defineProperty(Navigator.prototype, "hardwareConcurrency", hardware);
    }
  });
}

Deno.test("Hasher.open() lets no more run at once than the memory allows, and at least one", async () => {
  const hashBytes = memoryBytesOf(argon2id);
  for (const [maxMemoryBytes, atOnce] of [[2 * hashBytes - 1, 1], [2 * hashBytes, 2], [1, 1]] as const) {
    using _clock = stubClock(2_000);
    using spy = spyOnDerive();
    const hasher = await Hasher.open({ scheme: argon2id, maxMemoryBytes });
    assertEquals(spy.costs.length, atOnce + 1);
    const all = Array.from({ length: 3 }, () => hasher.hash(password, { client: "192.0.2.1" }));
    assertEquals([hasher.queue.running, hasher.queue.waiting], [atOnce, 3 - atOnce]);
    await Promise.all(all);
  }
});

Deno.test("Hasher.verify() reserves the memory of the stored hash", async () => {
  const [cheap, large] = await Promise.all([pbkdf2(1), argon2id].map((scheme) => hashPassword(password, scheme)));
  for (const [passwordHash, running] of [[cheap, 3], [large, 1]] as const) {
    const hasher = await Hasher.open({ scheme: pbkdf2(1), concurrency: 3, maxMemoryBytes: memoryBytesOf(argon2id) });
    const all = Array.from({ length: 3 }, () => {
      return hasher.verify(password, { login: "alice", passwordHash, client: "192.0.2.1" });
    });
    assertEquals(hasher.queue.running, running);
    assertEquals((await Promise.all(all)).every(({ isRight }) => isRight), true);
  }
});

Deno.test("Hasher.hash() and verify() take turns at the gate: so many at once, no more than can wait", async () => {
  const rows: readonly (readonly [concurrency: number | undefined, atOnce: number])[] = [
    [1, 1],
    [3, 3],
    [undefined, navigator.hardwareConcurrency + 1],
  ];
  for (const [concurrency, atOnce] of rows) {
    const hasher = await Hasher.open({
      scheme: pbkdf2(iterations),
      maxWaitMs: 0,
      ...concurrency === undefined ? {} : { concurrency },
    });
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    using spy = spyOnDerive(() => released);
    const all = Array.from(
      { length: atOnce },
      (_, index) =>
        index % 2 === 0
          ? hasher.hash(password, { client: "client" })
          : hasher.verify(password, { login: "alice", passwordHash: undefined, client: "client" }),
    );
    await assertRejects(() => hasher.hash(password, { client: "other" }), OverloadedError);
    await assertRejects(
      () => hasher.verify(password, { login: "alice", passwordHash: undefined, client: "other" }),
      OverloadedError,
    );
    release();
    await Promise.all(all);
    assertEquals(spy.costs.length, atOnce);
  }
});

Deno.test("Hasher.open() measures what a hash costs, with as many at once as will be", async () => {
  using _clock = stubClock(2_000);
  using spy = spyOnDerive();
  const hasher = await Hasher.open({ scheme: pbkdf2(iterations), concurrency: 3 });
  // The decoy is the fourth.
  assertEquals(spy.costs, [iterations, iterations, iterations, iterations]);
  assertEquals([hasher.costMs, hasher.hashesPerSecond], [2_000, 1.5]);
});

/** Clocks and how many rounds they give: at most 5, and none after 50 ms. */
const measurements: [stepMs: number, rounds: number][] = [[1, 5], [10, 5], [13, 4], [25, 2], [49, 2], [50, 1]];

for (const [stepMs, rounds] of measurements) {
  Deno.test(`Hasher.open() measures ${rounds} times when a hash costs ${stepMs} ms`, async () => {
    using _clock = stubClock(stepMs);
    using spy = spyOnDerive();
    const { costMs } = await Hasher.open({ scheme: pbkdf2(iterations), concurrency: 2 });
    assertEquals([spy.costs.length, costMs], [1 + 2 * rounds, stepMs]);
  });
}

Deno.test("Hasher.open() takes the cheapest measurement", async () => {
  const steps = [9, 4, 9, 12, 9, 2, 9, 10, 9, 7];
  using _clock = stubClock(0);
  let nowMs = 0;
  performance.now = () => nowMs += steps.shift() ?? 1_000;
  assertEquals((await Hasher.open({ scheme: pbkdf2(iterations) })).costMs, 2);
});

Deno.test("Hasher.hash() may wait for 5 s by default, by what was measured", async () => {
  for (const [costMs, waiting] of [[2_000, 5], [10_000, 1], [10_001, 0]] as const) {
    using _clock = stubClock(costMs);
    const hasher = await Hasher.open({ scheme: pbkdf2(iterations), concurrency: 2 });
    const all = Array.from({ length: 2 + waiting }, () => hasher.hash(password, { client: "client" }));
    await assertRejects(() => hasher.hash(password, { client: "client" }), OverloadedError);
    assertEquals((await Promise.all(all)).length, 2 + waiting);
  }
});

Deno.test("Hasher.open() measures the machine's own time", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(1_000) });
  assertGreater(hasher.costMs, 0);
  assertGreater(hasher.hashesPerSecond, 0);
});

Deno.test("Hasher tells how many turns run and wait, and how long each took", async () => {
  const seconds: number[] = [];
  const hasher = await Hasher.open({
    scheme: pbkdf2(iterations),
    concurrency: 1,
    onRun: ({ runSeconds }) => seconds.push(runSeconds),
  });
  // Measuring at the start is no turn.
  assertEquals([hasher.queue.running, hasher.queue.waiting, seconds.length], [0, 0, 0]);
  const client = "client";
  const work = [
    hasher.hash(password, { client }),
    hasher.verify(password, { login: "alice", passwordHash: undefined, client }),
  ];
  assertEquals([hasher.queue.running, hasher.queue.waiting], [1, 1]);
  await Promise.all(work);
  assertEquals([hasher.queue.running, hasher.queue.waiting, seconds.length], [0, 0, 2]);
  for (const took of seconds) assertGreater(took, 0);
});
