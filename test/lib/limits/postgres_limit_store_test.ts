/** Several instances on one database count as one. `limit_store_test.ts` has what every store of limits promises. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { tokenBucket } from "../../../lib/limits/limit_rule.ts";
import { StoreUnavailableError } from "../../../lib/store.ts";
import { PostgresLimitStore } from "../../../lib/limits/postgres_limit_store.ts";
import { type Change, minuteMs, otherClient, otherLogin, right, second } from "../../support/passwords/guesses.ts";
import { testInstances } from "../../support/limit_instances.ts";

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
