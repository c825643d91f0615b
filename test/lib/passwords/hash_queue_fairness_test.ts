/** The order in which the hash queue serves clients, and whom it refuses when it is full. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HashQueue, OverloadedError, type Requester } from "../../../lib/passwords/hash_queue.ts";
import { Scene } from "../../support/passwords/hash_queue_scene.ts";

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
  await scene.endOldest();
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
  ["the newest of the client with most in the network with most, for another network", 3, "x p q q a", "q2"],
  ["the newcomer of a network that alone waits, when its client has as many less one", 3, "x p q q p", "p2"],
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
