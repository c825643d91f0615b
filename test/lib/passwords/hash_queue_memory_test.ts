/** What the hash queue runs at once if jobs need memory. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HashQueue, OverloadedError } from "../../../lib/passwords/hash_queue.ts";
import { Scene } from "../../support/passwords/hash_queue_scene.ts";

// Four may run at once, with a byte each. What runs at the beginning, and whenever the oldest has ended.
const rows: readonly (readonly [title: string, clients: string, running: string])[] = [
  ["four that need little", "a*1 a a*1 a a", "a1 a2 a3 a4 | a2 a3 a4 a5"],
  ["fewer that need more", "a*2 a*2 a*2 a", "a1 a2 | a2 a3 | a3 a4"],
  ["one that needs all memory alone", "a*4 b", "a1 | b1"],
  ["one that needs more than all memory alone", "a b*9 c c", "a1 | b1 | c1 c2"],
  ["beside a large one what its memory leaves", "a*3 a a", "a1 a2 | a2 a3"],
  ["nothing before the next one, even if it waits for memory", "a a b*3 c c", "a1 a2 | a2 b1 | b1 c1 | c1 c2"],
  ["in turn also what is large", "x*4 a*4 a*4 a*4 b*4", "x1 | a1 | b1 | a2 | a3"],
  ["a large one of a known device in its turn", "x a*3 a*3 a*3 A*3", "x1 a1 | a1 | a2 | A1 | a3"],
];
for (const [title, clients, running] of rows) {
  Deno.test(`HashQueue.run() runs ${title}`, async () => {
    const scene = new Scene({ concurrency: 4, capacity: 9 });
    scene.send(...clients.split(" "));
    for (const names of running.split(" | ")) {
      assertEquals(scene.running.join(" "), names);
      await scene.endOldest();
    }
    await scene.finish();
    assertEquals([scene.gate.running, scene.gate.waiting, scene.refused], [0, 0, []]);
  });
}

Deno.test("HashQueue.run() never exceeds the memory, and runs all", async () => {
  const gate = new HashQueue({ concurrency: 5, costMs: 1, maxWaitMs: 1_000, maxMemoryBytes: 100 });
  const memories = Array.from({ length: 200 }, (_, index) => index * 37 % (index % 4 === 0 ? 120 : 30));
  let usedBytes = 0;
  let mostBytes = 0;
  let mostRunning = 0;
  const ended = memories.map((memoryBytes, index) =>
    gate.run({ client: `client ${index % 7}`, memoryBytes }, async () => {
      usedBytes += Math.min(memoryBytes, 100);
      mostBytes = Math.max(mostBytes, usedBytes);
      mostRunning = Math.max(mostRunning, gate.running);
      for (let step = 0; step < index % 9; step++) await Promise.resolve();
      usedBytes -= Math.min(memoryBytes, 100);
    })
  );
  await Promise.all(ended);
  assert(mostBytes > 80 && mostBytes <= 100 && mostRunning > 2 && mostRunning <= 5, `${mostBytes} ${mostRunning}`);
  assertEquals([usedBytes, gate.running, gate.waiting], [0, 0, 0]);
});

Deno.test("HashQueue.run() starts those behind a large one when its client hangs up", async () => {
  const scene = new Scene({ concurrency: 4, capacity: 9 });
  scene.send("x*3");
  const leaving = new AbortController();
  const request = { client: "a", memoryBytes: 2, hungUp: leaving.signal };
  const left = assertRejects(() => scene.gate.run(request, () => Promise.resolve()), OverloadedError);
  scene.send("b", "c");
  assertEquals([scene.running, scene.gate.waiting], [["x1"], 3]);
  leaving.abort();
  await left;
  await scene.settle();
  assertEquals([scene.running, scene.gate.waiting], [["x1", "b1"], 1]);
  assertEquals(await scene.finish(), ["x1", "b1", "c1"]);
});

Deno.test("HashQueue.run() starts those behind a large one when it is evicted, and the new one too", async () => {
  const scene = new Scene({ concurrency: 4, capacity: 2 });
  scene.send("x*2", "p*9", "q");
  assertEquals([scene.running, scene.gate.waiting], [["x1"], 2]);
  scene.send("a");
  await scene.settle();
  assertEquals([scene.running, scene.gate.waiting, scene.refused], [["x1", "q1", "a1"], 0, ["p1"]]);
  await scene.finish();
});

Deno.test("HashQueue.assertCapacity() counts those that wait for memory", async () => {
  const scene = new Scene({ concurrency: 4, capacity: 1 });
  scene.send("x*3");
  // It would run at once, or wait.
  scene.gate.assertCapacity({ client: "a" });
  scene.gate.assertCapacity({ client: "a", memoryBytes: 2 });
  scene.send("a*2");
  assertThrows(() => scene.gate.assertCapacity({ client: "b" }), OverloadedError);
  await scene.finish();
});
