/** What all counts promise; that nothing of one change comes in between another is seen with many at once. */
import { assertEquals, assertRejects } from "@std/assert";
import { consecutiveFailures, type Count, type Counter, noCount, tokenBucket } from "../../../lib/limits/limit_rule.ts";
import { testEverywhere } from "../../support/limit_stores.ts";

const row = consecutiveFailures("row", 100);
const hour = tokenBucket("hour", 7);
const now = 1_795_000_000_123;

const inRow = (...of: string[]): Counter => ({ kind: row, of });
const inHour = (...of: string[]): Counter => ({ kind: hour, of });

/** One more of each, as `change` wants it. */
const oneMore = (counts: readonly Count[]) => {
  return counts.map((count) => ({ ...count, wrongCount: count.wrongCount + 1, openedAt: now }));
};

testEverywhere("Counts.read() gives what was changed last, and noCount of what was not", async (createCounts) => {
  const counts = await createCounts();
  // Of a third of a millisecond nothing is lost.
  const [one, other] = [{ ...noCount, fullAt: now + 1 / 3 }, {
    ...noCount,
    wrongCount: 99,
    openCount: 1,
    openedAt: now,
  }];
  assertEquals(await counts.read([inHour("a"), inRow("a")]), [noCount, noCount]);
  await counts.change([inHour("a"), inRow("a")], () => [one, other]);
  assertEquals(await counts.read([inRow("a"), inHour("a")]), [other, one]);
  await counts.change([inRow("a")], () => [noCount]);
  assertEquals(await counts.read([inRow("a"), inHour("a")]), [noCount, one]);
  assertEquals(await counts.read([]), []);
});

testEverywhere("Counts tells counters apart by their kind and by each text", async (createCounts) => {
  const counts = await createCounts();
  await counts.change([inRow("a", "bc")], oneMore);
  const others = [inHour("a", "bc"), inRow("ab", "c"), inRow("abc"), inRow("a", "bc", ""), inRow("bc", "a"), inRow()];
  assertEquals(await counts.read(others), others.map(() => noCount));
  assertEquals((await counts.read([inRow("a", "bc")]))[0]?.wrongCount, 1);
  const odd = inRow("a b\0", "ü'\"\\\ud800");
  await counts.change([odd], oneMore);
  assertEquals((await counts.read([odd]))[0]?.wrongCount, 1);
});

testEverywhere(
  "Counts.change() is given what is kept, and changes nothing when it is told so",
  async (createCounts) => {
    const counts = await createCounts();
    const both = [inRow("a"), inRow("b")];
    await counts.change([inRow("b")], oneMore);
    let given: readonly Count[] = [];
    await counts.change(both, (kept) => {
      given = kept;
      return undefined;
    });
    assertEquals(given.map(({ wrongCount }) => wrongCount), [0, 1]);
    await assertRejects(
      () =>
        counts.change(both, () => {
          throw new RangeError("no");
        }),
      RangeError,
      "no",
    );
    assertEquals(await counts.read(both), given);
    await counts.change([], () => []);
  },
);

testEverywhere(
  "Counts.change() loses none of many at once, in whatever order they name what they change",
  async (createCounts) => {
    const counts = await createCounts();
    const all = Array.from("abcdef", (text) => inRow(text));
    const changes = Array.from({ length: 60 }, (_, index) => {
      const some = [...all.slice(index % 6), ...all.slice(0, index % 6)].slice(0, 3);
      return counts.change(index % 2 === 0 ? some : some.toReversed(), oneMore);
    });
    await Promise.all(changes);
    assertEquals((await counts.read(all)).map(({ wrongCount }) => wrongCount), Array(6).fill(30));
  },
);

testEverywhere("Counts.change() takes of several at once or of none", async (createCounts) => {
  const counts = await createCounts();
  const [many, few] = [inRow("many"), inRow("few")];
  const takes = Array.from({ length: 40 }, async () => {
    let isTaken = false;
    await counts.change([many, few], (kept) => {
      isTaken = kept.every(({ wrongCount }, index) => wrongCount < (index === 0 ? 30 : 10));
      return isTaken ? oneMore(kept) : undefined;
    });
    return isTaken;
  });
  assertEquals((await Promise.all(takes)).filter((isTaken) => isTaken).length, 10);
  assertEquals((await counts.read([many, few])).map(({ wrongCount }) => wrongCount), [10, 10]);
});
