/** Time and work of a failed login do not tell whether the login exists, whatever kinds of hashes there are. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { refreshDecoys } from "../../lib/accounts/login_decoys.ts";
import { hashPassword } from "../../lib/passwords/password_hash.ts";
import { SlowHashes } from "../../lib/passwords/slow_hashes.ts";
import { wrapHash } from "../../lib/passwords/stored_hash.ts";
import type { Store, User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { openTestApp, type TestApp } from "../support/app.ts";
import { basicOf } from "../support/guard_basic.ts";
import { tryToLogIn, userOf } from "../support/login_attempt.ts";
import { spyOnDerive } from "../support/passwords/derivations.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";

const password = "mellow-otter-41-lantern";
/** Three kinds, each several times as expensive as the one before; `cost` is what `spyOnDerive` notes. */
const kinds = [
  { cost: 100, share: 0.5, hash: await hashPassword(password, pbkdf2(100)) },
  {
    cost: 20_000,
    share: 0.3,
    hash: "pbkdf2_sha256$20000$rBMVbRXUPePI07Qm$tSHA+PEsfHyZS+Y9Lg2P6qw+nFpvQWB2KuEnVwYY6hg=",
  },
  { cost: 8_192, share: 0.2, hash: "$argon2i$v=19$m=8192,t=2,p=1$Fv7EeIkdcdilfvlCQhqqUA$1xE4Wr2jPD5GIWoe+TvXSQ" },
] as const;
const countOfEach = 200;
/** Stored before the service starts, so that draws are the same in every run. */
const secret = { name: "decoy", value: "a key of this test" };

const knownLogins = Array.from({ length: countOfEach }, (_, index) => `known${index}`);
const unknownLogins = Array.from({ length: countOfEach }, (_, index) => `unknown${index}`);

/** The kind of a known login, in proportion to the shares. */
function kindOf(index: number): typeof kinds[number] {
  const [first, second, third] = kinds;
  return index % 10 < 5 ? first : index % 10 < 8 ? second : third;
}

function userWith(login: string, changes: Partial<User>): User {
  const id = `01M81Q8R1S${login.toUpperCase().replaceAll(/[ILOU]/g, "X").padStart(16, "0")}`;
  return { id, login, passwordHash: "", registeredAt: 0, groups: [], disabled: false, ...changes };
}

async function storeOfKnown(): Promise<TableStore> {
  const store = new TableStore();
  await store.ensureSecret(secret);
  for (const [index, login] of knownLogins.entries()) {
    await store.insertUser(userWith(login, { passwordHash: kindOf(index).hash }));
  }
  return store;
}

interface Attempt {
  readonly ms: number;
  /** Of the derivations. */
  readonly cost: string;
}

/** Tries a wrong password from a client of its own, so that no limit counts. */
async function attempt({ send }: TestApp, login: string, index: number): Promise<Attempt> {
  using spy = spyOnDerive();
  const startedAt = performance.now();
  const { status } = await send("POST", "/session/", {
    json: { login, password: `wrong ${password}` },
    client: `198.51.${index >> 8}.${index & 255}`,
  });
  const ms = performance.now() - startedAt;
  assertEquals(status, 401);
  return { ms, cost: spy.costs.join() };
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN;
}

/** How often a time of the first is longer than one of the second: 0.5 if both have the same distribution. */
function rankStatistic(some: readonly number[], others: readonly number[]): number {
  const pairs: readonly number[] = some.flatMap((one) =>
    others.map((other) => one > other ? 1 : one === other ? 0.5 : 0)
  );
  return pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length;
}

function timesOf(attempts: readonly Attempt[], cost?: number): readonly number[] {
  return attempts.filter((one) => cost === undefined || one.cost === String(cost)).map(({ ms }) => ms);
}

/** The kind of each, as the order of their costs. */
function ranksOf(attempts: readonly Attempt[]): readonly number[] {
  return attempts.map((one) => kinds.findIndex(({ cost }) => one.cost === String(cost)));
}

Deno.test("logIn() takes times of the same distribution for known and unknown logins of three kinds", async () => {
  const opened = await openTestApp({ store: await storeOfKnown() });
  const [known, unknown, undrawn]: [Attempt[], Attempt[], Attempt[]] = [[], [], []];
  // In turn, so that other work of the machine slows both alike.
  for (const [index, login] of knownLogins.entries()) {
    known.push(await attempt(opened, login, index));
    unknown.push(await attempt(opened, unknownLogins[index] ?? "", index));
  }
  for (const { cost, share } of kinds) {
    assertEquals(timesOf(known, cost).length, share * countOfEach);
    // The standard deviation is 7 at most.
    assertLess(Math.abs(timesOf(unknown, cost).length - share * countOfEach), 25, `of cost ${cost}`);
    const ratio = medianOf(timesOf(known, cost)) / medianOf(timesOf(unknown, cost));
    assert(ratio > 1 / 2 && ratio < 2, `medians of cost ${cost}: ${ratio}`);
  }
  // The standard deviation is 0.03.
  for (const numbersOf of [ranksOf, timesOf]) {
    const rank = rankStatistic(numbersOf(known), numbersOf(unknown));
    assert(rank > 0.38 && rank < 0.62, `${numbersOf.name}: ${rank}`);
  }

  // Without decoys the same statistic tells them apart: half of the users are of a more expensive kind.
  opened.app.hasher.decoys.update([]);
  for (const [index, login] of unknownLogins.entries()) undrawn.push(await attempt(opened, login, index));
  assertEquals(rankStatistic(ranksOf(known), ranksOf(undrawn)), 0.75);
});

/** The costs of failed logins. */
async function costsOf(opened: TestApp, logins: readonly string[]): Promise<readonly string[]> {
  const costs: string[] = [];
  for (const [index, login] of logins.entries()) costs.push((await attempt(opened, login, index)).cost);
  return costs;
}

Deno.test("logIn() takes the same work for an unknown login each time, on every instance, and by Basic", async () => {
  const store = await storeOfKnown();
  const opened = await openTestApp({ store });
  const logins = unknownLogins.slice(0, 20);
  const costs = await costsOf(opened, logins);
  assertEquals(new Set(costs).size, kinds.length);
  assertEquals(await costsOf(opened, logins), costs);
  assertEquals(await costsOf(await openTestApp({ store }), logins), costs);
  assertEquals(await costsOf(opened, logins.map((login) => login.toUpperCase())), costs);
  for (const [index, login] of logins.entries()) {
    using spy = spyOnDerive();
    const client = `198.51.100.${index}`;
    await opened.send("GET", "/guard/", { client, headers: { authorization: basicOf(login, "wrong") } });
    assertEquals(spy.costs.join(), costs[index]);
  }
});

Deno.test("logIn() changes the work of few unknown logins when users are hashed again", async () => {
  const store = await storeOfKnown();
  const opened = await openTestApp({ store });
  const logins = unknownLogins.slice(0, 80);
  const costs = await costsOf(opened, logins);
  for (const [index, login] of knownLogins.entries()) {
    if (kindOf(index) !== kinds[2] || index > 60) continue;
    const { status } = await opened.send("POST", "/session/", { json: { login, password } });
    assertEquals(status, 201);
    assertEquals(await workAfter(opened, store, login), "100");
  }
  await refreshDecoys({ store, decoys: opened.app.hasher.decoys });
  const after = await costsOf(opened, logins);
  const changedCount = costs.filter((cost, index) => cost !== after[index]).length;
  // 12 of 200 users were: about 5 of 80.
  assert(changedCount > 0 && changedCount < 16, `${changedCount} changed`);
});

/** The cost of a wrong password of a user that was hashed again. */
async function workAfter(opened: TestApp, store: Store, login: string): Promise<string> {
  assert((await userOf(store, login)).passwordHash.startsWith("$pbkdf2-sha256$i=100$"));
  return (await attempt(opened, login, 1_000)).cost;
}

Deno.test("logIn() takes the work of the first new hash for unknown logins from then on", async () => {
  const store = new TableStore();
  await store.insertUser(userWith("alice", { passwordHash: kinds[1].hash }));
  const opened = await openTestApp({ store });
  const [bob, mallory] = [await attempt(opened, "bob", 1), await attempt(opened, "mallory", 2)];
  assertEquals([bob.cost, mallory.cost], ["20000", "20000"]);
  await opened.logIn({ login: "alice", password });
  const after = [
    await attempt(opened, "alice", 3),
    await attempt(opened, "bob", 3),
    await attempt(opened, "mallory", 3),
  ];
  assertEquals(after.map(({ cost }) => cost), ["100", "100", "100"]);
});

Deno.test("logIn() takes the work of the setting for every login of an empty register", async () => {
  for (const [settings, cost] of [[{}, "100"], [{ GATEHOUSE_PASSWORD_HASH: "argon2id" }, "19456"]] as const) {
    const opened = await openTestApp({ settings });
    assertEquals(await costsOf(opened, unknownLogins.slice(0, 3)), Array(3).fill(cost));
  }
});

Deno.test("logIn() takes the work of a disabled user's own hash, for the right password and a wrong one", async () => {
  for (const { cost, hash } of kinds) {
    const store = await storeOfKnown();
    await store.insertUser(userWith("bob", { passwordHash: hash, disabled: true }));
    const opened = await openTestApp({ store });
    const right = await tryToLogIn(opened, { login: "bob", password });
    const wrong = await tryToLogIn(opened, { login: "bob", password: `wrong ${password}` });
    assertEquals(right, wrong);
    assertEquals([right.status, right.costs], [401, [cost]]);
    assertEquals((await userOf(store, "bob")).passwordHash, hash);
    using spy = spyOnDerive();
    const { status } = await opened.send("GET", "/guard/", { headers: { authorization: basicOf("bob", password) } });
    assertEquals([status, spy.costs], [401, [cost]]);
  }
});

/** Hashes that the Worker computes, wholly or first; `cost` as above. */
const slowHashes = [
  { kind: "bcrypt", hash: "$2b$05$khDLOor4C/JlL.dYmZKxR.qSnQVVmYARv1HZc.EP3b6QgXEAMIjTy", cost: "" },
  { kind: "wrapped apr1", hash: await wrapHash("$apr1$L8iq/d9r$Mf6dwz6Y0k6PqGUF1D/vf.", pbkdf2(7)), cost: "7" },
] as const;
for (const { kind, hash, cost } of slowHashes) {
  Deno.test(`logIn() has the Worker compute ${kind} for unknown logins and disabled users too`, async () => {
    const store = new TableStore();
    await store.insertUser(userWith("alice", { passwordHash: hash }));
    await store.insertUser(userWith("bob", { passwordHash: hash, disabled: true }));
    const opened = await openTestApp({ store });
    using spy = spyOnSlowHashes();
    for (const login of ["alice", "bob", "unknown", "other"]) {
      assertEquals((await attempt(opened, login, 1)).cost, cost);
    }
    const disabled = await tryToLogIn(opened, { login: "bob", password });
    assertEquals([disabled.status, disabled.costs.join()], [401, cost]);
    assertEquals(spy.count, 5);
    await opened.logIn({ login: "alice", password });
    assertEquals(await workAfter(opened, store, "alice"), "100");
    assertEquals(spy.count, 6);
  });
}

/** Counts what the Worker computes. */
function spyOnSlowHashes(): Disposable & { readonly count: number } {
  const { derive } = SlowHashes.prototype;
  let count = 0;
  SlowHashes.prototype.derive = function (...options) {
    count++;
    return derive.apply(this, options);
  };
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]: () => {
      SlowHashes.prototype.derive = derive;
    },
  };
}
