/** Identical guesses, one after another and at once: they count as one, and none is free. */
import { assertEquals } from "@std/assert";
import {
  type Change,
  createScene,
  minuteMs,
  type OpenGuess,
  otherClient,
  otherLogin,
  right,
  second,
  testScene,
} from "../../support/passwords/guesses.ts";

testScene("LoginThrottle.run() does not count the same wrong password again", async (createScene) => {
  const { clock, guess, guesses, guessesAtOnce } = await createScene();
  const same = { password: "an old one" };
  assertEquals(await guessesAtOnce(200, () => same), "200 wrong");
  assertEquals(await guesses(200, () => same), "200 wrong");
  assertEquals(await guess({ password: right }), "right");
  assertEquals(await guesses(200, () => same), "200 wrong");
  assertEquals(await guesses(10), "9 wrong, 1 wait 360");
  // Nor is it looked at while none is.
  assertEquals(await guess(same), "wait 360");
  clock.now += 60 * minuteMs;
  assertEquals(await guesses(200, () => same), "200 wrong");
  assertEquals(await guesses(11), "10 wrong, 1 wait 360");
});

testScene("LoginThrottle.run() takes both Unicode forms of a password for the same", async (createScene) => {
  const { guesses } = await createScene();
  const forms = ["NFC", "NFD"].map((form) => ({ password: "sept éléphants à Nîmes".normalize(form) }));
  assertEquals(await guesses(100, (index) => forms[index % 2] ?? {}), "100 wrong");
  assertEquals(await guesses(10), "9 wrong, 1 wait 360");
});

testScene(
  "LoginThrottle.run() counts a wrong password that another has tried: who guesses learns nothing from it",
  async (createScene) => {
    for (const change of [{ client: second }, { login: "bob" }]) {
      const { guess, guesses } = await createScene();
      const same = { password: "an old one" };
      await guess(same);
      assertEquals(await guess({ ...same, ...change }), "wrong");
      assertEquals(await guesses(10, () => change), "9 wrong, 1 wait 360");
    }
  },
);

Deno.test("LoginThrottle.run() counts a wrong password sent twice if the first is not verified", async () => {
  const { guess, guesses } = createScene();
  const fail = () => Promise.reject(new RangeError("too many"));
  /** The second outcome of each. */
  async function guessTwice(change: Change): Promise<string> {
    const [refused, outcome] = await Promise.allSettled([guess(change, fail), guess(change)]);
    assertEquals(refused.status === "rejected" || refused.value.startsWith("wait"), true);
    return outcome.status === "fulfilled" ? outcome.value : outcome.status;
  }
  const outcomes = [];
  for (let index = 0; index < 500; index++) outcomes.push(await guessTwice({ password: `twice ${index}` }));
  assertEquals(outcomes, [...Array(10).fill("wrong"), ...Array(490).fill("wait 360")]);
  assertEquals(await guesses(1), "1 wait 360");
  // In a row, and of the client, just as well, and once however often it comes.
  assertEquals(await guesses(91, otherClient), "90 wrong, 1 wait 3600");
  assertEquals(await guesses(91, otherLogin), "90 wrong, 1 wait 36");
});

testScene(
  "LoginThrottle.run() counts once what is tried many times at once, of which the first are not verified",
  async (createScene) => {
    const { guess, guesses } = await createScene();
    const fail = () => Promise.reject(new RangeError("too many"));
    const same = { password: "an old one" };
    const verifies = Array.from({ length: 50 }, (_, index) => index < 25 ? fail : undefined);
    const results = await Promise.allSettled(verifies.map((verify) => guess(same, verify)));
    assertEquals(results.filter(({ status }) => status === "rejected").length, 25);
    assertEquals(await guess(same), "wrong");
    assertEquals(await guesses(10), "9 wrong, 1 wait 360");
    assertEquals(await guesses(91, otherClient), "90 wrong, 1 wait 3600");
  },
);

testScene(
  "LoginThrottle.run() counts no right password that is tried twice at once, and the first time not verified",
  async (createScene) => {
    const { guess, guesses } = await createScene();
    const fail = () => Promise.reject(new RangeError("too many"));
    for (let index = 0; index < 200; index++) {
      const [, outcome] = await Promise.allSettled([guess({ password: right }, fail), guess({ password: right })]);
      assertEquals(outcome, { status: "fulfilled", value: "right" });
    }
    assertEquals(await guesses(11), "10 wrong, 1 wait 360");
  },
);

Deno.test("LoginThrottle.run() counts identical guesses when the first client hangs up", async () => {
  const { guess, open } = createScene();
  const seconds: OpenGuess[] = [];
  const outcomes: unknown[] = [];
  for (let index = 0; index < 30; index++) {
    const change = { password: `wrong ${index}` };
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: hungUp, reject: hangUp } = Promise.withResolvers<{ isRight: boolean }>();
    const first = guess(change, () => (begin(), hungUp)).catch(() => "hung up");
    const second = open(change);
    await Promise.race([begun, first]);
    hungUp.catch(() => {});
    hangUp(new Error("hung up"));
    await first;
    seconds.push(await second);
  }
  for (const { end } of seconds) outcomes.push(await end(false));
  assertEquals(outcomes, [...Array(10).fill("wrong"), ...Array(20).fill("wait 360")]);
});
