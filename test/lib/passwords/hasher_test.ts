import { assertEquals, assertGreater, assertNotEquals, assertRejects } from "@std/assert";
import { OverloadedError } from "../../../lib/passwords/hash_queue.ts";
import { Hasher } from "../../../lib/passwords/hasher.ts";
import { hashPassword, iterationsOf, verifyPassword } from "../../../lib/passwords/password_hash.ts";
import { spyOnDerive } from "../../support/passwords/derivations.ts";

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

Deno.test("Hasher.hash() makes one hash of the cost that is set", async () => {
  const hasher = await Hasher.open({ iterations });
  using spy = spyOnDerive();
  const passwordHash = await hasher.hash(password, { client: "client" });
  assertEquals([iterationsOf(passwordHash), spy.costs], [iterations, [iterations]]);
  assertEquals(await verifyPassword(password, passwordHash), true);
});

interface VerifyRow {
  readonly title: string;
  /** The iterations of the user's hash; without it there is no user. */
  readonly cost?: number;
  /** The most iterations of any user's hash. */
  readonly highest?: number;
  readonly given?: string;
  readonly isRight: boolean;
  readonly isRehashed: boolean;
  /** The iterations that are run. */
  readonly work: readonly number[];
}

const verifyRows: readonly VerifyRow[] = [
  { title: "the right password", cost: 20, isRight: true, isRehashed: false, work: [20] },
  { title: "a wrong password", cost: 20, given: "wrong", isRight: false, isRehashed: false, work: [20] },
  { title: "an unknown login", isRight: false, isRehashed: false, work: [20] },
  { title: "the right password of a cheaper hash", cost: 5, isRight: true, isRehashed: true, work: [5, 20] },
  { title: "the right password of a dearer hash", cost: 30, isRight: true, isRehashed: true, work: [30, 20] },
  {
    title: "an unknown login where a dearer hash is kept",
    highest: 30,
    isRight: false,
    isRehashed: false,
    work: [20, 10],
  },
  {
    title: "a wrong password of the dearest hash",
    highest: 30,
    cost: 30,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [30],
  },
  {
    title: "a wrong password of a cheaper hash where a dearer one is kept",
    highest: 30,
    cost: 5,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [5, 25],
  },
  {
    title: "a wrong password of the dearest hash, which is cheaper than is set",
    highest: 5,
    cost: 5,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [5, 15],
  },
  {
    title: "the right password where a dearer hash is kept",
    highest: 30,
    cost: 20,
    isRight: true,
    isRehashed: false,
    work: [20],
  },
  {
    title: "a wrong password of a cheaper hash, as much work in all",
    cost: 5,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [5, 15],
  },
  {
    title: "a wrong password of a hash cheaper by one",
    cost: 19,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [19, 1],
  },
];
for (const { title, cost, highest = 0, given = password, isRight, isRehashed, work } of verifyRows) {
  Deno.test(`Hasher.verify() answers ${title}`, async () => {
    const hasher = await Hasher.open({ iterations, highestIterations: highest });
    const passwordHash = cost === undefined ? undefined : await hashPassword(password, cost);
    using spy = spyOnDerive();
    const verdict = await hasher.verify(given, { passwordHash, client: "client" });
    assertEquals([verdict.isRight, verdict.rehashed !== undefined], [isRight, isRehashed]);
    assertEquals(spy.costs, work);
  });
}

Deno.test("Hasher.verify() hashes a right password again at the current cost, with another salt", async () => {
  const hasher = await Hasher.open({ iterations });
  const passwordHash = await hashPassword(password, 5);
  const { rehashed = "" } = await hasher.verify(password, { passwordHash, client: "client" });
  assertEquals([iterationsOf(rehashed), await verifyPassword(password, rehashed)], [iterations, true]);
  assertNotEquals(rehashed.split("$")[3], passwordHash.split("$")[3]);
  const again = await hasher.verify(password, { passwordHash: rehashed, client: "client" });
  assertEquals(again, { isRight: true, rehashed: undefined });
});

Deno.test("Hasher.verify() takes no password for right where there is no user, not even the decoy's", async () => {
  const known: ReturnType<Crypto["randomUUID"]> = "00000000-0000-4000-8000-000000000000";
  const randomUuid = crypto.randomUUID;
  crypto.randomUUID = () => known;
  try {
    const hasher = await Hasher.open({ iterations });
    const verdict = await hasher.verify(known, { passwordHash: undefined, client: "client" });
    assertEquals(verdict, { isRight: false, rehashed: undefined });
  } finally {
    crypto.randomUUID = randomUuid;
  }
});

Deno.test("Hasher.verify() does the same work for an invalid or too expensive hash as for no user", async () => {
  const hasher = await Hasher.open({ iterations, highestIterations: 30 });
  const good = await hashPassword(password, 20);
  for (const passwordHash of ["no hash", "", good.slice(1), good.replace("i=20", "i=999999999"), undefined]) {
    using spy = spyOnDerive();
    const verdict = await hasher.verify(password, { passwordHash, client: "client" });
    assertEquals([verdict, spy.costs], [{ isRight: false, rehashed: undefined }, [20, 10]]);
  }
});

Deno.test("Hasher.verify() does as much for what is nobody's password as for a wrong one", async () => {
  const hasher = await Hasher.open({ iterations, highestIterations: 30 });
  for (const passwordHash of [await hashPassword(password, 20), undefined]) {
    for (const given of ["wrong", `${password}\0`, "x".repeat(5_000), "\u0301".repeat(31)]) {
      using spy = spyOnDerive();
      const verdict = await hasher.verify(given, { passwordHash, client: "client" });
      assertEquals([verdict, spy.costs], [{ isRight: false, rehashed: undefined }, [20, 10]]);
    }
  }
});

Deno.test("Hasher.verify() hashes nothing anew when that is not wanted", async () => {
  const hasher = await Hasher.open({ iterations });
  const passwordHash = await hashPassword(password, 5);
  using spy = spyOnDerive();
  const verdict = await hasher.verify(password, { passwordHash, client: "client", isRehashing: false });
  assertEquals([verdict, spy.costs], [{ isRight: true, rehashed: undefined }, [5]]);
});

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
      await Hasher.open({ iterations: 1 });
      // The decoy is one more.
      assertEquals(spy.costs.length, atOnce + 1);
    } finally {
      Object.defineProperty(Navigator.prototype, "hardwareConcurrency", hardware);
    }
  });
}

Deno.test("Hasher.hash() and verify() take turns at the gate: so many at once, no more than can wait", async () => {
  const rows: readonly (readonly [concurrency: number | undefined, atOnce: number])[] = [
    [1, 1],
    [3, 3],
    [undefined, navigator.hardwareConcurrency + 1],
  ];
  for (const [concurrency, atOnce] of rows) {
    const hasher = await Hasher.open({
      iterations,
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
          : hasher.verify(password, { passwordHash: undefined, client: "client" }),
    );
    await assertRejects(() => hasher.hash(password, { client: "other" }), OverloadedError);
    await assertRejects(
      () => hasher.verify(password, { passwordHash: undefined, client: "other" }),
      OverloadedError,
    );
    release();
    await Promise.all(all);
    assertEquals(spy.costs.length, atOnce);
  }
});

Deno.test("Hasher.hash() and verify() do nothing for who has hung up", async () => {
  const hasher = await Hasher.open({ iterations });
  using spy = spyOnDerive();
  const options = { client: "client", hungUp: AbortSignal.abort() };
  await assertRejects(() => hasher.hash(password, options), OverloadedError);
  await assertRejects(() => hasher.verify(password, { passwordHash: undefined, ...options }), OverloadedError);
  assertEquals(spy.costs, []);
});

Deno.test("Hasher.open() measures what a hash costs, with as many at once as will be", async () => {
  using _clock = stubClock(2_000);
  using spy = spyOnDerive();
  const hasher = await Hasher.open({ iterations, concurrency: 3 });
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
    const { costMs } = await Hasher.open({ iterations, concurrency: 2 });
    assertEquals([spy.costs.length, costMs], [1 + 2 * rounds, stepMs]);
  });
}

Deno.test("Hasher.open() takes the cheapest measurement", async () => {
  const steps = [9, 4, 9, 12, 9, 2, 9, 10, 9, 7];
  using _clock = stubClock(0);
  let nowMs = 0;
  performance.now = () => nowMs += steps.shift() ?? 1_000;
  assertEquals((await Hasher.open({ iterations })).costMs, 2);
});

Deno.test("Hasher.hash() may wait for 5 s by default, by what was measured", async () => {
  for (const [costMs, waiting] of [[2_000, 5], [10_000, 1], [10_001, 0]] as const) {
    using _clock = stubClock(costMs);
    const hasher = await Hasher.open({ iterations, concurrency: 2 });
    const all = Array.from({ length: 2 + waiting }, () => hasher.hash(password, { client: "client" }));
    await assertRejects(() => hasher.hash(password, { client: "client" }), OverloadedError);
    assertEquals((await Promise.all(all)).length, 2 + waiting);
  }
});

Deno.test("Hasher.open() measures the machine's own time", async () => {
  const hasher = await Hasher.open({ iterations: 1_000 });
  assertGreater(hasher.costMs, 0);
  assertGreater(hasher.hashesPerSecond, 0);
});

Deno.test("Hasher tells how many turns run and wait, and how long each took", async () => {
  const seconds: number[] = [];
  const hasher = await Hasher.open({ iterations, concurrency: 1, onRun: (took) => seconds.push(took) });
  // Measuring at the start is no turn.
  assertEquals([hasher.queue.running, hasher.queue.waiting, seconds.length], [0, 0, 0]);
  const client = "client";
  const work = [hasher.hash(password, { client }), hasher.verify(password, { passwordHash: undefined, client })];
  assertEquals([hasher.queue.running, hasher.queue.waiting], [1, 1]);
  await Promise.all(work);
  assertEquals([hasher.queue.running, hasher.queue.waiting, seconds.length], [0, 0, 2]);
  for (const took of seconds) assertGreater(took, 0);
});
