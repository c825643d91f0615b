import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { TtlCache } from "../../lib/ttl_cache.ts";

Deno.test("TtlCache asks once for whoever asks meanwhile, and again when the answer is too old", async () => {
  let count = 0;
  const kept = new TtlCache(() => Promise.resolve(++count), { keepMs: 60_000 });
  assertEquals(await Promise.all([kept.get(), kept.get(), kept.get()]), [1, 1, 1]);
  assertEquals(await kept.get(), 1);

  const short = new TtlCache(() => Promise.resolve(++count), { keepMs: 1 });
  assertEquals(await short.get(), 2);
  await delay(5);
  assertEquals(await short.get(), 3);
});

Deno.test("TtlCache keeps nothing when it is to keep nothing, but for those who ask at once", async () => {
  let count = 0;
  const none = new TtlCache(() => Promise.resolve(++count), { keepMs: 0, timesCost: 1_000_000 });
  assertEquals([await none.get(), await none.get()], [1, 2]);
  assertEquals(await Promise.all([none.get(), none.get()]), [3, 3]);
});

Deno.test("TtlCache keeps the longer what takes the longer", async () => {
  let count = 0;
  const ask = async () => {
    await delay(10);
    return ++count;
  };
  const dear = new TtlCache(ask, { keepMs: 1, timesCost: 1_000_000 });
  assertEquals(await dear.get(), 1);
  await delay(5);
  assertEquals(await dear.get(), 1);
});

Deno.test("TtlCache does not remember a failure", async () => {
  let count = 0;
  const failing = new TtlCache(
    () => ++count === 1 ? Promise.reject(new TypeError("first")) : Promise.resolve(count),
    { keepMs: 60_000 },
  );
  await assertRejects(() => failing.get(), TypeError, "first");
  assertEquals(await failing.get(), 2);
});
