/** Known devices of a login, and how a locked login is unlocked. */
import { assertEquals } from "@std/assert";
import {
  type Change,
  createScene,
  minuteMs,
  otherClient,
  otherLogin,
  right,
  type Scene,
  second,
  testScene,
} from "../../support/passwords/guesses.ts";

const laptop: Change = { device: "laptop-00000000000000", client: second };
const phone: Change = { device: "phone-000000000000000", client: second };

/** Everything that can shut the owner out, by others. */
const floods: readonly [what: string, changeOf: (index: number) => Change][] = [
  ["the same client", () => ({ client: second })],
  ["the same client, of all logins", (index) => ({ ...otherLogin(index), client: second })],
  ["a hundred clients", otherClient],
];

for (const [what, changeOf] of floods) {
  testScene(
    `LoginThrottle.run() takes the owner's password from a known device while others guess: ${what}`,
    async (createScene) => {
      const { guess, guesses } = await createScene();
      await guesses(100, changeOf);
      assertEquals((await guess({ client: second, password: right })).slice(0, 4), "wait");
      assertEquals(await guesses(10, () => laptop), "10 wrong");
      assertEquals(await guess({ ...phone, password: right }), "right");
    },
  );
}

testScene(
  "LoginThrottle.run() takes a known device that has tried 10 wrong passwords in an hour for any other client",
  async (createScene) => {
    const { clock, guess, guesses } = await createScene();
    // As a device, wherever it is, and then as a client.
    assertEquals(await guesses(10, (index) => ({ ...laptop, ...otherClient(index) })), "10 wrong");
    assertEquals(await guesses(11, () => laptop), "10 wrong, 1 wait 360");
    assertEquals(await guess({ ...laptop, password: right }), "wait 360");
    assertEquals(await guess(phone), "wrong");
    clock.now += 6 * minuteMs;
    assertEquals(await guesses(3, () => laptop), "2 wrong, 1 wait 360");
  },
);

testScene(
  "LoginThrottle.run() lets a known device try 10 wrong passwords in an hour of a login that takes no more",
  async (createScene) => {
    const { clock, guess, guesses } = await createScene();
    await guesses(100, otherClient);
    assertEquals(await guesses(12, (index) => ({ ...laptop, ...otherClient(200 + index) })), "10 wrong, 2 wait 3600");
    assertEquals(await guess({ ...laptop, password: right }), "wait 3600");
    clock.now += 6 * minuteMs;
    assertEquals(await guess({ ...laptop, password: right }), "right");
  },
);

/** Tries 10 wrong passwords an hour from a known device, wherever it is. */
async function fillRow({ clock, guesses }: Scene, hours = 10): Promise<void> {
  for (let hour = 0; hour < hours; hour++) {
    assertEquals(await guesses(10, (index) => ({ ...laptop, ...otherClient(hour * 10 + index) })), "10 wrong");
    clock.now += 60 * minuteMs;
  }
}

testScene(
  "LoginThrottle.run() lets a known device into a login that takes no more, but for 100 wrong passwords in a row",
  async (createScene) => {
    const scene = await createScene();
    const { guess, guesses } = scene;
    await guesses(100, otherClient);
    await fillRow(scene);
    assertEquals(await guess({ ...laptop, password: right }), "wait 3600");
    assertEquals(await guess({ ...phone, password: right }), "right");
  },
);

testScene("LoginThrottle.run() begins a new row of a known device with the right password", async (createScene) => {
  const { clock, guess, guesses } = await createScene();
  for (let hour = 0; hour < 20; hour++) {
    assertEquals(await guesses(9, () => laptop), "9 wrong");
    assertEquals(await guess({ ...laptop, password: right }), "right");
    clock.now += 60 * minuteMs;
  }
  // It is known as before.
  await guesses(100, otherClient);
  assertEquals(await guess({ ...laptop, password: right }), "right");
});

testScene("LoginThrottle.run() verifies no more of a known device at once", async (createScene) => {
  const { guessesAtOnce } = await createScene();
  assertEquals(await guessesAtOnce(200, () => laptop), "20 wrong, 180 wait 360");
});

testScene("LoginThrottle.run() counts what a known device tries for nobody else", async (createScene) => {
  const scene = await createScene();
  const { guess, guesses } = scene;
  await fillRow(scene);
  assertEquals(await guesses(11, () => ({ client: second })), "10 wrong, 1 wait 360");
  assertEquals(await guesses(91, (index) => ({ ...otherLogin(index), client: second })), "90 wrong, 1 wait 36");
  assertEquals(await guess({ password: right }), "right");
});

testScene("LoginThrottle.run() knows a device for its login alone", async (createScene) => {
  const scene = await createScene();
  const { guesses } = scene;
  for (const login of ["alice", "bob"]) await guesses(100, (index) => ({ ...otherClient(index), login }));
  assertEquals(await guesses(11, () => laptop), "10 wrong, 1 wait 3600");
  assertEquals(await guesses(11, () => ({ ...laptop, login: "bob" })), "10 wrong, 1 wait 3600");
  scene.clock.now += 60 * minuteMs;
  await fillRow(scene, 9);
  assertEquals(await guesses(1, () => laptop), "1 wait 3600");
  assertEquals(await guesses(11, () => ({ ...laptop, login: "bob" })), "10 wrong, 1 wait 3600");
});

testScene(
  "LoginThrottle.run() counts a wrong password of a known device that another has tried, and the same again not",
  async (createScene) => {
    const { guess, guesses } = await createScene();
    const same = { password: "an old one" };
    await guess({ ...same, client: second });
    await guesses(100, otherClient);
    assertEquals(await guesses(50, () => ({ ...laptop, ...same })), "50 wrong");
    assertEquals(await guesses(10, () => laptop), "9 wrong, 1 wait 3600");
  },
);

testScene(
  "LoginThrottle.run() opens a login to everybody by the right password from a known device",
  async (createScene) => {
    const { guess, guesses } = await createScene();
    await guesses(100, otherClient);
    assertEquals(await guess({ ...laptop, password: right }), "right");
    assertEquals(await guesses(101, (index) => otherClient(200 + index)), "100 wrong, 1 wait 3600");
  },
);

testScene("LoginThrottle.forget() opens a login again, and no other", async (createScene) => {
  const { throttle, guess, guesses } = await createScene();
  await guesses(100, otherClient);
  await guesses(100, (index) => ({ ...otherClient(index), login: "bob" }));
  await throttle.forget("alice");
  assertEquals(await guess({ login: "bob", client: second }), "wait 3600");
  assertEquals(await guesses(101, (index) => otherClient(200 + index)), "100 wrong, 1 wait 3600");
});

Deno.test("LoginThrottle.forget() leaves a login closed when 100,000 others are opened, that were not", async () => {
  const { throttle, guess, guesses } = createScene();
  await guesses(100, otherClient);
  for (let index = 0; index < 100_000; index++) await throttle.forget(`user${index}`);
  assertEquals(await guess({ password: right, client: second }), "wait 3600");
});

testScene("LoginThrottle.forget() ends a row also when it is not full", async (createScene) => {
  const { throttle, guesses } = await createScene();
  await guesses(99, otherClient);
  await throttle.forget("alice");
  assertEquals(await guesses(101, (index) => otherClient(200 + index)), "100 wrong, 1 wait 3600");
});

testScene("LoginThrottle.forget() gives nobody more passwords in an hour", async (createScene) => {
  const { throttle, guesses } = await createScene();
  await guesses(10);
  await throttle.forget("alice");
  assertEquals(await guesses(1), "1 wait 360");
});

testScene("LoginThrottle.forget() counts on what is being verified", async (createScene) => {
  const { throttle, guess, guesses, open } = await createScene();
  const opened = await Promise.all(Array.from({ length: 60 }, (_, index) => open(otherClient(index))));
  await throttle.forget("alice");
  assertEquals(await guesses(40, (index) => otherClient(100 + index)), "40 wrong");
  assertEquals(await guess({ client: second }), "wait 1");
  for (const { end } of opened) assertEquals(await end(false), "wrong");
  assertEquals(await guess({ client: second }), "wait 3600");
});

testScene(
  "LoginThrottle.forget() opens a login also to a known device that has tried too much",
  async (createScene) => {
    const scene = await createScene();
    const { throttle, guess, guesses } = scene;
    await guesses(100, otherClient);
    await fillRow(scene);
    await throttle.forget("alice");
    assertEquals(await guess({ ...laptop, password: right }), "right");
  },
);

testScene(
  "LoginThrottle.run() lets all known devices of a login try 100 wrong passwords in an hour",
  async (createScene) => {
    const { clock, guess, guesses } = await createScene();
    const many = (index: number): Change => ({ device: `device ${index}`, client: "192.0.2.7" });
    // Then they are like any other client.
    assertEquals(await guesses(111, many), "110 wrong, 1 wait 360");
    assertEquals(await guess({ ...many(0), login: "bob" }), "wrong");
    clock.now += 36_000;
    assertEquals(await guesses(2, (index) => many(200 + index)), "1 wrong, 1 wait 324");
  },
);
