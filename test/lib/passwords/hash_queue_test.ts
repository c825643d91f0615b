import { assert, assertEquals, assertRejects } from "@std/assert";
import { HashQueue, type JobDurations, OverloadedError } from "../../../lib/passwords/hash_queue.ts";
import { watchSignal } from "../../support/listeners.ts";
import { Scene } from "../../support/passwords/hash_queue_scene.ts";

Deno.test("HashQueue.run() runs as many at once as it may, and the next when one has ended", async () => {
  const scene = new Scene({ concurrency: 2, capacity: 9 });
  scene.send("a", "a", "b", "c");
  assertEquals(scene.started.map(({ name }) => name), ["a1", "a2"]);
  assertEquals([scene.gate.running, scene.gate.waiting], [2, 2]);
  assertEquals(await scene.finish(), ["a1", "a2", "b1", "c1"]);
  assertEquals([scene.gate.running, scene.gate.waiting, scene.refused], [0, 0, []]);
});

Deno.test("HashQueue.run() never runs more at once than it may", async () => {
  const gate = new HashQueue({ concurrency: 3, costMs: 1, maxWaitMs: 1_000 });
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
  };
  await Promise.all(Array.from({ length: 50 }, (_, index) => gate.run({ client: `client ${index % 7}` }, work)));
  assertEquals([most, gate.running, gate.waiting], [3, 0, 0]);
});

Deno.test("HashQueue.run() returns what the work returns, and throws what it throws, also when it waited", async () => {
  const gate = new HashQueue({ concurrency: 1, costMs: 1, maxWaitMs: 1_000 });
  const fail = () => Promise.reject(new RangeError("mine"));
  const results = await Promise.allSettled([
    gate.run({ client: "a" }, fail),
    gate.run({ client: "a" }, fail),
    gate.run({ client: "b" }, () => {
      throw new TypeError("at once");
    }),
    gate.run({ client: "b" }, () => Promise.resolve("done")),
  ]);
  assertEquals(
    results.map((result) => result.status === "fulfilled" ? result.value : result.reason.message),
    [
      "mine",
      "mine",
      "at once",
      "done",
    ],
  );
  assertEquals([gate.running, gate.waiting], [0, 0]);
});

Deno.test("HashQueue.run() lets so many wait as are served within maxWaitMs, by all that run at once", async () => {
  const rows: readonly (readonly [concurrency: number, costMs: number, maxWaitMs: number, capacity: number])[] = [
    [1, 1_000, 5_000, 5],
    [4, 1_000, 5_000, 20],
    [2, 3_000, 5_000, 3],
    [1, 6_000, 5_000, 0],
    [1, 1_000, 5_999, 5],
    // However cheap they are: each that waits takes memory.
    [1, 0.001, 5_000, 10_000],
  ];
  for (const [concurrency, costMs, maxWaitMs, capacity] of rows) {
    const gate = new HashQueue({ concurrency, costMs, maxWaitMs });
    const { promise, resolve } = Promise.withResolvers<void>();
    const all = Array.from({ length: concurrency + capacity }, () => gate.run({ client: "a" }, () => promise));
    await assertRejects(() => gate.run({ client: "a" }, () => promise), OverloadedError);
    assertEquals([gate.running, gate.waiting], [concurrency, capacity]);
    resolve();
    await Promise.all(all);
  }
});

Deno.test("HashQueue.run() measures what the work costs, the last ten or so", async () => {
  using clock = stubClock();
  // From 10,000 ms it moves by a tenth of the difference each time: to 11,000, then to 9,900.
  const rows: readonly (readonly [tookMs: readonly number[], seconds: number])[] = [
    [[], 10],
    [[20_000], 11],
    [[20_000, 0], 10],
    [[20_000, 0, 0], 9],
    // More than twice the average counts as twice, so as much as 20,000.
    [[20_001], 11],
    [[1_000_000], 11],
    [[10_000, 10_000], 10],
  ];
  for (const [tookMs, seconds] of rows) {
    const gate = new HashQueue({ concurrency: 1, costMs: 10_000, maxWaitMs: 0 });
    for (const ms of tookMs) {
      const fail = () => {
        clock.nowMs += ms;
        return Promise.reject(new RangeError("also what fails takes its time"));
      };
      await assertRejects(() => gate.run({ client: "a" }, fail), RangeError);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = gate.run({ client: "a" }, () => promise);
    const error = await assertRejects(() => gate.run({ client: "b" }, () => promise), OverloadedError);
    assertEquals(error.retryAfterSeconds, seconds);
    resolve();
    await running;
  }
});

Deno.test("HashQueue.run() counts a job that takes the memory of two as two", async () => {
  using clock = stubClock();
  for (const [memoryBytes, seconds] of [[0, 10], [1, 10], [2, 11], [9, 11]] as const) {
    const gate = new HashQueue({ concurrency: 2, costMs: 20_000, maxWaitMs: 0, maxMemoryBytes: 2 });
    await gate.run({ client: "a", memoryBytes }, () => Promise.resolve(clock.nowMs += 20_000));
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = gate.run({ client: "a", memoryBytes: 2 }, () => promise);
    const error = await assertRejects(() => gate.run({ client: "b" }, () => promise), OverloadedError);
    assertEquals(error.retryAfterSeconds, seconds);
    resolve();
    await running;
  }
});

Deno.test("OverloadedError says when there may be room again: whole seconds, at least 1", async () => {
  const rows: readonly (readonly [concurrency: number, costMs: number, capacity: number, seconds: number])[] = [
    [1, 1, 0, 1],
    [1, 1_000, 0, 1],
    [1, 1_001, 0, 2],
    [1, 1_000, 5, 6],
    [4, 1_000, 7, 2],
  ];
  for (const [concurrency, costMs, capacity, seconds] of rows) {
    const gate = new HashQueue({ concurrency, costMs, maxWaitMs: capacity * costMs / concurrency });
    const { promise, resolve } = Promise.withResolvers<void>();
    const all = Array.from({ length: concurrency + capacity }, () => gate.run({ client: "a" }, () => promise));
    const error = await assertRejects(() => gate.run({ client: "a" }, () => promise), OverloadedError);
    assertEquals([error.retryAfterSeconds, error.name], [seconds, "OverloadedError"]);
    resolve();
    await Promise.all(all);
  }
});

Deno.test("HashQueue.run() starts no work that it refuses", async () => {
  const gate = new HashQueue({ concurrency: 1, costMs: 1_000, maxWaitMs: 1_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const started: string[] = [];
  const send = (client: string, name: string) =>
    gate.run({ client }, () => {
      started.push(name);
      return promise;
    });
  const first = send("a", "runs");
  const second = send("a", "waits");
  await assertRejects(() => send("a", "refused"), OverloadedError);
  resolve();
  await Promise.all([first, second]);
  assertEquals(started, ["runs", "waits"]);
});

Deno.test("HashQueue.run() starts no job whose client is gone already, with or without a free place", async () => {
  const gate = new HashQueue({ concurrency: 1, costMs: 1_000, maxWaitMs: 3_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const fail = () => Promise.reject(new Error("It was started"));
  await assertRejects(() => gate.run({ client: "a", hungUp: AbortSignal.abort() }, fail), OverloadedError);
  const runs = gate.run({ client: "a" }, () => promise);
  const late = gate.run({ client: "a", hungUp: AbortSignal.abort() }, fail);
  assertEquals([gate.running, gate.waiting], [1, 0]);
  await assertRejects(() => late, OverloadedError);
  resolve();
  await runs;
  assertEquals([gate.running, gate.waiting], [0, 0]);
});

/** A clock that stands still until it is put forward. */
function stubClock(): Disposable & { nowMs: number } {
  const now = performance.now;
  const clock = {
    nowMs: 0,
    [Symbol.dispose]: () => {
      performance.now = now;
    },
  };
  performance.now = () => clock.nowMs;
  return clock;
}

Deno.test("run() tells how long the work took, and its wait, also of work that fails", async () => {
  const seconds: number[] = [];
  const waits: number[] = [];
  const onRun = ({ waitSeconds, runSeconds }: JobDurations) => {
    seconds.push(runSeconds);
    waits.push(waitSeconds);
  };
  const gate = new HashQueue({ concurrency: 1, costMs: 1, maxWaitMs: 1_000, onRun });
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
  const fail = () => Promise.reject(new Error("failed"));
  const startedAt = performance.now();
  const all = Promise.all([
    gate.run({ client: "a" }, pause),
    gate.run({ client: "a" }, pause),
    assertRejects(() => gate.run({ client: "b" }, fail)),
  ]);
  assertEquals([gate.running, gate.waiting], [1, 2]);
  await all;
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  const [first = 0, second = 0, failed = 0, ...more] = seconds;
  assert(first > 0.045 && second > 0.045 && failed < 0.045, `${seconds}`);
  // One after another: with a wait among them they would be more than all the time there was.
  assert(first + second + failed <= elapsedSeconds, `${seconds} in ${elapsedSeconds}`);
  assertEquals(more, []);
  const [none = 1, one = 0, both = 0] = waits;
  assert(none < 0.045 && one > 0.045 && both > 0.09 && both <= elapsedSeconds, `${waits}`);
});

Deno.test("HashQueue.run() leaves no listener on the signal of whoever waited, also when they hang up", async () => {
  const gate = new HashQueue({ concurrency: 1, costMs: 1, maxWaitMs: 1_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = gate.run({ client: "a" }, () => promise);
  const waited = watchSignal();
  const leaving = new AbortController();
  const left = watchSignal(leaving.signal);
  const waiting = gate.run({ client: "b", hungUp: waited.signal }, () => Promise.resolve());
  const refused = assertRejects(
    () => gate.run({ client: "c", hungUp: left.signal }, () => Promise.resolve()),
    OverloadedError,
  );
  assertEquals([waited.openCount, left.openCount], [1, 1]);
  leaving.abort();
  await refused;
  resolve();
  await Promise.all([running, waiting]);
  assertEquals([waited.openCount, left.openCount], [0, 0]);
});
