/** What the throttle tells apart, and what it forgets when there is too much of it. */
import { assertEquals } from "@std/assert";
import {
  type Change,
  createScene,
  minuteMs,
  other,
  otherClient,
  right,
  second,
  testScene,
} from "../../support/passwords/guesses.ts";

testScene(
  "LoginThrottle.waitSecondsOf() makes nobody wait for what others or known devices have tried",
  async (createScene) => {
    const { throttle, guesses } = await createScene();
    assertEquals(await guesses(10, () => ({ device, client: second })), "10 wrong");
    assertEquals(await throttle.waitSecondsOf("alice", second), 0);
    assertEquals(await guesses(101, otherClient), "100 wrong, 1 wait 3600");
    assertEquals(await throttle.waitSecondsOf("alice", second), 0);
  },
);

const device = "a".repeat(22);

/** Two guesses each, of which the texts are the same when they are put together. */
const collisions: readonly [one: Change, other: Change][] = [
  [{ login: "a", client: "bc" }, { login: "ab", client: "c" }],
  [{ login: "a:b", client: "c" }, { login: "a", client: "b:c" }],
  [{ login: "a", client: "1:b" }, { login: "a1:", client: "b" }],
  [{ login: "1", client: "1234567890" }, { login: "10123456789", client: "" }],
  [{ login: "a", client: "" }, { login: "", client: "a" }],
  [{ client: "", device }, { client: device }],
  [{ device }, { login: `alice${device}` }],
];

for (const [one, another] of collisions) {
  testScene(
    `LoginThrottle.run() tells apart ${JSON.stringify(one)} and ${JSON.stringify(another)}`,
    async (createScene) => {
      const { guesses } = await createScene();
      assertEquals(await guesses(10, () => one), "10 wrong");
      assertEquals(await guesses(11, () => another), "10 wrong, 1 wait 360");
    },
  );
}

testScene(
  "LoginThrottle.run() tells apart passwords that are the same when put together with their client",
  async (createScene) => {
    const { guesses } = await createScene();
    await guesses(10, (index) => ({ client: "c", password: `d${index}` }));
    assertEquals(await guesses(11, (index) => ({ client: "cd", password: `${index}` })), "10 wrong, 1 wait 360");
  },
);

Deno.test("LoginThrottle.run() evicts a row and a wrong password after 100,000 others, and no earlier", async () => {
  const { clock, guess, guesses, open } = createScene();
  // Known devices are apart: one with a full row, and one that has no more tries in an hour.
  const [laptop, tablet] = ["laptop", "tablet"].map((device) => ({ login: "carol", device, client: second }));
  for (let hour = 0; hour < 10; hour++) {
    assertEquals(await guesses(10, () => laptop ?? {}), "10 wrong");
    clock.now += 60 * minuteMs;
  }
  assertEquals(await guesses(10, () => tablet ?? {}), "10 wrong");
  const same = { login: "bob", password: "an old one" };
  assertEquals(await guesses(2, () => same), "2 wrong");
  const opened = await open({ login: "dave" });
  assertEquals(await guesses(100, otherClient), "100 wrong");
  assertEquals(await guesses(99_898, (index) => other(1_000 + index)), "99898 wrong");
  assertEquals(await guesses(12, (index) => index === 0 ? same : { login: "bob" }), "10 wrong, 2 wait 360");
  assertEquals(await guess(otherClient(200)), "wait 3600");
  assertEquals(await guesses(101, (index) => other(200_000 + index)), "101 wrong");
  assertEquals(await guess(otherClient(200)), "wrong");
  // One that was being verified all the while is counted by itself.
  assertEquals(await opened.end(false), "wrong");
  const ofDave = (index: number) => ({ ...otherClient(index), login: "dave" });
  assertEquals(await guesses(100, ofDave), "99 wrong, 1 wait 3600");
  for (const device of [tablet, laptop]) {
    // Else a device that has used up its own tries would have the client's.
    assertEquals(await guesses(10, () => ({ login: "carol", client: second })), "10 wrong");
    assertEquals(await guess(device), "wait 360");
    clock.now += 60 * minuteMs;
  }
});

/** A guess from a /64 of its own in one /48, of a login of its own. */
const inNetwork = (index: number): Change => ({
  client: `2001:db8:0:${(index % 65_536).toString(16)}::/64`,
  login: `user${index}`,
});

Deno.test("LoginThrottle.run() limits an IPv6 /48 to 1,000 wrong passwords an hour, and a /56 to 400", async () => {
  const { clock, guess, guesses } = createScene();
  const ofOne56 = (index: number) => ({ ...inNetwork(index % 256), login: `user${index}` });
  assertEquals(await guesses(402, ofOne56), "400 wrong, 2 wait 9");
  const spread = (index: number) => inNetwork(256 + 257 * index % 65_000);
  assertEquals(await guesses(2_000, spread), "600 wrong, 1400 wait 4");
  const elsewhere = { client: "2001:db8:1:0::/64" };
  assertEquals([await guess(elsewhere), await guess({ ...elsewhere, password: right })], ["wrong", "right"]);
  clock.now += 3_600;
  assertEquals(await guesses(2, (index) => spread(3_000 + index)), "1 wrong, 1 wait 4");
});
