import { assertEquals } from "@std/assert";
import { FairQueue } from "../../../lib/passwords/hash_queue.ts";

/** A queue of items, each at the path that its letters are but for the last: "ab1" is at a, b. */
function queueOf(items: string): FairQueue<string> {
  const queue = new FairQueue<string>();
  for (const item of items.split(" ")) queue.add(item, pathOf(item));
  return queue;
}

function pathOf(item: string): readonly string[] {
  return [...item.slice(0, -1)];
}

/** All items in the order in which they are taken. */
function drain(queue: FairQueue<string>): string {
  const items: string[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) items.push(item);
  return items.join(" ");
}

Deno.test("FairQueue.take() gives each part of each level its turn, and nothing when all are taken", () => {
  const queue = queueOf("ax1 ax2 ay1 bz1 ax3 b1".slice(0, -3));
  assertEquals(queue.size, 5);
  assertEquals(drain(queue), "ax1 bz1 ay1 ax2 ax3");
  assertEquals([queue.size, queue.take()], [0, undefined]);
});

Deno.test("FairQueue.remove() takes out one item, and says whether it was there", () => {
  const queue = queueOf("ax1 ax2 ay1");
  assertEquals([queue.remove("ax2", ["a", "x"]), queue.remove("ax2", ["a", "x"])], [true, false]);
  assertEquals([queue.remove("ay1", ["a", "x"]), queue.remove("ay1", ["b", "y"])], [false, false]);
  assertEquals([queue.remove("ay1", ["a", "y"]), queue.size], [true, 1]);
  queue.add("b1", ["b", "z"]);
  assertEquals(drain(queue), "ax1 b1");
});

const newcomers: readonly (readonly [items: string, newcomer: string, evicted: string | undefined])[] = [
  ["ax1 ax2", "by", "ax2"],
  ["ax1", "by", undefined],
  ["ax1 ay1 ay2", "bz", "ay2"],
  ["ax1 ay1 ay2", "ax", undefined],
  ["ax1 ay1 ay2", "az", "ay2"],
  ["ax1 ax2 bz1", "bz", undefined],
  ["ax1 ax2 ax3 bz1", "bz", "ax3"],
  ["ax1 ax2", "ax", undefined],
];
for (const [items, newcomer, evicted] of newcomers) {
  Deno.test(`FairQueue.evictable() of ${items} for ${newcomer} is ${evicted}, and removes nothing`, () => {
    const queue = queueOf(items);
    const before = queue.size;
    assertEquals([queue.evictable([...newcomer]), queue.size], [evicted, before]);
  });
}

Deno.test("FairQueue.evictable() is nothing of an empty queue", () => {
  assertEquals(new FairQueue<string>().evictable(["a", "x"]), undefined);
});
