/** Which credentials are cached, and what simultaneous requests share. `basic_auth_test.ts` tests how they are read. */
import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { BasicAuthCache } from "../../../lib/accounts/basic_auth.ts";
import type { User } from "../../../lib/store.ts";
import { userOf } from "../../support/store/records.ts";

const minuteMs = 60 * 1_000;

/** The password of everybody here, with what may stand between it and a login. */
const secret = 'se:c","ret';

/** A memory over two users, with a clock that is put forward. */
function createScene() {
  const clock = { now: 1_795_000_000_123 };
  const memory = new BasicAuthCache(() => clock.now);
  const users = new Map<string, User>(["alice", "bob"].map((login) => [login, userOf(login)]));
  /** Logins whose hash takes for ever. */
  const slow = new Set<string>();
  /** What each verification was given up by. */
  const signals: AbortSignal[] = [];
  let verifyCount = 0;

  async function verify(login: string, isRight: boolean): Promise<User> {
    verifyCount++;
    const user = users.get(login);
    // A hash takes its time, in which much can happen.
    await (slow.has(login) ? new Promise(() => {}) : delay(0));
    if (isRight && user !== undefined && !user.disabled) return user;
    throw new RangeError("wrong");
  }

  /** Asks whose the credentials are. @returns the user, and whether anything was verified meanwhile */
  async function ask(
    login: string,
    password = secret,
    client = "192.0.2.1",
    hungUp = new AbortController().signal,
  ): Promise<[User | undefined, "verified" | "remembered"]> {
    const before = verifyCount;
    const user = await memory.userOf({ login, password }, {
      client,
      find: (asked) => Promise.resolve(users.get(asked)),
      hungUp,
      verify: (abandoned) => {
        signals.push(abandoned);
        return verify(login, password === secret);
      },
    });
    return [user, verifyCount > before ? "verified" : "remembered"];
  }

  return { clock, users, slow, signals, ask, verifyCount: () => verifyCount };
}

Deno.test("BasicAuthCache.userOf() verifies once, and caches for a minute", async () => {
  const { clock, ask } = createScene();
  assertEquals(await ask("alice"), [userOf("alice"), "verified"]);
  for (const afterMs of [0, minuteMs / 2, minuteMs / 2 - 1]) {
    clock.now += afterMs;
    assertEquals(await ask("alice"), [userOf("alice"), "remembered"]);
  }
  clock.now += 1;
  assertEquals(await ask("alice"), [userOf("alice"), "verified"]);
  assertEquals(await ask("alice"), [userOf("alice"), "remembered"]);
});

Deno.test("BasicAuthCache.userOf() caches for one client, and verifies the others", async () => {
  const { ask, verifyCount } = createScene();
  for (const client of ["192.0.2.1", "192.0.2.2", "", '192.0.2.1"']) {
    assertEquals(await ask("alice", secret, client), [userOf("alice"), "verified"], client);
  }
  for (const client of ["192.0.2.1", "192.0.2.2", "", '192.0.2.1"']) {
    assertEquals(await ask("alice", secret, client), [userOf("alice"), "remembered"], client);
  }
  assertEquals(verifyCount(), 4);
});

Deno.test("BasicAuthCache.userOf() separates password and client that are equal when concatenated", async () => {
  const { ask } = createScene();
  const rows: readonly [password: string, client: string][] = [
    [`${secret}1`, "92.0.2.1"],
    [secret.slice(0, -1), "t192.0.2.1"],
    [`${secret}","192.0.2.1`, ""],
    [secret.slice(0, secret.indexOf('"')), `${secret.slice(secret.lastIndexOf('"') + 1)}","192.0.2.1`],
  ];
  await ask("alice");
  for (const [password, client] of rows) {
    await assertRejects(() => ask("alice", password, client), RangeError, "wrong", `${password} ${client}`);
  }
});

/** What is not "alice" and her password, though it may be the same when put together. */
const wrong: readonly [login: string, password: string][] = [
  ["alice", "wrong"],
  ["alice", ""],
  ["alice", `${secret} `],
  ["alice", secret.toUpperCase()],
  ["alic", `e${secret}`],
  ["alices", 'e:c","ret'],
  ["", `alice${secret}`],
  ["alice:se", 'c","ret'],
  ['alice","se:c', "ret"],
  [`alice,${secret}`, ""],
];

Deno.test("BasicAuthCache.userOf() caches no wrong credentials, and verifies them each time", async () => {
  const { ask, verifyCount } = createScene();
  await ask("alice");
  for (const [login, password] of wrong) {
    for (let count = 0; count < 3; count++) await assertRejects(() => ask(login, password), RangeError, "wrong");
  }
  assertEquals(verifyCount(), 1 + 3 * wrong.length);
  assertEquals(await ask("alice"), [userOf("alice"), "remembered"]);
});

const changes: readonly [what: string, user: User | undefined, verifyCount: number][] = [
  ["the password is another", userOf("alice", { passwordHash: "another" }), 1],
  ["the user is disabled", userOf("alice", { disabled: true }), 1],
  ["the user is deleted", undefined, 1],
  ["the login is somebody else's", userOf("alice", { id: "another" }), 1],
  ["the user is in another group, by which nothing is forgotten", userOf("alice", { groups: ["staff"] }), 0],
];

for (const [what, user, expected] of changes) {
  /** What is kept from now on. */
  const change = ({ users }: ReturnType<typeof createScene>) => {
    if (user === undefined) users.delete("alice");
    else users.set("alice", user);
  };

  Deno.test(`BasicAuthCache.userOf() forgets at once who was right, and tells of users as kept: ${what}`, async () => {
    const scene = createScene();
    const { ask, verifyCount } = scene;
    await ask("alice");
    await ask("bob");
    change(scene);
    if (user === undefined || user.disabled) await assertRejects(() => ask("alice"), RangeError, "wrong");
    else assertEquals((await ask("alice"))[0], user);
    assertEquals(verifyCount(), 2 + expected);
    assertEquals(await ask("bob"), [userOf("bob"), "remembered"]);
  });

  Deno.test(`BasicAuthCache.userOf() tells of nobody who was changed while they were verified: ${what}`, async () => {
    const scene = createScene();
    const asked = scene.ask("alice");
    while (scene.verifyCount() === 0) await Promise.resolve();
    change(scene);
    assertEquals(await asked, [expected === 0 ? user : undefined, "verified"]);
  });
}

Deno.test("BasicAuthCache.userOf() has credentials verified once for any number at once", async () => {
  const { ask, verifyCount } = createScene();
  const logins = Array.from({ length: 50 }, (_, index) => index % 2 === 0 ? "alice" : "bob");
  const found = await Promise.all(logins.map((login) => ask(login)));
  assertEquals(found.map(([user]) => user?.login), logins);
  assertEquals(verifyCount(), 2);
});

Deno.test("BasicAuthCache.userOf() has credentials verified for each client that sends them at once", async () => {
  const { ask, verifyCount } = createScene();
  const found = await Promise.all(
    Array.from({ length: 50 }, (_, index) => ask("alice", secret, `client ${index % 5}`)),
  );
  assertEquals(found.map(([user]) => user?.login), Array(50).fill("alice"));
  assertEquals(verifyCount(), 5);
});

Deno.test("BasicAuthCache.userOf() lets nobody wait for the credentials of others", async () => {
  const { slow, ask } = createScene();
  slow.add("alice");
  ask("alice");
  await assertRejects(() => ask("bob", "wrong"), RangeError, "wrong");
  assertEquals(await ask("bob"), [userOf("bob"), "verified"]);
});

Deno.test("BasicAuthCache.userOf() refuses all requests of a failed verification and verifies later ones", async () => {
  const { users, ask, verifyCount } = createScene();
  users.set("alice", userOf("alice", { disabled: true }));
  const asked = Array.from({ length: 50 }, () => ask("alice"));
  while (verifyCount() === 0) await Promise.resolve();
  users.set("alice", userOf("alice"));
  const results = await Promise.allSettled(asked.map((promise) => assertRejects(() => promise, RangeError, "wrong")));
  assertEquals(results.map(({ status }) => status), Array(50).fill("fulfilled"));
  assertEquals(verifyCount(), 1);
  assertEquals(await ask("alice"), [userOf("alice"), "verified"]);
});

Deno.test("BasicAuthCache.userOf() returns no user to all requests if the user changed meanwhile", async () => {
  const { users, ask, verifyCount } = createScene();
  const asked = Array.from({ length: 3 }, () => ask("alice"));
  while (verifyCount() === 0) await Promise.resolve();
  users.set("alice", userOf("alice", { passwordHash: "another" }));
  assertEquals((await Promise.all(asked)).map(([user]) => user), [undefined, undefined, undefined]);
  assertEquals(verifyCount(), 1);
});

Deno.test("BasicAuthCache.userOf() cancels a verification once its last client is gone", async () => {
  const { slow, signals, ask, verifyCount } = createScene();
  slow.add("alice");
  const clients = Array.from({ length: 4 }, () => new AbortController());
  const askAll = (from: number) =>
    clients.slice(from).forEach(({ signal }) => void ask("alice", secret, "192.0.2.1", signal));
  askAll(0);
  while (verifyCount() === 0) await Promise.resolve();
  await delay(0);
  for (const [index, client] of clients.entries()) {
    assertEquals([index, signals[0]?.aborted], [index, false]);
    client.abort();
  }
  assertEquals(signals[0]?.aborted, true);
  // Whoever comes now waits for nothing that was given up.
  ask("alice");
  while (verifyCount() === 1) await Promise.resolve();
  assertEquals(signals.map(({ aborted }) => aborted), [true, false]);
});

Deno.test("BasicAuthCache.userOf() gives a verification up for who had hung up before it began", async () => {
  const { slow, signals, ask, verifyCount } = createScene();
  slow.add("alice");
  ask("alice", secret, "192.0.2.1", AbortSignal.abort());
  while (verifyCount() === 0) await Promise.resolve();
  assertEquals(signals.map(({ aborted }) => aborted), [true]);
});

Deno.test("BasicAuthCache.userOf() answers all waiting and late requests, though others hang up", async () => {
  const { ask, verifyCount } = createScene();
  const clients = Array.from({ length: 4 }, () => new AbortController());
  const asked = clients.map(({ signal }) => ask("alice", secret, "192.0.2.1", signal));
  while (verifyCount() === 0) await Promise.resolve();
  clients.slice(0, 3).forEach((client) => client.abort());
  asked.push(ask("alice"));
  for (const [user] of await Promise.all(asked)) assertEquals(user, userOf("alice"));
  assertEquals(verifyCount(), 1);
});

Deno.test("BasicAuthCache.userOf() remembers 10,000, and forgets who was verified longest ago", async () => {
  const { users, ask } = createScene();
  const logins = Array.from({ length: 10_001 }, (_, index) => `user${index}`);
  for (const login of logins) users.set(login, userOf(login));
  await Promise.all(logins.slice(0, 10_000).map((login) => ask(login)));
  assertEquals((await ask("user0"))[1], "remembered");
  assertEquals((await ask("user10000"))[1], "verified");
  assertEquals((await ask("user1"))[1], "remembered");
  assertEquals((await ask("user0"))[1], "verified");
});
