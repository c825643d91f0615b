/** The work of a failed login does not tell whether the login exists, whatever kinds of hashes there are. */
import { assert, assertEquals } from "@std/assert";
import { refreshDecoys } from "../../lib/accounts/login_decoys.ts";
import { createSession } from "../../lib/accounts/session.ts";
import { SlowHashes } from "../../lib/passwords/slow_hashes.ts";
import { wrapHash } from "../../lib/passwords/stored_hash.ts";
import type { Store } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { alice, openedAt, openTestApp, type TestApp } from "../support/app.ts";
import { basicOf } from "../support/guard_basic.ts";
import { tryToLogIn, userOf } from "../support/login_attempt.ts";
import { spyOnDerive } from "../support/passwords/derivations.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";
import {
  attempt,
  kindOf,
  kinds,
  knownLogins,
  password,
  storeOfKnown,
  unknownLogins,
  userWith,
} from "../support/passwords/three_kinds.ts";

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

Deno.test("the work of unknown logins follows the hashes that are stored, however often they are made", async () => {
  const store = await storeOfKnown();
  const opened = await openTestApp({ store });
  const { decoys } = opened.app.hasher;
  // So many that one more or less of 200 users shows.
  const draws = () => Array.from({ length: 2_000 }, (_, index) => decoys.hashOf(`unknown${index}`)?.work);
  const login = knownLogins[9] ?? "";
  const steps: Record<string, () => Promise<unknown>> = {
    "logins of one user at once": () => Promise.all(Array.from({ length: 8 }, () => opened.logIn({ login, password }))),
    "registrations": () => opened.send("POST", "/user/", { json: alice }),
    "changes of a password": async () => {
      const passwords = [alice.password, ...Array.from({ length: 20 }, (_, index) => `${index} green wombats sing`)];
      for (const [index, current_password] of passwords.slice(0, -1).entries()) {
        const token = await opened.logIn({ login: "alice", password: current_password });
        const json = { current_password, password: passwords[index + 1] };
        assertEquals((await opened.send("PUT", "/user/alice/password", { token, json })).status, 204);
      }
    },
  };
  steps["a change of a password with a foreign hash"] = async () => {
    const user = await userOf(store, knownLogins[8] ?? "");
    const options = { now: openedAt, userAgent: "", address: "192.0.2.1", factors: ["password"] as const };
    const { session, token } = createSession(user.login, options);
    assert(await store.insertSession(session, user));
    const json = { current_password: password, password: alice.password };
    assertEquals((await opened.send("PUT", `/user/${user.login}/password`, { token, json })).status, 204);
  };
  for (const [title, step] of Object.entries(steps)) {
    await step();
    const drawn = draws();
    await refreshDecoys({ store, decoys });
    assertEquals(drawn, draws(), title);
  }
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
    const counted = noteVerdicts(opened);
    const right = await tryToLogIn(opened, { login: "bob", password });
    const wrong = await tryToLogIn(opened, { login: "bob", password: `wrong ${password}` });
    assertEquals(right, wrong);
    assertEquals(counted, [false, false]);
    assertEquals([right.status, right.costs], [401, [cost]]);
    assertEquals((await userOf(store, "bob")).passwordHash, hash);
    using spy = spyOnDerive();
    const { status } = await opened.send("GET", "/guard/", { headers: { authorization: basicOf("bob", password) } });
    assertEquals([status, spy.costs], [401, [cost]]);
  }
});

/** Notes what the limits count: whether each password was right. */
function noteVerdicts({ app: { throttle } }: TestApp): readonly boolean[] {
  const verdicts: boolean[] = [];
  const run = throttle.run.bind(throttle);
  throttle.run = (guess, verify) =>
    run(guess, async (guessed) => {
      const verdict = await verify(guessed);
      verdicts.push(verdict.isRight);
      return verdict;
    });
  return verdicts;
}

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
