/** App passwords: how they are made, and what they open. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createRouter } from "../../lib/router.ts";
import { StoreFullError, type User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { routes } from "../../routes/mod.ts";
import { auditOf, keptUser, openWithAlice, outcomeOf } from "../support/accounts.ts";
import { addTotp, makeAppPassword } from "../support/factors/credentials.ts";
import { ask, basicOf, told } from "../support/guard_basic.ts";

const hourMs = 60 * 60 * 1_000;
const required = "401 second-factor-required";

Deno.test("makeAppPassword() shows a password once, which is stored as its hash", async () => {
  const opened = await openWithAlice();
  const before = opened.lines.length;
  const json = { name: "Kalender “ö” 🏰", groups: ["users", "staff"] };
  const reply = await opened.send("POST", "/user/alice/app-password/", { token: opened.token, json });
  assertEquals([reply.status, reply.headers.get("cache-control")], [201, "no-store"]);
  const { id, password, ...rest } = reply.json;
  assertEquals(rest, { ...json, kind: "app-password", created_at: "2026-11-23T09:35:39.123Z", last_used_at: null });
  assertMatch(String(password), /^gh_[\w-]{24}$/);
  const [credential, ...others] = await opened.app.store.listCredentials("alice");
  assertEquals([credential?.id, credential?.kind, credential?.name, others.length], [id, "app-password", json.name, 0]);
  assert(!JSON.stringify([credential, opened.lines]).includes(String(password).slice(3)));
  const logged = auditOf(opened.lines.slice(before)).map(({ event, by, user, kind, credential }) => {
    return { event, by, user, kind, credential };
  });
  assertEquals(logged, [{
    event: "credential-added",
    by: "alice",
    user: "alice",
    kind: "app-password",
    credential: id,
  }]);
});

const bodies: readonly [json: unknown, outcome: string][] = [
  [{ name: "a" }, "201"],
  [{ name: "a".repeat(64), groups: ["users"] }, "201"],
  [{ name: "a".repeat(65) }, "422 invalid-credential /name invalid-name"],
  [{ name: "" }, "422 invalid-credential /name invalid-name"],
  [{ name: "a\nb" }, "422 invalid-credential /name invalid-name"],
  [{ name: "a\u2028b" }, "422 invalid-credential /name invalid-name"],
  [{}, "422 invalid-credential /name missing"],
  [{ name: 1 }, "422 invalid-credential /name not-text"],
  [{ name: "a", groups: ["Staff"] }, "422 invalid-credential /groups invalid-groups"],
  // It would not be clear whether that is all or nothing.
  [{ name: "a", groups: [] }, "422 invalid-credential /groups invalid-groups"],
  [{ name: "a", password: "b" }, "422 invalid-credential /password unknown-field"],
];

for (const [json, outcome] of bodies) {
  Deno.test(`makeAppPassword() answers ${outcome} to ${JSON.stringify(json).slice(0, 50)}`, async () => {
    const opened = await openWithAlice();
    assertEquals(
      outcomeOf(await opened.send("POST", "/user/alice/app-password/", { token: opened.token, json })),
      outcome,
    );
  });
}

Deno.test("makeAppPassword() needs a recent login, and stops at 50 credentials", async () => {
  const opened = await openWithAlice();
  const make = () => makeAppPassword(opened, "alice", { token: opened.token });
  for (let count = 0; count < 50; count++) await make();
  await assertRejects(make, Error, "too-many-credentials");
  opened.clock.now += 10 * 60 * 1_000;
  await assertRejects(make, Error, "login-again");
  await makeAppPassword(opened, "root", {
    token: await opened.logIn({ login: "root", password: "seven purple wombats sing" }),
  });
});

/** Changes the user before its credential is inserted. */
class ChangingStore extends TableStore {
  change: ((user: User) => Promise<unknown>) | undefined;

  override async insertCredentials(...parameters: Parameters<TableStore["insertCredentials"]>) {
    const { change } = this;
    this.change = undefined;
    await change?.(parameters[0]);
    return await super.insertCredentials(...parameters);
  }
}

Deno.test("makeAppPassword() sees a user who changes meanwhile, and one who is disabled", async () => {
  const store = new ChangingStore();
  const opened = await openWithAlice({ store });
  store.change = (user) => store.replaceUser(user, { ...user, groups: ["staff"] });
  const { password } = await makeAppPassword(opened, "alice", { token: opened.token });
  assertEquals((await ask(opened, basicOf("alice", password))).headers.get("remote-groups"), "users,staff");
  store.change = (user) => store.replaceUser(user, { ...user, disabled: true });
  const options = { token: opened.token, json: { name: "git" } };
  assertEquals(outcomeOf(await opened.send("POST", "/user/alice/app-password/", options)), "401 not-authenticated");
});

Deno.test("an app password opens the guard without a hash, and nothing else", async () => {
  const opened = await openWithAlice();
  const { password, id } = await makeAppPassword(opened, "alice", { token: opened.token });
  for (const login of ["alice", "ALICE"]) {
    assertEquals(await told(opened, basicOf(login, password)), "200 alice, 0 hash");
  }
  for (
    const [login, secret] of [["root", password], ["nobody", password], ["alice", `gh_${"a".repeat(24)}`]] as const
  ) {
    assertEquals(await told(opened, basicOf(login, secret)), "401 wrong-credentials, 1 hash");
  }
  const json = { login: "alice", password };
  assertEquals(outcomeOf(await opened.send("POST", "/session/", { json })), "401 wrong-credentials");
  const headers = { authorization: basicOf("alice", password) };
  assertEquals(outcomeOf(await opened.send("GET", "/session/", { headers })), "401 not-authenticated");
  const credential = (await opened.app.store.listCredentials("alice")).find((candidate) => candidate.id === id);
  assert(credential !== undefined);
  await opened.app.store.deleteCredentials("alice", { id: credential.id });
  assertEquals(await told(opened, basicOf("alice", password)), "401 wrong-credentials, 1 hash");
});

Deno.test("wrong app passwords count as wrong passwords of the login and the client", async () => {
  const opened = await openWithAlice();
  const { password } = await makeAppPassword(opened, "alice", { token: opened.token });
  for (let count = 10; count < 20; count++) {
    assertEquals(await told(opened, basicOf("alice", `gh_${"a".repeat(22)}${count}`)), "401 wrong-credentials, 1 hash");
  }
  assertEquals(await told(opened, basicOf("alice", password)), "429 too-many-attempts, 0 hash");
  assertEquals(await told(opened, basicOf("alice", password), { client: "192.0.2.9" }), "200 alice, 0 hash");
});

Deno.test("the app password of a disabled user opens nothing, until the user is enabled", async () => {
  const opened = await openWithAlice();
  const { password } = await makeAppPassword(opened, "alice", { token: opened.token });
  for (const [disabled, outcome] of [[true, "401 wrong-credentials, 1 hash"], [false, "200 alice, 0 hash"]] as const) {
    const user = await keptUser(opened, "alice");
    assertEquals(await opened.app.store.replaceUser(user, { ...user, disabled }), "done");
    assertEquals(await told(opened, basicOf("alice", password)), outcome);
  }
});

/** What an app password is limited to, and what the guard says of a user in `staff` and `night`. */
const limits: readonly [groups: readonly string[] | undefined, outcomes: Readonly<Record<string, string>>][] = [
  [undefined, { "": "users,staff,night", "staff/night": "users,staff,night", "admin": "403 not-in-group" }],
  [["users"], { "": "users", "staff": "403 not-in-group" }],
  [["staff"], { "": "403 not-in-group", "staff": "staff", "staff/night": "403 not-in-group" }],
  [["staff", "users", "admin"], { "": "users,staff", "admin": "403 not-in-group" }],
];

for (const [groups, outcomes] of limits) {
  Deno.test(`an app password is good for the groups ${groups ?? "of the user"}`, async () => {
    const opened = await openWithAlice();
    const json = { groups: ["staff", "night"] };
    await opened.send("PATCH", "/user/alice", { token: opened.admin, json });
    const { password } = await makeAppPassword(opened, "alice", { token: opened.token, json: { groups } });
    for (const [demands, outcome] of Object.entries(outcomes)) {
      const headers = { authorization: basicOf("alice", password) };
      const reply = await opened.send("GET", `/guard/${demands}`, { headers });
      assertEquals(reply.headers.get("remote-groups") ?? outcomeOf(reply), outcome, demands);
    }
  });
}

Deno.test("with a second factor the guard takes app passwords only, as it says after the right password", async () => {
  const opened = await openWithAlice();
  const { password } = await makeAppPassword(opened, "alice", { token: opened.token });
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
  await addTotp(opened, "alice");
  const before = opened.lines.length;
  // At once, although the password is cached; and no request hashes it again.
  for (let count = 0; count < 3; count++) assertEquals(await told(opened, basicOf("alice")), `${required}, 0 hash`);
  assertEquals(auditOf(opened.lines.slice(before)), []);
  opened.clock.now += 60_000;
  const refused = await ask(opened, basicOf("alice"));
  assertEquals(outcomeOf(refused), required);
  assertMatch(refused.headers.get("www-authenticate") ?? "", /^Basic /);
  assertEquals(auditOf(opened.lines.slice(before)).map(({ event, user }) => `${event} ${user}`), [
    "login-failed alice",
  ]);
  for (const login of ["alice", "nobody"]) {
    assertEquals(await told(opened, basicOf(login, "wrong")), "401 wrong-credentials, 1 hash");
  }
  assertEquals(await told(opened, basicOf("alice", password)), "200 alice, 0 hash");
});

Deno.test("where a second factor is required, an app password needs a user who has one", async () => {
  const made = await openWithAlice();
  const { password } = await makeAppPassword(made, "alice", { token: made.token });
  const settings = { GATEHOUSE_SECOND_FACTOR: "all" };
  const opened = { ...await openWithAlice({ settings }) };
  const user = await keptUser(opened, "alice");
  const [credential] = await made.app.store.listCredentials("alice");
  assert(credential !== undefined);
  await opened.app.store.insertCredentials(user, [credential]);
  assertEquals(await told(opened, basicOf("alice", password)), `${required}, 0 hash`);
  await addTotp(opened, "alice");
  assertEquals(await told(opened, basicOf("alice", password)), "200 alice, 0 hash");
});

Deno.test("the guard notes the use of an app password once an hour, also after the clock was set back", async () => {
  const opened = await openWithAlice();
  const { password, id } = await makeAppPassword(opened, "alice", { token: opened.token });
  const before = opened.lines.length;
  const lastUse = async () => {
    await Promise.all(Array.from({ length: 5 }, () => ask(opened, basicOf("alice", password))));
    return (await opened.app.store.listCredentials("alice"))[0]?.lastUsedAt;
  };
  const start = opened.clock.now;
  assertEquals(await lastUse(), start);
  opened.clock.now += hourMs - 1;
  assertEquals(await lastUse(), start);
  opened.clock.now += 1;
  assertEquals(await lastUse(), start + hourMs);
  opened.clock.now = start - 2 * hourMs;
  assertEquals(await lastUse(), start - 2 * hourMs);
  const logged = auditOf(opened.lines.slice(before)).map(({ event, by, user, scheme, credential }) => {
    return { event, by, user, scheme, credential };
  });
  const one = { event: "login", by: "alice", user: "alice", scheme: "app-password", credential: id };
  assertEquals(logged, [one, one, one]);
});

Deno.test("the guard audits the use of an app password that is stored after the response", async () => {
  const opened = await openWithAlice();
  const { password } = await makeAppPassword(opened, "alice", { token: opened.token });
  const { store } = opened.app;
  const sent = Promise.withResolvers<void>();
  store.useCredential = (use) => sent.promise.then(() => TableStore.prototype.useCredential.call(store, use));
  const addresses = ["192.0.2.1"];
  const connection = {
    get remoteAddr() {
      const [hostname] = addresses;
      if (hostname === undefined) throw new TypeError("Request closed");
      return { transport: "tcp", hostname, port: 50_000 } as const;
    },
  };
  const headers = { authorization: basicOf("alice", password) };
  const request = new Request("http://gatehouse.test/guard/", { headers });
  assertEquals((await createRouter(routes, opened.app)(request, connection)).status, 200);
  addresses.length = 0;
  sent.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(auditOf(opened.lines).at(-1)?.clientAddress, "192.0.2.1");
});

Deno.test("an app password works while its last use cannot be stored", async () => {
  const opened = await openWithAlice();
  const { password } = await makeAppPassword(opened, "alice", { token: opened.token });
  opened.app.store.useCredential = () => Promise.reject(new StoreFullError("full"));
  assertEquals(await told(opened, basicOf("alice", password)), "200 alice, 0 hash");
  assert(opened.lines.some((line) => line.includes('"touch-failed"')));
});
