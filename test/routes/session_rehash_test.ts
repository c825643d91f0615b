/** Logging in with a hash of an older cost, and while the user changes. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { iterationsOf } from "../../lib/passwords/stored_hash.ts";
import { type Store, StoreClosedError, StoreFullError, StoreUnavailableError, type User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { alice, openAppOfAlice, openTestApp, type Reply, type TestApp } from "../support/app.ts";
import { ask, basicOf } from "../support/guard_basic.ts";
import { deleteByLogin } from "../support/store/records.ts";
import { tryToLogIn, userOf } from "../support/login_attempt.ts";

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

  assertEquals((await tryToLogIn(opened, wrong)).costs, [100]);
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

const argon2id = "$argon2id$v=19$m=19456,t=2,p=1$";
const pbkdf2 = "$pbkdf2-sha256$i=100$";
const directions: readonly (readonly [from: string, to: string, heads: readonly [before: string, after: string]])[] = [
  ["pbkdf2", "argon2id", [pbkdf2, argon2id]],
  ["argon2id", "pbkdf2", [argon2id, pbkdf2]],
];
for (const [from, to, [before, after]] of directions) {
  for (const way of ["POST /session/", "Basic"]) {
    Deno.test(`a login by ${way} turns a hash of ${from} into one of ${to}, once`, async () => {
      const { app: { store } } = await openAppOfAlice({ settings: { GATEHOUSE_PASSWORD_HASH: from } });
      const opened = await openTestApp({ store, settings: { GATEHOUSE_PASSWORD_HASH: to } });
      const logIn = async (password: string) => {
        if (way === "Basic") return (await ask(opened, basicOf("alice", password))).status;
        return (await opened.send("POST", "/session/", { json: { login: "alice", password } })).status;
      };
      assertEquals([await logIn(wrong.password), (await userOf(store, "alice")).passwordHash.startsWith(before)], [
        401,
        true,
      ]);
      assert([200, 201].includes(await logIn(alice.password)));
      const { passwordHash } = await userOf(store, "alice");
      assert(passwordHash.startsWith(after));
      // The guard caches what it has verified.
      opened.clock.now += 60_000;
      assert([200, 201].includes(await logIn(alice.password)));
      assertEquals([await logIn(wrong.password), (await userOf(store, "alice")).passwordHash], [401, passwordHash]);
    });
  }
}

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
  Deno.test(`logIn() answers ${status} when a hash of an older cost cannot be replaced: ${fault}`, async () => {
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

Deno.test("logIn() verifies the hash of a disabled account, and does not replace it", async () => {
  const store = await storeOfAlice();
  const user = await userOf(store, "alice");
  await store.replaceUser(user, { ...user, disabled: true });
  const { status, costs } = await tryToLogIn(await openWithIterations(store, 150), alice);
  assertEquals([status, costs], [401, [100]]);
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
