import { assertEquals, assertLess } from "@std/assert";
import { BoundedMap } from "../../lib/bounded_map.ts";
import { threadMs } from "../support/thread_time.ts";

/** A map of so many entries at most, with some put into it in order. */
function mapOf(maxSize: number, keys: string): BoundedMap<string, string> {
  const map = new BoundedMap<string, string>(maxSize);
  for (const key of keys) map.set(key, key.toUpperCase());
  return map;
}

/** Those of the keys that are in the map. */
function kept(map: BoundedMap<string, string>, keys: string): string {
  return [...keys].filter((key) => map.has(key)).join("");
}

Deno.test("BoundedMap gives what was put last under a key, and nothing under another", () => {
  const map = mapOf(3, "ab");
  map.set("a", "again");
  assertEquals([map.get("a"), map.get("b"), map.get("c")], ["again", "B", undefined]);
  assertEquals([map.has("a"), map.has("c"), map.size], [true, false, 2]);
});

Deno.test("BoundedMap keeps as many as it may, and forgets what was put longest ago", () => {
  assertEquals(kept(mapOf(3, "abc"), "abc"), "abc");
  assertEquals(kept(mapOf(3, "abcd"), "abcd"), "bcd");
  assertEquals(kept(mapOf(3, "abcdefg"), "abcdefg"), "efg");
  assertEquals(kept(mapOf(1, "abc"), "abc"), "c");
});

Deno.test("BoundedMap takes a key that is put again for the newest, and forgets nothing for it", () => {
  const map = mapOf(3, "abca");
  assertEquals([kept(map, "abc"), map.size], ["abc", 3]);
  map.set("d", "D");
  assertEquals(kept(map, "abcd"), "acd");
});

Deno.test("BoundedMap does not take a key that is looked at for newer", () => {
  const map = mapOf(2, "ab");
  assertEquals([map.get("a"), map.has("a")], ["A", true]);
  map.set("c", "C");
  assertEquals(kept(map, "abc"), "bc");
});

Deno.test("BoundedMap has room again for what was deleted", () => {
  const map = mapOf(3, "abc");
  map.delete("b");
  map.delete("never there");
  assertEquals([map.get("b"), map.has("b"), map.size], [undefined, false, 2]);
  map.set("d", "D");
  assertEquals(kept(map, "abcd"), "acd");
});

Deno.test("BoundedMap forgets keys of any kind, also undefined", () => {
  const map = new BoundedMap<unknown, undefined>(1);
  for (const key of [undefined, null, 0, NaN, "__proto__"]) {
    map.set(key, undefined);
    assertEquals([map.size, map.has(key), map.get(key)], [1, true, undefined]);
  }
});

Deno.test("BoundedMap is no larger for a million keys", () => {
  const map = new BoundedMap<number, number>(1_000);
  for (let key = 0; key < 1_000_000; key++) map.set(key, key);
  assertEquals([map.size, map.has(998_999), map.has(999_000)], [1_000, false, true]);
});

Deno.test("BoundedMap gives up the oldest whichever was put again or deleted: first, last, in between, alone", () => {
  const map = mapOf(4, "abcd");
  map.set("d", "again");
  map.delete("a");
  map.set("c", "again");
  for (const key of "ef") map.set(key, key);
  assertEquals([kept(map, "abcdef"), map.size], ["cdef", 4]);
  map.set("g", "G");
  assertEquals(kept(map, "abcdefg"), "cefg");
  for (const key of "cefg") map.delete(key);
  assertEquals(map.size, 0);
  for (const key of "hijkl") map.set(key, key);
  assertEquals(kept(map, "hijkl"), "ijkl");
});

Deno.test("BoundedMap takes as little time when it is full", () => {
  const map = new BoundedMap<number, number>(100_000);
  for (let key = 0; key < 100_000; key++) map.set(key, key);
  const startedAt = threadMs();
  for (let key = 100_000; key < 200_000; key++) map.set(key, key);
  // It is 0.5 µs, and was up to 90 when each looked for the oldest behind all that were given up.
  assertLess(1_000 * (threadMs() - startedAt) / 100_000, 10, "µs for each");
});
