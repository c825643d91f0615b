import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { HashQueue, OverloadedError, type Requester } from "../../../lib/passwords/hash_queue.ts";
import { watchSignal } from "../../support/listeners.ts";

/** Clients of one IPv6 /48: two of the same /56, and one of another. */
const networked = new Map([["p", "2001:db8:0:0::/64"], ["q", "2001:db8:0:1::/64"], ["r", "2001:db8:0:100::/64"]]);

/** Of a client by its letter; a capital is a known device of a login of its own. */
function turnOf(name: string): Requester {
  const letter = name.toLowerCase();
  const client = networked.get(letter) ?? letter;
  return name === letter ? { client } : { client, knownLogin: name };
}

interface Started {
  readonly name: string;
  readonly end: () => void;
}

/** A gate, and the work sent through it: which has started, in order, and what came of each. */
class Scene {
  readonly gate: HashQueue;
  readonly started: Started[] = [];
  readonly refused: string[] = [];
  readonly #settled: Promise<void>[] = [];

  constructor(options: { concurrency: number; capacity: number }) {
    const { concurrency, capacity } = options;
    // An hour, so that what the work really takes weighs nothing, and just short of what one more would need.
    const costMs = 3_600_000;
    this.gate = new HashQueue({ concurrency, costMs, maxWaitMs: (capacity + 0.9) * costMs / concurrency });
  }

  /** Sends work of each client in turn; its name is the client's and a number: "a1", "a2". */
  send(...clients: string[]): void {
    for (const client of clients) {
      const name = `${client}${this.#countOf(client)}`;
      const { promise, resolve } = Promise.withResolvers<void>();
      const work = () => {
        this.started.push({ name, end: resolve });
        return promise;
      };
      const note = (error: unknown) => {
        assertInstanceOf(error, OverloadedError);
        this.refused.push(name);
      };
      this.#settled.push(this.gate.run(turnOf(client), work).catch(note));
    }
  }

  /** Ends all work, the oldest first, and whatever starts thereby. @returns the names in the order of their start */
  async finish(): Promise<string[]> {
    for (let index = 0; index < this.started.length || this.gate.running > 0; index++) {
      this.started[index]?.end();
      // Each turn is handed on within a few promises.
      for (let step = 0; step < 10; step++) await Promise.resolve();
    }
    await Promise.all(this.#settled);
    return this.started.map(({ name }) => name);
  }

  readonly #counts = new Map<string, number>();

  #countOf(client: string): number {
    const count = (this.#counts.get(client) ?? 0) + 1;
    this.#counts.set(client, count);
    return count;
  }
}

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

const turns: readonly (readonly [title: string, clients: string, order: string])[] = [
  ["of one client in order", "a a a a", "a1 a2 a3 a4"],
  ["one of each before a second of any", "a a a a b b c", "a1 a2 b1 c1 a3 b2 a4"],
  ["whoever came last after one of the flood", "a a a a a a b", "a1 a2 b1 a3 a4 a5 a6"],
  ["of one network in turn with others, and in it each /56 and client", "x p p q r a", "x1 p1 a1 r1 q1 p2"],
  ["known devices every second turn, in turn with each other", "x a a a b B B C", "x1 a1 B1 b1 C1 a2 B2 a3"],
  ["nobody later for it when no known device waits", "X a a A a", "X1 a1 A1 a2 a3"],
  ["in the order in which clients came", "x c b a c b a", "x1 c1 b1 a1 c2 b2 a2"],
];
for (const [title, clients, order] of turns) {
  Deno.test(`HashQueue.run() serves who waits ${title}`, async () => {
    const scene = new Scene({ concurrency: 1, capacity: 9 });
    scene.send(...clients.split(" "));
    assertEquals((await scene.finish()).join(" "), order);
  });
}

Deno.test("HashQueue.run() puts a client that was served behind the others, also when it comes again", async () => {
  const scene = new Scene({ concurrency: 1, capacity: 9 });
  scene.send("x", "a", "b", "b", "c");
  // a1 starts; a has nothing else waiting, and comes again while b and c wait.
  scene.started[0]?.end();
  for (let step = 0; step < 10; step++) await Promise.resolve();
  assertEquals(scene.started.map(({ name }) => name), ["x1", "a1"]);
  scene.send("a");
  assertEquals(await scene.finish(), ["x1", "a1", "b1", "c1", "a2", "b2"]);
});

// The first of each row runs. What is refused is named in the order of refusal.
const crowds: readonly (readonly [title: string, capacity: number, clients: string, refused: string])[] = [
  ["nobody while there is room", 3, "a a a a", ""],
  ["whoever is one too many of the same client", 3, "a a a a a a", "a5 a6"],
  ["everyone who would have to wait at all", 0, "a a b", "a2 b1"],
  ["the newest of the flood, for another client", 3, "x a a a b", "a3"],
  ["the newest of the flood again and again, down to one of each", 3, "x a a a b c", "a3 a2"],
  ["the newcomer when each client waits with one", 3, "x a b c d a", "d1 a2"],
  ["the newest of the client with most", 6, "x a b b b c c d", "b3"],
  ["the newcomer who would only change places", 3, "x a a b b", "b2"],
  ["the newest of the network with most, for another network", 3, "x p q r a", "p1"],
  ["the newest of the /56 with most, for another of the same network", 3, "x p p q r", "p2"],
  ["the newcomer when each of its network waits with one", 2, "x p r q", "q1"],
  ["the newest of the flood, for a known device", 3, "x a a a A", "a3"],
  ["known devices beyond half of the places, for others", 4, "x A A A B c", "A3"],
  ["the newest of the known device with most, for another", 2, "x A A B", "A2"],
  ["the newcomer when as many known devices wait as others", 4, "x a b A B C", "C1"],
  ["who has two more than the newcomer", 4, "x a a a b b", "a3"],
];
for (const [title, capacity, clients, refused] of crowds) {
  Deno.test(`HashQueue.run() refuses ${title}`, async () => {
    const scene = new Scene({ concurrency: 1, capacity });
    scene.send(...clients.split(" "));
    assertEquals(scene.gate.waiting, Math.min(capacity, clients.split(" ").length - 1));
    const served = await scene.finish();
    assertEquals(scene.refused.join(" "), refused);
    assertEquals(served.length + scene.refused.length, clients.split(" ").length);
    assertEquals(served.filter((name) => scene.refused.includes(name)), []);
    assertEquals([scene.gate.running, scene.gate.waiting], [0, 0]);
  });
}

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

Deno.test("HashQueue.run() gives up the place of one that nobody waits for any more, and of no other", async () => {
  const gate = new HashQueue({ concurrency: 1, costMs: 1_000, maxWaitMs: 3_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const started: string[] = [];
  const send = (client: string, name: string, hungUp = new AbortController()) => {
    const run = gate.run({ client, hungUp: hungUp.signal }, () => (started.push(name), promise));
    return { run, hungUp };
  };
  const runs = send("a", "runs");
  const [first, second, other] = [send("a", "first"), send("a", "second"), send("b", "other")];
  assertEquals(gate.waiting, 3);
  runs.hungUp.abort();
  first.hungUp.abort();
  await assertRejects(() => first.run, OverloadedError);
  other.hungUp.abort();
  await assertRejects(() => other.run, OverloadedError);
  assertEquals([gate.running, gate.waiting], [1, 1]);
  resolve();
  await Promise.all([runs.run, second.run]);
  // Too late to make a difference.
  second.hungUp.abort();
  assertEquals([started, gate.running, gate.waiting], [["runs", "second"], 0, 0]);
});

Deno.test("HashQueue.assertCapacity() refuses whom run() would refuse, and changes nothing", async () => {
  const gate = new HashQueue({ concurrency: 1, costMs: 1_000, maxWaitMs: 3_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const runs: Promise<void>[] = [];
  // One runs and three wait, which is as many as may; "b" has none.
  for (let count = 0; count < 4; count++) {
    gate.assertCapacity({ client: "a" });
    gate.assertCapacity({ client: "b" });
    runs.push(gate.run({ client: "a" }, () => promise));
  }
  assertThrows(() => gate.assertCapacity({ client: "a" }), OverloadedError);
  await assertRejects(() => gate.run({ client: "a" }, () => promise), OverloadedError);
  gate.assertCapacity({ client: "b" });
  assertEquals([gate.running, gate.waiting], [1, 3]);
  // The newest of "a" makes room, and then nobody has two more than "b".
  runs.push(gate.run({ client: "b" }, () => promise));
  await assertRejects(async () => await runs[3], OverloadedError);
  assertThrows(() => gate.assertCapacity({ client: "b" }), OverloadedError);
  await assertRejects(() => gate.run({ client: "b" }, () => promise), OverloadedError);
  gate.assertCapacity({ client: "c" });
  resolve();
  await Promise.allSettled(runs);
  gate.assertCapacity({ client: "a" });
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

Deno.test("run() tells how long the work took, without its wait, also of work that fails", async () => {
  const seconds: number[] = [];
  const gate = new HashQueue({ concurrency: 1, costMs: 1, maxWaitMs: 1_000, onRun: (took) => seconds.push(took) });
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

Deno.test("HashQueue.run() serves another client second while 250 come from as many /64 of one /48", async () => {
  const gate = new HashQueue({ concurrency: 1, costMs: 3_600_000, maxWaitMs: 100 * 3_600_000 });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const send = (name: string, turn: Requester) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return gate.run(turn, () => {
      started.push(name);
      ends.push(resolve);
      return promise;
    }).then(() => "served", () => "refused");
  };
  const floods: Promise<string>[] = [];
  const outcomes: string[] = [];
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < 250; index++) {
      floods.push(send("flood", { client: `2001:db8:0:${(round * 250 + index).toString(16)}::/64` }));
    }
    const outcome = send("other", { client: "192.0.2.1" });
    const before = started.length;
    for (let step = 0; step < 2; step++) {
      ends[before - 1 + step]?.();
      for (let tick = 0; tick < 10; tick++) await Promise.resolve();
    }
    assertEquals(started.slice(before, before + 2).includes("other"), true);
    ends[started.indexOf("other", before)]?.();
    outcomes.push(await outcome);
    for (let tick = 0; tick < 10; tick++) await Promise.resolve();
  }
  assertEquals(outcomes, Array(20).fill("served"));
  for (let index = 0; index < ends.length || gate.running > 0; index++) {
    ends[index]?.();
    for (let tick = 0; tick < 10; tick++) await Promise.resolve();
  }
  await Promise.all(floods);
});
