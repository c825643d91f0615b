/** Several instances on one database count as one. `limit_store_test.ts` has what every store of limits promises. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import {
  clampToClock,
  consecutiveFailures,
  type LimitState,
  tokenBucket,
  unused,
} from "../../../lib/limits/limit_rule.ts";
import { createLog } from "../../../lib/log.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import { StoreUnavailableError } from "../../../lib/store.ts";
import { openPostgresStore, type PostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { PostgresLimitStore } from "../../../lib/limits/postgres_limit_store.ts";
import { ensurePostgres, startPostgres, type TestPostgres } from "../../support/postgres.ts";
import {
  type Change,
  createScene,
  minuteMs,
  otherClient,
  otherLogin,
  right,
  type Scene,
  second,
} from "../../support/passwords/guesses.ts";

const ignore = !await ensurePostgres();

type Isolation = "read committed" | "repeatable read" | "serializable";

/** Instances, each with its own connections, on one database. */
class Instances implements AsyncDisposable {
  readonly server: TestPostgres;
  readonly stores: readonly PostgresStore[];
  readonly scenes: readonly Scene[];

  static async start(isolation: Isolation): Promise<Instances> {
    const server = await startPostgres();
    const address = parsePostgresUrl(await server.createDatabase("counted"));
    await server.sql("postgres").unsafe(`ALTER DATABASE counted SET default_transaction_isolation = '${isolation}'`);
    const open = () => openPostgresStore(address, { log: createLog(() => {}), callMs: 60_000 });
    return new Instances(server, [await open(), await open(), await open()]);
  }

  private constructor(server: TestPostgres, stores: readonly PostgresStore[]) {
    this.server = server;
    this.stores = stores;
    this.scenes = stores.map(({ database }) => createScene(new PostgresLimitStore(database)));
  }

  /** The scene of a number, in turn. */
  at(index: number): Scene {
    const scene = this.scenes[index % this.scenes.length];
    assert(scene !== undefined);
    return scene;
  }

  /** So many passwords, each another one, at once and spread over all. @returns how many of them came to what */
  async guessesAtOnce(count: number, changeOf: (index: number) => Change): Promise<Record<string, number>> {
    const guesses = Array.from({ length: count }, (_, index) => {
      const change = { password: `wrong at once ${index}`, ...changeOf(index) };
      // Each takes its time, so that some are settled while others are still taken.
      return this.at(index).guess(change, () => delay(index % 5).then(() => ({ isRight: false })));
    });
    const outcomes = Map.groupBy(await Promise.all(guesses), (outcome) => outcome.replace(/ .*/, ""));
    return Object.fromEntries(Array.from(outcomes, ([outcome, { length }]) => [outcome, length]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.stores) await store[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Registers a test that needs three instances. */
function testInstances(
  name: string,
  test: (instances: Instances) => Promise<void>,
  isolation: Isolation = "read committed",
): void {
  Deno.test({
    name: isolation === "read committed" ? name : `${name} (${isolation})`,
    ignore,
    async fn() {
      await using instances = await Instances.start(isolation);
      await test(instances);
    },
  });
}

const rows: readonly [what: string, changeOf: (index: number) => Change, verified: number][] = [
  ["of one client", () => ({}), 10],
  ["of one client at many logins", otherLogin, 100],
  ["of many clients at one login", otherClient, 100],
  // As a device, and then as a client.
  ["of a known device", () => ({ device: "laptop" }), 20],
];

// The latter two are how other engines do it, where what conflicts is done again.
for (const isolation of ["read committed", "repeatable read", "serializable"] as const) {
  testInstances("three instances verify as many of 200 wrong passwords at once as one does", async (instances) => {
    for (const [what, changeOf, verified] of rows) {
      await instances.server.sql("counted")`TRUNCATE gatehouse_count`;
      const outcomes = await instances.guessesAtOnce(200, (index) => ({ login: what, ...changeOf(index) }));
      assertEquals(outcomes, { wrong: verified, wait: 200 - verified }, what);
    }
    // Whoever changes several waits for nobody who waits for them.
    assert(!instances.server.log.includes("deadlock"), instances.server.log);
  }, isolation);
}

testInstances("what one instance has counted all know, and when it has ended or is forgotten", async (instances) => {
  const [one, other, third] = [instances.at(0), instances.at(1), instances.at(2)];
  assertEquals(await one.guesses(10), "10 wrong");
  assertEquals(await Promise.all([other, third].map(({ throttle }) => throttle.waitSecondsOf("alice", "192.0.2.1"))), [
    360,
    360,
  ]);
  assertEquals([await other.guess(), await third.guess({ password: right })], ["wait 360", "wait 360"]);
  assertEquals(await other.guesses(90, otherClient), "90 wrong");
  assertEquals(await third.guess({ password: right, client: second }), "wait 3600");
  await one.throttle.forget("alice");
  assertEquals(await third.guesses(99, (index) => otherClient(200 + index)), "99 wrong");
  assertEquals(await other.guess({ password: right, client: second }), "right");
  assertEquals(await one.guesses(101, (index) => otherClient(400 + index)), "100 wrong, 1 wait 3600");
});

testInstances("the same wrong password counts once for each instance", async ({ scenes, server }) => {
  for (const { guesses } of scenes) assertEquals(await guesses(50, () => ({ password: "an old one" })), "50 wrong");
  const [row] = await server.sql("counted")`SELECT wrong_count FROM gatehouse_count WHERE kind = 'login'`;
  assertEquals(row?.wrong_count, "3");
});

testInstances("what an instance was verifying when it was killed counts for a minute", async (instances) => {
  const [killed, ...others] = instances.scenes;
  assert(killed !== undefined);
  await Promise.all(Array.from({ length: 95 }, (_, index) => killed.open(otherClient(index))));
  assertEquals(await others[0]?.guesses(6, (index) => otherClient(200 + index)), "5 wrong, 1 wait 1");
  for (const { clock } of others) clock.now += minuteMs + 1;
  assertEquals(await others[1]?.guesses(96, (index) => otherClient(300 + index)), "95 wrong, 1 wait 3600");
});

testInstances("the database tells neither whose passwords were tried, nor which", async ({ scenes, server }) => {
  await scenes[0]?.guesses(3, () => ({ login: "my own secret", client: "198.51.100.7" }));
  await scenes[0]?.guesses(3, () => ({ login: "my own secret", client: "198.51.100.7", device: "laptop" }));
  const kept = await server.sql("counted")`SELECT * FROM gatehouse_count ORDER BY kind`;
  // One row each, however many passwords there were: nothing is kept of these.
  assertEquals(kept.map(({ kind }) => kind), [
    "client",
    "device",
    "device-hour",
    "device-login",
    "login",
    "login-client",
  ]);
  const text = JSON.stringify(kept);
  for (const secret of ["my own secret", "198.51.100.7", "laptop"]) assert(!text.includes(secret), text);
});

testInstances("what counts nothing, or no more, leaves nothing behind", async ({ stores, scenes, server }) => {
  const [[store], [scene]] = [stores, scenes];
  assert(store !== undefined && scene !== undefined);
  const kindsKept = async () => (await server.sql("counted")`SELECT kind FROM gatehouse_count`).map(({ kind }) => kind);
  const counter = { rule: tokenBucket("hour", 10), parts: ["a"] };
  await new PostgresLimitStore(store.database).update([counter], () => undefined);
  assertEquals(await scene.guess({ password: right }), "right");
  await assertRejects(() => scene.guess({}, () => Promise.reject(new RangeError("too many"))), RangeError);
  await scene.throttle.forget("alice");
  assertEquals(await kindsKept(), []);
  await scene.guess();
  await scene.guess({ password: right });
  assertEquals((await kindsKept()).toSorted(), ["client", "login-client"]);
});

testInstances("nothing is verified while the database is gone, and nobody is told of what was", async (instances) => {
  const { guess, open, throttle } = instances.at(0);
  const opened = await open();
  await instances.server.stop();
  let isVerified = false;
  const verify = () => {
    isVerified = true;
    return Promise.resolve({ isRight: true });
  };
  await assertRejects(() => guess({ password: right }, verify), StoreUnavailableError);
  await assertRejects(() => guess({ password: right, device: "laptop" }, verify), StoreUnavailableError);
  await assertRejects(() => throttle.waitSecondsOf("alice", "192.0.2.1"), StoreUnavailableError);
  await assertRejects(() => throttle.forget("alice"), StoreUnavailableError);
  assertEquals(isVerified, false);
  await assertRejects(() => opened.end(true), StoreUnavailableError);
  await instances.server.start();
  assertEquals(await guess({ password: right }), "right");
  assertEquals(await instances.at(1).guesses(10), "9 wrong, 1 wait 360");
});

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
