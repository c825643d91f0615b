/**
 * Who may log in: the uniform answer and the lab's exact one, hashes of an older cost, and users who change meanwhile.
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { iterationsOf } from "../../lib/passwords/password_hash.ts";
import { type Store, StoreClosedError, StoreFullError, StoreUnavailableError, type User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { alice, openAppOfAlice, openTestApp, type Reply, type TestApp } from "../support/app.ts";
import { spyOnDerive } from "../support/passwords/derivations.ts";
import { deleteByLogin } from "../support/store/records.ts";

/** Changes a user once, right after it was looked up: while the password is verified. */
class ChangingStore extends TableStore {
  /** What is to become of the user who is looked up next. */
  change: ((user: User) => Promise<unknown>) | undefined;

  override async findUser(login: string): Promise<User | undefined> {
    const user = await super.findUser(login);
    const { change } = this;
    if (user === undefined || change === undefined) return user;
    this.change = undefined;
    await change(user);
    return user;
  }
}

const wrong = { ...alice, password: "nine yellow emus dance" };

async function userOf(store: Store, login: string): Promise<User> {
  const user = await store.findUser(login);
  assert(user !== undefined);
  return user;
}

/** Registers `bob`, with the password of `alice`, and disables him. */
async function addDisabledBob({ app, send }: TestApp): Promise<void> {
  assertEquals((await send("POST", "/user/", { json: { ...alice, login: "bob" } })).status, 201);
  const bob = await userOf(app.store, "bob");
  assertEquals(await app.store.replaceUser(bob, { ...bob, disabled: true }), "done");
}

/** Tries to log in. @returns the reply without its id, and the iterations of each derivation */
async function tryToLogIn({ send }: TestApp, json: unknown) {
  using spy = spyOnDerive();
  const { status, headers, text } = await send("POST", "/session/", { json });
  const requestId = headers.get("x-request-id") ?? "";
  headers.delete("x-request-id");
  return { status, headers: Array.from(headers), text: text.replaceAll(requestId, "ID"), costs: spy.costs };
}

const refused: [what: string, credentials: { login: string; password: string }][] = [
  ["a wrong password", wrong],
  ["an unknown login", { ...alice, login: "nobody" }],
  ["a disabled account", { ...alice, login: "bob" }],
  ["a disabled account and a wrong password", { ...wrong, login: "bob" }],
  ["a login that nobody can have", { ...alice, login: "a b:\0" }],
  ["an inherited name", { ...alice, login: "__proto__" }],
  ["an empty login", { ...alice, login: "" }],
  ["an empty password", { ...alice, password: "" }],
  ["a password that nobody can have", { ...alice, password: "x".repeat(10_000) }],
];

for (const [what, credentials] of refused) {
  Deno.test(`logIn() answers as to a wrong password, for the work of one hash: ${what}`, async () => {
    const opened = await openAppOfAlice();
    await addDisabledBob(opened);
    assertEquals(await tryToLogIn(opened, credentials), {
      status: 401,
      headers: [
        ["cache-control", "no-store"],
        ["content-type", "application/problem+json"],
        ["www-authenticate", 'Bearer realm="gatehouse"'],
        ["x-content-type-options", "nosniff"],
      ],
      text: '{"type":"/problem/wrong-credentials","title":"Wrong login or password","status":401}',
      costs: [100],
    });
  });
}

Deno.test("logIn() does the work of one hash for the right password too", async () => {
  const { status, costs } = await tryToLogIn(await openAppOfAlice(), alice);
  assertEquals([status, costs], [201, [100]]);
});

Deno.test("logIn() logs the same for each of the refused, with the login of those who are registered", async () => {
  const opened = await openAppOfAlice();
  await addDisabledBob(opened);
  const logged: unknown[] = [];
  for (const [, credentials] of refused) {
    const before = opened.lines.length;
    await tryToLogIn(opened, credentials);
    const lines = opened.lines.slice(before).map((line) => JSON.parse(line));
    logged.push(lines.map(({ time: _time, ms: _ms, requestId: _id, ...rest }) => rest));
  }
  const common = { level: "info", clientAddress: "127.0.0.1" };
  const request = { ...common, event: "request", method: "POST", route: "/session/", status: 401 };
  const failed = { ...common, event: "login-failed", audit: true };
  const expected = refused.map(([, { login }]) => {
    const isRegistered = login === "alice" || login === "bob";
    return [isRegistered ? { ...failed, user: login } : failed, request];
  });
  assertEquals(logged, expected);
});

const exactAnswers: [login: string, status: number, type: string, challenge: string | null][] = [
  ["alice", 401, "/problem/wrong-password", 'Bearer realm="gatehouse"'],
  ["bob", 401, "/problem/wrong-password", 'Bearer realm="gatehouse"'],
  ["nobody", 404, "/problem/unknown-login", null],
];

for (const [login, status, type, challenge] of exactAnswers) {
  Deno.test(`logIn() tells ${type} in the exact mode, for the same work: ${login}`, async () => {
    const opened = await openAppOfAlice({ settings: { GATEHOUSE_LOGIN_ERRORS: "exact" } });
    await addDisabledBob(opened);
    const before = opened.app.metrics.hashes.count;
    const reply = await opened.send("POST", "/session/", { json: { ...wrong, login } });
    assertEquals([reply.status, reply.json.type], [status, type]);
    assertEquals(reply.headers.get("www-authenticate"), challenge);
    assertEquals(opened.app.metrics.hashes.count - before, 1);
    assertMatch(await opened.logIn(), /\S/);
  });
}

/** An app of `iterations` over a store. */
function openWithIterations(store: Store, iterations: number): Promise<TestApp> {
  return openTestApp({ store, settings: { GATEHOUSE_PBKDF2_ITERATIONS: String(iterations) } });
}

/** A store in which `alice` has a hash of 100 iterations. */
async function storeOfAlice(): Promise<Store> {
  const { app } = await openAppOfAlice();
  return app.store;
}

Deno.test("logIn() hashes a password of an older cost anew, once, when it is right", async () => {
  const store = await storeOfAlice();
  const before = await userOf(store, "alice");
  const opened = await openWithIterations(store, 150);

  assertEquals((await tryToLogIn(opened, wrong)).costs, [100, 50]);
  assertEquals(await userOf(store, "alice"), before);

  const { status, costs } = await tryToLogIn(opened, alice);
  assertEquals([status, costs], [201, [100, 150]]);
  const after = await userOf(store, "alice");
  assertMatch(after.passwordHash, /^\$pbkdf2-sha256\$i=150\$/);
  assertEquals(after, { ...before, passwordHash: after.passwordHash });

  const again = await tryToLogIn(opened, alice);
  assertEquals([again.status, again.costs], [201, [150]]);
  assertEquals((await tryToLogIn(opened, wrong)).status, 401);
});

Deno.test("logIn() hashes the password anew when its hash is dearer than is set", async () => {
  const store = await storeOfAlice();
  const { status, costs } = await tryToLogIn(await openWithIterations(store, 50), alice);
  assertEquals([status, costs], [201, [100, 50]]);
  assertEquals(iterationsOf((await userOf(store, "alice")).passwordHash), 50);
});

Deno.test("logIn() lets a user in who logs in twice at once with a hash of an older cost", async () => {
  const opened = await openWithIterations(await storeOfAlice(), 150);
  const replies = await Promise.all(
    Array.from({ length: 5 }, () => opened.send("POST", "/session/", { json: alice })),
  );
  assertEquals(replies.map(({ status }) => status), [201, 201, 201, 201, 201]);
  for (const { json } of replies) {
    assertEquals((await opened.send("GET", "/session/", { token: String(json.token) })).status, 200);
  }
});

/** Changes no user once it is out of order. */
class FaultyStore extends TableStore {
  refusal: Error | undefined;

  override replaceUser(...users: Parameters<TableStore["replaceUser"]>): ReturnType<TableStore["replaceUser"]> {
    return this.refusal === undefined ? super.replaceUser(...users) : Promise.reject(this.refusal);
  }
}

const faults: readonly [fault: Error, status: number][] = [
  [new StoreFullError("full"), 201],
  [new StoreClosedError("closed"), 201],
  [new StoreUnavailableError("away"), 201],
  [new Error("anything else"), 500],
];

for (const [fault, status] of faults) {
  Deno.test(`logIn() answers ${status} to who has a hash of an older cost that cannot be replaced: ${fault}`, async () => {
    const store = new FaultyStore();
    await openAppOfAlice({ store });
    const before = await userOf(store, "alice");
    const opened = await openWithIterations(store, 150);
    store.refusal = fault;
    for (let count = 0; count < 2; count++) {
      const reply = await tryToLogIn(opened, alice);
      assertEquals([reply.status, reply.costs], [status, [100, 150]]);
      assertEquals(await userOf(store, "alice"), before);
    }
    assertEquals((await tryToLogIn(opened, wrong)).status, 401);
    store.refusal = undefined;
    assertEquals((await tryToLogIn(opened, alice)).status, 201);
    assertEquals(iterationsOf((await userOf(store, "alice")).passwordHash), 150);
  });
}

Deno.test("logIn() keeps the hash of a disabled account, which it does not look at", async () => {
  const store = await storeOfAlice();
  const user = await userOf(store, "alice");
  await store.replaceUser(user, { ...user, disabled: true });
  const { status, costs } = await tryToLogIn(await openWithIterations(store, 150), alice);
  assertEquals([status, costs], [401, [150]]);
  assertEquals((await userOf(store, "alice")).passwordHash, user.passwordHash);
});

/** Opens an app in which `change` happens while the next password is verified. @returns the reply to `alice` */
async function logInWhile(
  change: (store: Store, user: User) => Promise<unknown>,
  iterations: number,
): Promise<Reply> {
  const store = new ChangingStore();
  await openAppOfAlice({ store });
  const { send } = await openWithIterations(store, iterations);
  store.change = (user) => change(store, user);
  return await send("POST", "/session/", { json: alice });
}

/** A hash of another password. */
async function otherHash(): Promise<string> {
  const { app } = await openTestApp();
  return await app.hasher.hash(wrong.password, { client: "127.0.0.1" });
}

const changes: [what: string, change: (store: Store, user: User) => Promise<unknown>, status: number][] = [
  ["is disabled", (store, user) => store.replaceUser(user, { ...user, disabled: true }), 401],
  ["is deleted", (store, user) => deleteByLogin(store, user.login), 401],
  ["gets another password", async (store, user) => {
    return await store.replaceUser(user, { ...user, passwordHash: await otherHash() });
  }, 401],
  ["becomes another user of that login", async (store, user) => {
    await deleteByLogin(store, user.login);
    await store.insertUser({ ...user, id: "01KAN6Z3H3AAAAAAAAAAAAAAAA", passwordHash: await otherHash() });
  }, 401],
  ["stays as it is", () => Promise.resolve(), 201],
];

for (const [what, change, status] of changes) {
  for (const iterations of [100, 150]) {
    Deno.test(`logIn() answers ${status} when the user ${what} meanwhile, at ${iterations} iterations`, async () => {
      const reply = await logInWhile(change, iterations);
      assertEquals(reply.status, status);
      if (status === 401) assertEquals(reply.json.type, "/problem/wrong-credentials");
      else assertNotEquals(reply.json.token, undefined);
    });
  }
}

Deno.test("logIn() never puts back what changed while it hashed anew", async () => {
  const store = new ChangingStore();
  await openAppOfAlice({ store });
  const { send } = await openWithIterations(store, 150);
  store.change = (user) => store.replaceUser(user, { ...user, disabled: true });
  await send("POST", "/session/", { json: alice });
  const { disabled, passwordHash } = await userOf(store, "alice");
  assertEquals(disabled, true);
  assertMatch(passwordHash, /i=100\$/);
});
