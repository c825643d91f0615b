/** What all counts promise; that nothing of one change comes in between another is seen with many at once. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  consecutiveFailures,
  type LimitKey,
  type LimitState,
  tokenBucket,
  unused,
} from "../../../lib/limits/limit_rule.ts";
import { testEverywhere } from "../../support/limit_stores.ts";

const row = consecutiveFailures("row", 100);
const hour = tokenBucket("hour", 7);
const now = 1_795_000_000_123;

const inRow = (...parts: string[]): LimitKey => ({ rule: row, parts });
const inHour = (...parts: string[]): LimitKey => ({ rule: hour, parts });

/** One more of each, as `change` wants it. */
const oneMore = (counts: readonly LimitState[]) => {
  return counts.map((count) => ({ ...count, wrongCount: count.wrongCount + 1, openedAt: now }));
};

testEverywhere("LimitStore.read() gives what was changed last, and unused of what was not", async (createStore) => {
  const store = await createStore();
  // Of a third of a millisecond nothing is lost.
  const [one, other] = [{ ...unused, fullAt: now + 1 / 3 }, {
    ...unused,
    wrongCount: 99,
    openCount: 1,
    openedAt: now,
  }];
  assertEquals(await store.read([inHour("a"), inRow("a")]), [unused, unused]);
  await store.update([inHour("a"), inRow("a")], () => [one, other]);
  assertEquals(await store.read([inRow("a"), inHour("a")]), [other, one]);
  await store.update([inRow("a")], () => [unused]);
  assertEquals(await store.read([inRow("a"), inHour("a")]), [unused, one]);
  assertEquals(await store.read([]), []);
});

testEverywhere("LimitStore tells keys apart by their rule and by each text", async (createStore) => {
  const store = await createStore();
  await store.update([inRow("a", "bc")], oneMore);
  const others = [inHour("a", "bc"), inRow("ab", "c"), inRow("abc"), inRow("a", "bc", ""), inRow("bc", "a"), inRow()];
  assertEquals(await store.read(others), others.map(() => unused));
  assertEquals((await store.read([inRow("a", "bc")]))[0]?.wrongCount, 1);
  const odd = inRow("a b\0", "ü'\"\\\ud800");
  await store.update([odd], oneMore);
  assertEquals((await store.read([odd]))[0]?.wrongCount, 1);
});

testEverywhere(
  "LimitStore.update() is given what is kept, and changes nothing when it is told so",
  async (createStore) => {
    const store = await createStore();
    const both = [inRow("a"), inRow("b")];
    await store.update([inRow("b")], oneMore);
    let given: readonly LimitState[] = [];
    await store.update(both, (kept) => {
      given = kept;
      return undefined;
    });
    assertEquals(given.map(({ wrongCount }) => wrongCount), [0, 1]);
    await assertRejects(
      () =>
        store.update(both, () => {
          throw new RangeError("no");
        }),
      RangeError,
      "no",
    );
    assertEquals(await store.read(both), given);
    await store.update([], () => []);
  },
);

testEverywhere(
  "LimitStore.update() loses none of many at once, in whatever order they name what they change",
  async (createStore) => {
    const store = await createStore();
    const all = Array.from("abcdef", (text) => inRow(text));
    const changes = Array.from({ length: 60 }, (_, index) => {
      const some = [...all.slice(index % 6), ...all.slice(0, index % 6)].slice(0, 3);
      return store.update(index % 2 === 0 ? some : some.toReversed(), oneMore);
    });
    await Promise.all(changes);
    assertEquals((await store.read(all)).map(({ wrongCount }) => wrongCount), Array(6).fill(30));
  },
);

testEverywhere("LimitStore.update() takes of several at once or of none", async (createStore) => {
  const store = await createStore();
  const [many, few] = [inRow("many"), inRow("few")];
  const takes = Array.from({ length: 40 }, async () => {
    let isTaken = false;
    await store.update([many, few], (kept) => {
      isTaken = kept.every(({ wrongCount }, index) => wrongCount < (index === 0 ? 30 : 10));
      return isTaken ? oneMore(kept) : undefined;
    });
    return isTaken;
  });
  assertEquals((await Promise.all(takes)).filter((isTaken) => isTaken).length, 10);
  assertEquals((await store.read([many, few])).map(({ wrongCount }) => wrongCount), [10, 10]);
});
