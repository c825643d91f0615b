/** A clock that was 3 h ahead locks nobody out once it is corrected, and allows no more than the rules. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { BasicAuthCache } from "../../../lib/accounts/basic_auth.ts";
import {
  clampToClock,
  clientLimit,
  consecutiveFailures,
  hourMs,
  tokenBucket,
  unused,
} from "../../../lib/limits/limit_rule.ts";
import { RecentHistogram } from "../../../lib/metrics/histogram.ts";
import { MemoryLimitStore, RateLimiter } from "../../../lib/limits/rate_limiter.ts";
import { MinuteCounter } from "../../../lib/metrics/minute_counter.ts";
import { openAppOfAlice } from "../../support/app.ts";
import { openAdminApp, outcomeOf } from "../../support/accounts.ts";
import { type Change, otherClient, otherLogin, right, testScene } from "../../support/passwords/guesses.ts";
import { userOf } from "../../support/store/records.ts";

const now = 1_795_000_000_123;
const minuteMs = 60_000;
const aheadMs = 3 * hourMs;

const device = "a".repeat(22);
/** What uses up each rule of the throttle, after how many, and how long one more waits. */
const rows: readonly (readonly [title: string, changeOf: (index: number) => Change, limit: number, wait: number])[] = [
  ["of one login by one client", () => ({}), 10, 360],
  ["of any logins by one client", otherLogin, 100, 36],
];

for (const [title, changeOf, limit, wait] of rows) {
  testScene(`a clock that was 3 h ahead charges for what was tried, and no more: ${title}`, async (createScene) => {
    const some = await createScene();
    some.clock.now += aheadMs;
    assertEquals(await some.guesses(1, changeOf), "1 wrong");
    some.clock.now -= aheadMs;
    assertEquals(await some.guesses(limit, changeOf), `${limit - 1} wrong, 1 wait ${wait}`);

    const all = await createScene();
    all.clock.now += aheadMs;
    assertEquals(await all.guesses(limit + 1, changeOf), `${limit} wrong, 1 wait ${wait}`);
    all.clock.now -= aheadMs;
    assertEquals(await all.guesses(1, changeOf), `1 wait ${wait}`);
    all.clock.now += wait * 1_000;
    assertEquals(await all.guesses(2, changeOf), `1 wrong, 1 wait ${wait}`);
    all.clock.now += hourMs;
    assertEquals(await all.guesses(limit + 1, changeOf), `${limit} wrong, 1 wait ${wait}`);
  });
}

testScene("a clock that was 3 h ahead leaves nothing being verified for longer than a minute", async (createScene) => {
  const { clock, guess, open } = await createScene();
  clock.now += aheadMs;
  const opened = await Promise.all(Array.from({ length: 100 }, (_, index) => open(otherClient(index))));
  assertEquals(await guess({ client: "192.0.2.9" }), "wait 1");
  clock.now -= aheadMs;
  assertEquals(await guess({ client: "192.0.2.9" }), "wrong");
  for (const { end } of opened) await end(true);
});

testScene(
  "a clock that was 3 h ahead gives a known device its own tries, and not those of an hour later",
  async (createScene) => {
    const { clock, guesses } = await createScene();
    clock.now += aheadMs;
    assertEquals(await guesses(4, () => ({ device })), "4 wrong");
    clock.now -= aheadMs;
    // Its own, and then the client's.
    assertEquals(await guesses(17, () => ({ device })), "16 wrong, 1 wait 360");
    clock.now += 6 * minuteMs;
    assertEquals(await guesses(1, () => ({ device, password: right })), "1 right");
  },
);

Deno.test("a limit used up by a clock 3 h ahead allows the next attempt at its time, even if only read", async () => {
  for (const asks of ["waitSeconds", "take"] as const) {
    const clock = { now: now + aheadMs };
    const limiter = new RateLimiter(new MemoryLimitStore(), () => clock.now);
    const keys = clientLimit("test", 60)("a");
    for (let count = 0; count < 60; count++) assertEquals(await limiter.take(keys), 0);
    clock.now = now;
    assertEquals(await limiter[asks](keys), 60);
    clock.now += 59_000;
    assertEquals(await limiter[asks](keys), 1);
    clock.now += 1_000;
    assertEquals([await limiter.take(keys), await limiter.take(keys)], [0, 60]);
    clock.now -= aheadMs;
    await limiter.putBack(keys);
    assertEquals([await limiter.take(keys), await limiter.take(keys)], [0, 60]);
  }
});

const rules = [tokenBucket("test", 10), consecutiveFailures("test", 10)];
for (const [index, rule] of rules.entries()) {
  Deno.test(`a count is used as it is while clocks differ by no more than a minute, of rule ${index}`, () => {
    const taken = rule.take(unused, now);
    for (const offMs of [-minuteMs, -1, 0, 1]) assertEquals(clampToClock(taken, now + offMs), taken);
    assertEquals(clampToClock(taken, now - minuteMs - 1) === taken, false);
  });

  Deno.test(`no count makes anybody wait longer than its rule, however far ahead it is, of rule ${index}`, () => {
    for (const openedAt of [0, now, now + 1, now + aheadMs, Number.MAX_SAFE_INTEGER]) {
      for (const fullAt of [0, now + aheadMs, Number.MAX_SAFE_INTEGER]) {
        const count = { fullAt, openedAt, wrongCount: 0, openCount: 10 };
        assertLessOrEqual(rule.waitSeconds(clampToClock(count, now), now), 360);
        // What is brought back needs no second time.
        const back = clampToClock(count, now);
        assertEquals(clampToClock(back, now), back);
        assertLessOrEqual(rule.waitSeconds(back, now + hourMs), 0);
      }
    }
  });
}

Deno.test("a Basic password that was right 3 h ahead is cached for a minute of the right clock at most", async () => {
  const clock = { now: now + aheadMs };
  const memory = new BasicAuthCache(() => clock.now);
  let verifiedCount = 0;
  const user = userOf("alice");
  const ask = () =>
    memory.userOf({ login: "alice", password: "x" }, {
      client: "192.0.2.1",
      hungUp: new AbortController().signal,
      find: () => Promise.resolve(user),
      verify: () => Promise.resolve((verifiedCount++, user)),
    });
  for (let count = 0; count < 2; count++) assertEquals(await ask(), user);
  assertEquals(verifiedCount, 1);
  clock.now = now;
  for (let count = 0; count < 2; count++) assertEquals(await ask(), user);
  assertEquals(verifiedCount, 2);
  clock.now += minuteMs;
  assertEquals([await ask(), verifiedCount], [user, 3]);
});

Deno.test("figures of the last minutes begin anew when the clock was 3 h ahead", () => {
  const clock = { now: now + aheadMs };
  const counter = new MinuteCounter(() => clock.now);
  const histogram = new RecentHistogram([1, 2], () => clock.now);
  counter.add();
  histogram.observe(1.5);
  assertEquals([counter.lastHour.at(-1), histogram.recentQuantiles([0.5])], [1, [1.5]]);
  clock.now = now;
  assertEquals([counter.lastHour.at(-1), counter.total, histogram.recentQuantiles([0.5])], [0, 1, [undefined]]);
  counter.add();
  histogram.observe(0.5);
  clock.now += minuteMs;
  assertEquals([counter.lastHour.at(-1), counter.lastHour.at(-2), counter.total], [0, 1, 2]);
});

Deno.test("a session that was made 3 h ahead lives no longer than another that is used, and is not fresh", async () => {
  const opened = await openAdminApp({
    settings: { GATEHOUSE_SESSION_IDLE_HOURS: "1", GATEHOUSE_SESSION_MAX_HOURS: "2" },
  });
  const { app, clock, send } = opened;
  await opened.addUser("alice");
  clock.now += aheadMs;
  const token = await opened.logIn();
  clock.now -= aheadMs;
  assertEquals(outcomeOf(await send("DELETE", "/user/alice", { token })), "403 login-again");
  // Brought back by its first use.
  const { session } = await app.store.findSession(token.slice(0, 26)) ?? {};
  assertEquals([session?.createdAt, session?.lastSeenAt], [clock.now, clock.now]);
  for (const [afterMs, status] of [[hourMs - 1, 200], [hourMs - 1, 200], [2, 401]] as const) {
    clock.now += afterMs;
    assertEquals((await send("GET", "/session/", { token })).status, status);
  }
});

Deno.test("one wrong password 3 h ahead keeps nobody out when the clock is corrected", async () => {
  const { clock, send } = await openAppOfAlice();
  clock.now += aheadMs;
  const wrong = { login: "alice", password: "wrong" };
  assertEquals(outcomeOf(await send("POST", "/session/", { json: wrong })), "401 wrong-credentials");
  clock.now -= aheadMs;
  for (let count = 0; count < 9; count++) {
    const json = { ...wrong, password: `wrong ${count}` };
    assertEquals(outcomeOf(await send("POST", "/session/", { json })), "401 wrong-credentials");
  }
  const { headers, status } = await send("POST", "/session/", { json: { ...wrong, password: "wrong 10" } });
  assertEquals([status, headers.get("retry-after")], [429, "360"]);
});
