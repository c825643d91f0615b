import { assert, assertEquals } from "@std/assert";
import { forEachYielding } from "../../../../lib/store/memory/scan.ts";

Deno.test("forEachYielding() looks at each, in order, and at what is added meanwhile", async () => {
  const items = new Map([["a", 1], ["b", 2]]);
  const seen: number[] = [];
  await forEachYielding(items.values(), (item) => {
    seen.push(item);
    if (item === 1) items.set("c", 3);
  });
  assertEquals(seen, [1, 2, 3]);
});

Deno.test("forEachYielding() lets others in between", async () => {
  const items = Array.from({ length: 100_000 }, (_, index) => index);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  let last = -1;
  const looked = forEachYielding(items, (item) => last = item);
  assert(last < 10_000, `${last}`);
  await looked;
  clearInterval(timer);
  assertEquals(last, 99_999);
  assert(turns >= 2, `${turns}`);
});

Deno.test("forEachYielding() of a few is done at once", () => {
  let count = 0;
  forEachYielding([1, 2, 3], () => count++);
  assertEquals(count, 3);
});
