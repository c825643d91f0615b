/** What the throttle counts, and for whom; what the routes make of it is in test/routes/throttle_test.ts. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  type Change,
  createScene,
  first,
  minuteMs,
  other,
  otherClient,
  otherLogin,
  right,
  second,
  testScene,
} from "../../support/passwords/guesses.ts";

testScene(
  "LoginThrottle.run() lets a client try 10 wrong passwords of a login, and then none, not even the right one",
  async (createScene) => {
    const { guess, guesses } = await createScene();
    assertEquals(await guesses(12), "10 wrong, 2 wait 360");
    assertEquals(await guess({ password: right }), "wait 360");
    assertEquals(await guess({ password: right, client: second }), "right");
    assertEquals(await guess({ password: right, login: "bob" }), "right");
  },
);

testScene(
  "LoginThrottle.run() gives a client one more password of a login every 6 minutes, up to 10",
  async (createScene) => {
    const { clock, guesses } = await createScene();
    await guesses(10);
    clock.now += 6 * minuteMs - 1;
    assertEquals(await guesses(1), "1 wait 1");
    clock.now += 1;
    assertEquals(await guesses(2), "1 wrong, 1 wait 360");
    clock.now += 60 * minuteMs;
    assertEquals(await guesses(11), "10 wrong, 1 wait 360");
    clock.now += 600 * minuteMs;
    assertEquals(await guesses(11), "10 wrong, 1 wait 360");
  },
);

testScene("LoginThrottle.run() lets a client try 100 wrong passwords of all logins in an hour", async (createScene) => {
  const { clock, guess, guesses } = await createScene();
  assertEquals(await guesses(102, otherLogin), "100 wrong, 2 wait 36");
  assertEquals(await guess({ login: "new", password: right }), "wait 36");
  assertEquals(await guess({ login: "new", client: second }), "wrong");
  clock.now += 36_000;
  assertEquals(await guesses(2, () => ({ login: "new" })), "1 wrong, 1 wait 36");
});

testScene(
  "LoginThrottle.run() lets anybody try 100 wrong passwords of a login in a row, and time does not help",
  async (createScene) => {
    const { clock, guess, guesses } = await createScene();
    assertEquals(await guesses(102, otherClient), "100 wrong, 2 wait 3600");
    clock.now += 365 * 24 * 60 * minuteMs;
    assertEquals(await guess({ password: right }), "wait 3600");
    assertEquals(await guess({ login: "bob" }), "wrong");
  },
);

testScene("LoginThrottle.run() begins a new row with the right password", async (createScene) => {
  const { guess, guesses } = await createScene();
  assertEquals(await guesses(99, otherClient), "99 wrong");
  assertEquals(await guess({ password: right, client: second }), "right");
  assertEquals(await guesses(101, (index) => otherClient(1_000 + index)), "100 wrong, 1 wait 3600");
});

testScene(
  "LoginThrottle.run() begins a new row also with the right password that was a wrong one before",
  async (createScene) => {
    const { guess, guesses } = await createScene();
    const same = { password: "a new one", client: second };
    assertEquals(await guess(same), "wrong");
    assertEquals(await guesses(98, otherClient), "98 wrong");
    assertEquals(await guess(same, () => Promise.resolve({ isRight: true })), "right");
    assertEquals(await guesses(101, (index) => otherClient(1_000 + index)), "100 wrong, 1 wait 3600");
  },
);

testScene(
  "LoginThrottle.run() counts on what is being verified when a password is right that was a wrong one before",
  async (createScene) => {
    const { guess, guessesAtOnce, open } = await createScene();
    const same = { password: "a new one", client: second };
    assertEquals(await guess(same), "wrong");
    const opened = await Promise.all(Array.from({ length: 60 }, (_, index) => open(otherClient(index))));
    assertEquals(await guess(same, () => Promise.resolve({ isRight: true })), "right");
    assertEquals(await guessesAtOnce(41, (index) => otherClient(100 + index)), "40 wrong, 1 wait 1");
    for (const { end } of opened) assertEquals(await end(), "wrong");
  },
);

testScene("LoginThrottle.run() tells the longest wait where several apply", async (createScene) => {
  const ofOneClient = await createScene();
  assertEquals(await ofOneClient.guesses(90, otherLogin), "90 wrong");
  assertEquals(await ofOneClient.guesses(11), "10 wrong, 1 wait 360");
  assertEquals(await ofOneClient.guess({ login: "bob" }), "wait 36");

  const beingVerified = await createScene();
  await beingVerified.guesses(10);
  const opened = await Promise.all(Array.from({ length: 90 }, (_, index) => beingVerified.open(otherClient(index))));
  assertEquals([await beingVerified.guess(), await beingVerified.guess({ client: second })], ["wait 360", "wait 1"]);
  for (const { end } of opened) assertEquals(await end(false), "wrong");
  assertEquals(await beingVerified.guess(), "wait 3600");
});

testScene("LoginThrottle.run() verifies no more of any number at once than one after another", async (createScene) => {
  const rows: readonly [changeOf: (index: number) => Change, atOnce: string, after: string][] = [
    [() => ({}), "10 wrong, 190 wait 360", "wait 360"],
    [otherLogin, "100 wrong, 100 wait 36", "wait 36"],
    // They could all turn out right.
    [otherClient, "100 wrong, 100 wait 1", "wait 3600"],
    [other, "200 wrong", "wrong"],
  ];
  for (const [changeOf, atOnce, after] of rows) {
    const { guess, guessesAtOnce } = await createScene();
    assertEquals(await guessesAtOnce(200, changeOf), atOnce);
    assertEquals(await guess(changeOf(0)), after);
  }
});

testScene(
  "LoginThrottle.run() counts those that are being verified on, when the right one has ended the row",
  async (createScene) => {
    const { guess, guesses, open } = await createScene();
    const opened = await Promise.all(Array.from({ length: 60 }, (_, index) => open(otherClient(index))));
    assertEquals(await guesses(30, (index) => otherClient(100 + index)), "30 wrong");
    assertEquals(await guess({ password: right, client: second }), "right");
    const more = await Promise.all(Array.from({ length: 40 }, (_, index) => open(otherClient(200 + index))));
    assertEquals(await guess({ client: second }), "wait 1");
    assertEquals(await more[0]?.end(true), "right");
    assertEquals(await guess({ client: second }), "wrong");
    for (const { end } of [...opened, ...more.slice(1)]) assertEquals(await end(false), "wrong");
    assertEquals(await guess(otherClient(300)), "wait 3600");
  },
);

testScene(
  "LoginThrottle.run() counts for a minute what is being verified and does not end: its process may be gone",
  async (createScene) => {
    const { clock, guess, guesses, open } = await createScene();
    const opened = await Promise.all(Array.from({ length: 100 }, (_, index) => open(otherClient(index))));
    assertEquals(await guess({ client: second }), "wait 1");
    clock.now += minuteMs;
    assertEquals(await guess({ client: second }), "wait 1");
    clock.now += 1;
    assertEquals(await guesses(10, () => ({ client: second })), "10 wrong");
    // One that ends after all is counted.
    for (const { end } of opened.slice(0, 90)) assertEquals(await end(false), "wrong");
    assertEquals(await guess(otherClient(200)), "wait 3600");
    for (const { end } of opened.slice(90)) assertEquals(await end(true), "right");
  },
);

Deno.test("LoginThrottle.run() counts no right password", async () => {
  const { guess, guesses, guessesAtOnce } = createScene();
  assertEquals(await guesses(1_000, () => ({ password: right })), "1000 right");
  assertEquals(await guessesAtOnce(1_000, (index) => ({ password: right, login: `user${index % 50}` })), "1000 right");
  assertEquals(await guesses(11), "10 wrong, 1 wait 360");
  assertEquals(await guesses(91, otherLogin), "90 wrong, 1 wait 36");
  // It was changed, and is now a wrong one like any other.
  const old = (): Promise<{ isRight: boolean }> => Promise.resolve({ isRight: false });
  assertEquals(await guess({ password: right, client: second }), "right");
  assertEquals(await guess({ password: right, client: second }, old), "wrong");
  assertEquals(await guesses(10, () => ({ client: second })), "9 wrong, 1 wait 360");
});

testScene(
  "LoginThrottle.run() counts nothing that could not be verified, and throws what was thrown",
  async (createScene) => {
    const { guess, guesses } = await createScene();
    for (let index = 0; index < 300; index++) {
      const fail = () => Promise.reject(new RangeError("too many"));
      await assertRejects(() => guess({ password: `unseen ${index % 50}` }, fail), RangeError, "too many");
    }
    assertEquals(await guess({ password: "unseen 0" }), "wrong");
    assertEquals(await guesses(10), "9 wrong, 1 wait 360");
    assertEquals(await guesses(91, otherLogin), "90 wrong, 1 wait 36");
    assertEquals(await guesses(91, otherClient), "90 wrong, 1 wait 3600");
  },
);

testScene(
  "LoginThrottle.waitSecondsOf() says how long a client is to wait for a login by its own doing, and counts nothing",
  async (createScene) => {
    const { clock, throttle, guess, guesses } = await createScene();
    const client = first;
    for (let count = 0; count < 200; count++) assertEquals(await throttle.waitSecondsOf("alice", client), 0);
    assertEquals(await guesses(9), "9 wrong");
    assertEquals(await throttle.waitSecondsOf("alice", client), 0);
    assertEquals(await guess(), "wrong");
    assertEquals(await throttle.waitSecondsOf("alice", client), 360);
    assertEquals([await throttle.waitSecondsOf("bob", client), await throttle.waitSecondsOf("alice", second)], [0, 0]);
    assertEquals(await guesses(91, otherLogin), "90 wrong, 1 wait 36");
    // The longest where several apply.
    assertEquals(await Promise.all(["alice", "bob"].map((login) => throttle.waitSecondsOf(login, client))), [360, 36]);
    assertEquals(await throttle.waitSecondsOf("bob", second), 0);
    clock.now += 36_000;
    assertEquals(await Promise.all(["alice", "bob"].map((login) => throttle.waitSecondsOf(login, client))), [324, 0]);
    clock.now += 324_000;
    assertEquals(await throttle.waitSecondsOf("alice", client), 0);
  },
);
