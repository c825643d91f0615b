/** What `deleteIdle()` removes from a database, and what it corrects. */
import { assert, assertEquals } from "@std/assert";
import {
  clampToClock,
  consecutiveFailures,
  type LimitState,
  tokenBucket,
  unused,
} from "../../../lib/limits/limit_rule.ts";
import { PostgresLimitStore } from "../../../lib/limits/postgres_limit_store.ts";
import { minuteMs } from "../../support/passwords/guesses.ts";
import { testInstances } from "../../support/limit_instances.ts";

testInstances(
  "deleteIdle() forgets what makes no difference, and of rows those tried longest ago",
  async ({ stores: [store] }) => {
    assert(store !== undefined);
    const counts = new PostgresLimitStore(store.database, { maxRows: 3 });
    const [row, hour] = [consecutiveFailures("row", 100), tokenBucket("hour", 10)];
    const now = 1_795_000_000_123;
    const countOf = (count: Partial<LimitState>) => ({ fullAt: 0, wrongCount: 0, openCount: 0, openedAt: 0, ...count });
    const kept: readonly [of: string, count: LimitState][] = [
      ["taken", countOf({ fullAt: now + 1 })],
      ["open", countOf({ openCount: 1, openedAt: now - minuteMs })],
      ["old", countOf({ wrongCount: 1, openedAt: now - 1_000 * minuteMs })],
    ];
    const gone: readonly [of: string, count: LimitState][] = [
      ["renewed", countOf({ fullAt: now })],
      ["given up", countOf({ openCount: 1, openedAt: now - minuteMs - 1 })],
      ["ended", countOf({})],
    ];
    const counterOf = (of: string) => ({ rule: ["taken", "renewed"].includes(of) ? hour : row, parts: [of] });
    for (const [of, count] of [...kept, ...gone]) await counts.update([counterOf(of)], () => [count]);
    assertEquals([await counts.deleteIdle(now), await counts.deleteIdle(now)], [3, 0]);
    for (const [of, count] of kept) assertEquals(await counts.read([counterOf(of)]), [count]);
    // Of another kind, which has room of its own.
    const others = Array.from(
      { length: 3 },
      (_, index) => ({ rule: consecutiveFailures("other", 100), parts: [`${index}`] }),
    );
    await counts.update(
      others,
      (given) => given.map(() => countOf({ wrongCount: 1, openedAt: now - 2_000 * minuteMs })),
    );
    for (const name of ["newer", "newest"]) {
      await counts.update([counterOf(name)], () => [countOf({ wrongCount: 1, openedAt: now + name.length })]);
    }
    assertEquals(await counts.deleteIdle(now), 1);
    assertEquals(
      (await counts.read([counterOf("old"), counterOf("newer")])).map((count) => count.wrongCount),
      [0, 1],
    );
    assertEquals((await counts.read(others)).map((count) => count.wrongCount), [1, 1, 1]);
  },
);

testInstances("deleteIdle() brings back to now what a clock that was ahead has taken", async ({ stores: [store] }) => {
  assert(store !== undefined);
  const counts = new PostgresLimitStore(store.database);
  const [row, hour] = [consecutiveFailures("row", 100), tokenBucket("hour", 10)];
  const now = 1_795_000_000_123;
  const aheadMs = 180 * minuteMs;
  const whole = (count: Partial<LimitState>) => ({ ...unused, ...count });
  const rows: readonly [kind: typeof row | typeof hour, of: string, before: LimitState, after: LimitState][] = [
    [
      hour,
      "one",
      whole({ fullAt: now + aheadMs + 6 * minuteMs, openedAt: now + aheadMs }),
      whole({ fullAt: now + 6 * minuteMs, openedAt: now }),
    ],
    [
      hour,
      "an earlier version's",
      whole({ fullAt: now + aheadMs }),
      whole({ fullAt: now + 60 * minuteMs, openedAt: now }),
    ],
    [hour, "in time", whole({ fullAt: now + 1, openedAt: now }), whole({ fullAt: now + 1, openedAt: now })],
    [
      row,
      "row",
      whole({ wrongCount: 3, openCount: 2, openedAt: now + aheadMs }),
      whole({ wrongCount: 3, openedAt: now }),
    ],
    [
      row,
      "a little",
      whole({ openCount: 2, openedAt: now + minuteMs }),
      whole({ openCount: 2, openedAt: now + minuteMs }),
    ],
  ];
  for (const [rule, of, before] of rows) await counts.update([{ rule, parts: [of] }], () => [before]);
  assertEquals(await counts.deleteIdle(now), 0);
  for (const [rule, of, before, after] of rows) {
    assertEquals(await counts.read([{ rule, parts: [of] }]), [after], of);
    // As in memory.
    assertEquals(clampToClock(before, now), after, of);
  }
});
