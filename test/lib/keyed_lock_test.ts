import { assertEquals, assertRejects } from "@std/assert";
import { KeyedLock } from "../../lib/keyed_lock.ts";

/** Work that tells when it starts and ends when it is told to. */
function createWork(name: string, events: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = () => {
    events.push(name);
    return promise;
  };
  return { work, end: () => resolve(name), fail: () => reject(new RangeError(name)) };
}

Deno.test("KeyedLock.run() runs work on one key one after another, in the order of the calls", async () => {
  const lock = new KeyedLock();
  const events: string[] = [];
  const works = ["a", "b", "c"].map((name) => createWork(name, events));
  const results = works.map(({ work }) => lock.run(["key"], work));
  assertEquals(events, ["a"]);
  // The last may end first: it has not started.
  for (const { end } of works.toReversed()) end();
  assertEquals(await results[0], "a");
  assertEquals(await Promise.all(results), ["a", "b", "c"]);
  assertEquals(events, ["a", "b", "c"]);
});

Deno.test("KeyedLock.run() starts nothing on a key before the work ahead has ended", async () => {
  const lock = new KeyedLock();
  const events: string[] = [];
  const [first, second] = [createWork("first", events), createWork("second", events)];
  const results = [lock.run(["key"], first.work), lock.run(["key"], second.work)];
  second.end();
  // Work on another key that is called later ends meanwhile: the lock had every chance to go on.
  await lock.run(["other"], () => Promise.resolve());
  assertEquals(events, ["first"]);
  first.end();
  await Promise.all(results);
  assertEquals(events, ["first", "second"]);
});

Deno.test("KeyedLock.run() runs work on different keys side by side", async () => {
  const lock = new KeyedLock();
  const events: string[] = [];
  const [a, b] = [createWork("a", events), createWork("b", events)];
  const results = [lock.run(["a"], a.work), lock.run(["b"], b.work)];
  assertEquals(events, ["a", "b"]);
  b.end();
  assertEquals(await results[1], "b");
  a.end();
  assertEquals(await results[0], "a");
});

Deno.test("KeyedLock.run() goes on after work that failed, whose error goes to its caller alone", async () => {
  const lock = new KeyedLock();
  const events: string[] = [];
  const [a, b] = [createWork("a", events), createWork("b", events)];
  const thrown = lock.run(["key"], () => {
    throw new TypeError("at once");
  });
  const results = [lock.run(["key"], a.work), lock.run(["key"], b.work)];
  await assertRejects(() => thrown, TypeError, "at once");
  const failed = assertRejects(() => results[0] ?? Promise.resolve(), RangeError, "a");
  a.fail();
  await failed;
  b.end();
  assertEquals(await results[1], "b");
});

Deno.test("KeyedLock.size counts the keys with work, and forgets a key with its last work", async () => {
  const lock = new KeyedLock();
  const events: string[] = [];
  const [a, b, c] = [createWork("a", events), createWork("b", events), createWork("c", events)];
  const first = lock.run(["key"], a.work);
  const second = lock.run(["key"], b.work);
  const other = lock.run(["other"], c.work);
  assertEquals(lock.size, 2);
  a.end();
  await first;
  assertEquals(lock.size, 2);
  b.end();
  await second;
  assertEquals(lock.size, 1);
  c.end();
  await other;
  assertEquals(lock.size, 0);
});

Deno.test("KeyedLock.run() keeps the turn of who comes while the first has ended and the second runs", async () => {
  const lock = new KeyedLock();
  const events: string[] = [];
  const [a, b, c] = [createWork("a", events), createWork("b", events), createWork("c", events)];
  const first = lock.run(["key"], a.work);
  const second = lock.run(["key"], b.work);
  a.end();
  await first;
  const third = lock.run(["key"], c.work);
  c.end();
  await lock.run(["other"], () => Promise.resolve());
  assertEquals(events, ["a", "b"]);
  b.end();
  await Promise.all([second, third]);
  assertEquals(events, ["a", "b", "c"]);
});
