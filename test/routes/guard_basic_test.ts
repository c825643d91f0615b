/** HTTP Basic at the guard: verified once, remembered for a minute, forgotten at once when anything has changed. */
import { assertEquals } from "@std/assert";
import { Hasher } from "../../lib/passwords/hasher.ts";
import type { User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import {
  type AdminApp,
  auditOf,
  countOutcomes,
  keptUser,
  newPassword,
  openAdminApp,
  outcomeOf,
} from "../support/accounts.ts";
import { alice, openTestApp, type Reply, type SendOptions, type TestApp, type TestAppOptions } from "../support/app.ts";
import { spyOnDerive } from "../support/passwords/derivations.ts";
import { deleteByLogin, sessionsIn } from "../support/store/records.ts";

const { password } = alice;
const challenge = 'Basic realm="gatehouse", charset="UTF-8", Bearer realm="gatehouse"';

/** `Authorization` of login and password. */
function basicOf(login: string, secret = password): string {
  return `Basic ${new TextEncoder().encode(`${login}:${secret}`).toBase64()}`;
}

/** An app with `root`, and `alice` of the same password, whose session is of no use here. */
async function openWithAlice(options?: TestAppOptions): Promise<AdminApp & { token: string }> {
  const opened = await openAdminApp(options);
  return { ...opened, token: await opened.addUser("alice") };
}

/** Asks as `curl -u` does. */
function ask({ send }: TestApp, authorization: string, options: SendOptions = {}): Promise<Reply> {
  return send("GET", "/guard/", { ...options, headers: { authorization, ...options.headers } });
}

/** The outcome, whom the site is told of, and how many hashes it took: "200 alice, 1 hash". */
async function told(opened: TestApp, authorization: string, options?: SendOptions): Promise<string> {
  using spy = spyOnDerive();
  const reply = await ask(opened, authorization, options);
  const user = reply.headers.get("remote-user");
  return `${outcomeOf(reply)}${user === null ? "" : ` ${user}`}, ${spy.costs.length} hash`;
}

Deno.test("guard() verifies Basic once, and remembers for a minute that it was right", async () => {
  const opened = await openWithAlice();
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
  for (const afterMs of [0, 30_000, 29_999]) {
    opened.clock.now += afterMs;
    assertEquals(await told(opened, basicOf("alice")), "200 alice, 0 hash");
  }
  opened.clock.now += 1;
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});

Deno.test("guard() verifies Basic once for any number of requests at once", async () => {
  const opened = await openWithAlice();
  const before = opened.app.metrics.hashes.count;
  const replies = await Promise.all(Array.from({ length: 10 }, () => ask(opened, basicOf("alice"))));
  assertEquals(replies.map(({ headers }) => headers.get("remote-user")), Array(10).fill("alice"));
  assertEquals(opened.app.metrics.hashes.count - before, 1);
});

Deno.test("guard() remembers Basic for the address that it came from, and verifies it from another", async () => {
  const opened = await openWithAlice();
  for (const client of ["192.0.2.8", "192.0.2.9", "2001:db8::1"]) {
    assertEquals(await told(opened, basicOf("alice"), { client }), "200 alice, 1 hash");
    assertEquals(await told(opened, basicOf("alice"), { client }), "200 alice, 0 hash");
  }
  // Of the same /64, and so of one client.
  assertEquals(await told(opened, basicOf("alice"), { client: "2001:db8::2" }), "200 alice, 0 hash");
});

Deno.test("guard() audits a password that it verified, and not one that it remembers", async () => {
  const opened = await openWithAlice();
  const before = opened.lines.length;
  const { status, headers } = await ask(opened, basicOf("alice"));
  assertEquals([status, (await ask(opened, basicOf("alice"))).status], [200, 200]);
  const lines = opened.lines.slice(before);
  assertEquals(auditOf(lines), [{
    event: "login",
    by: "alice",
    user: "alice",
    scheme: "basic",
    clientAddress: "127.0.0.1",
    requestId: headers.get("x-request-id"),
  }]);
  assertEquals(lines.length, 1, "a 200 of the guard has a line at debug level only");
});

Deno.test("guard() makes no session of Basic", async () => {
  const opened = await openWithAlice();
  const { headers } = await ask(opened, basicOf("root"));
  assertEquals(headers.get("set-cookie"), null);
  assertEquals((await sessionsIn(opened.app.store, "root")).length, 1);
});

Deno.test("guard() takes the login of Basic in whatever capitals, and the password exactly", async () => {
  const opened = await openWithAlice();
  assertEquals(await told(opened, basicOf("ALICE")), "200 alice, 1 hash");
  assertEquals(await told(opened, basicOf("Alice")), "200 alice, 0 hash");
  assertEquals(await told(opened, basicOf("alice", password.toUpperCase())), "401 wrong-credentials, 1 hash");
  assertEquals(await told(opened, basicOf("alice", ` ${password}`)), "401 wrong-credentials, 1 hash");
});

for (
  const odd of ["with:three:colons: in it", ":a password that begins with one", "sept éléphants violets à Nîmes 🐘"]
) {
  Deno.test(`guard() takes any password by Basic: ${odd}`, async () => {
    const opened = await openTestApp();
    assertEquals((await opened.send("POST", "/user/", { json: { login: "zoe", password: odd } })).status, 201);
    assertEquals(await told(opened, basicOf("zoe", odd)), "200 zoe, 1 hash");
    assertEquals(await told(opened, basicOf("zoe", `${odd}:`)), "401 wrong-credentials, 1 hash");
  });
}

const refused: readonly [what: string, authorization: string][] = [
  ["a wrong password", basicOf("alice", "wrong")],
  ["an empty password", basicOf("alice", "")],
  ["an unknown login", basicOf("nobody")],
  ["an empty login", basicOf("")],
  ["nothing but a colon", basicOf("", "")],
  ["a disabled account", basicOf("bob")],
  ["a login that nobody can have", basicOf("a b\0", "wrong")],
];

for (const [what, authorization] of refused) {
  Deno.test(`guard() refuses Basic by one answer, each time for the work of one hash: ${what}`, async () => {
    const opened = await openWithAlice();
    await opened.addUser("bob");
    const bob = await keptUser(opened, "bob");
    assertEquals(await opened.app.store.replaceUser(bob, { ...bob, disabled: true }), "done");
    for (let count = 0; count < 3; count++) {
      assertEquals(await told(opened, authorization), "401 wrong-credentials, 1 hash");
      // Nor is a browser led to the page, which it would leave without having learnt what was wrong.
      const { status, headers } = await ask(opened, authorization, { headers: { accept: "text/html" } });
      assertEquals([status, headers.get("www-authenticate")], [401, challenge]);
      assertEquals([headers.get("cache-control"), headers.get("location")], ["no-store", null]);
    }
    assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
  });
}

const malformed: readonly [what: string, authorization: string][] = [
  ["no base64", "Basic ?"],
  ["base64 cut short", basicOf("alice").slice(0, -1)],
  ["no colon", `Basic ${new TextEncoder().encode("alice").toBase64()}`],
  ["no UTF-8", `Basic ${new Uint8Array([0x61, 0x3a, 0xff]).toBase64()}`],
  ["the scheme alone", "Basic"],
  ["no scheme", basicOf("alice").slice("Basic ".length)],
  ["another scheme", basicOf("alice").replace("Basic", "Digest")],
  ["two of them", `${basicOf("alice")}, ${basicOf("alice")}`],
];

for (const [what, authorization] of malformed) {
  Deno.test(`guard() takes what is not Basic for nothing, and hashes nothing: ${what}`, async () => {
    const opened = await openWithAlice();
    assertEquals(await told(opened, authorization), "401 not-authenticated, 0 hash");
    assertEquals((await ask(opened, authorization)).headers.get("www-authenticate"), challenge);
    assertEquals((await ask(opened, authorization, { headers: { accept: "text/html" } })).status, 302);
  });
}

const changes: readonly [what: string, change: (opened: AdminApp, token: string) => Promise<unknown>, then: string][] =
  [
    ["the password is changed", ({ send }, token) => {
      const json = { current_password: password, password: newPassword };
      return send("PUT", "/user/alice/password", { token, json });
    }, "401 wrong-credentials, 1 hash"],
    ["the user is disabled", ({ send, admin }) => {
      return send("PATCH", "/user/alice", { token: admin, json: { disabled: true } });
    }, "401 wrong-credentials, 1 hash"],
    [
      "the user is deleted",
      ({ send }, token) => send("DELETE", "/user/alice", { token }),
      "401 wrong-credentials, 1 hash",
    ],
    ["the login is another's, of the same password", async ({ send, addUser }, token) => {
      await send("DELETE", "/user/alice", { token });
      await addUser("alice");
    }, "200 alice, 1 hash"],
    ["the sessions are ended, of which it is none", ({ send }, token) => {
      return send("DELETE", "/user/alice/session/", { token });
    }, "200 alice, 0 hash"],
  ];

for (const [what, change, then] of changes) {
  Deno.test(`guard() answers ${then} to Basic that was right until ${what}`, async () => {
    const opened = await openWithAlice();
    assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
    await change(opened, opened.token);
    assertEquals(await told(opened, basicOf("alice")), then);
    const { headers } = await ask(opened, basicOf("alice"));
    if (then.startsWith("200")) assertEquals(headers.get("remote-id"), (await keptUser(opened, "alice")).id);
  });
}

Deno.test("guard() sees at once that a user is in other groups, by Basic too", async () => {
  const opened = await openWithAlice();
  const groupsOf = async () => (await ask(opened, basicOf("alice"))).headers.get("remote-groups");
  for (const groups of [[], ["staff", "night"], ["night"]]) {
    const json = { groups };
    assertEquals((await opened.send("PATCH", "/user/alice", { token: opened.admin, json })).status, 200);
    assertEquals(await groupsOf(), ["users", ...groups].join());
  }
});

/** Changes a user once, right after they were looked up: while the password is verified. */
class ChangingStore extends TableStore {
  change: ((store: TableStore, user: User) => Promise<unknown>) | undefined;

  override async findUser(login: string): Promise<User | undefined> {
    const user = await super.findUser(login);
    const { change } = this;
    this.change = undefined;
    if (user !== undefined) await change?.(this, user);
    return user;
  }
}

const meanwhile: readonly [what: string, change: (store: TableStore, user: User) => Promise<unknown>, then: string][] =
  [
    ["is disabled", (store, user) => store.replaceUser(user, { ...user, disabled: true }), "401 wrong-credentials"],
    ["is deleted", (store, { login }) => deleteByLogin(store, login), "401 wrong-credentials"],
    ["gets another password", async (store, user) => {
      const { passwordHash } = await store.findUser("root") ?? user;
      // Of the other salt it is another hash, though of the same password.
      await store.replaceUser(user, { ...user, passwordHash: passwordHash.replace(/\$[^$]+$/, `$${"A".repeat(43)}`) });
    }, "401 wrong-credentials"],
    ["gets groups", (store, user) => store.replaceUser(user, { ...user, groups: ["staff"] }), "200 users,staff"],
    ["stays as they are", () => Promise.resolve(), "200 users"],
  ];

for (const [what, change, then] of meanwhile) {
  Deno.test(`guard() answers ${then} to Basic of a user who ${what} while it is verified`, async () => {
    const store = new ChangingStore();
    const opened = await openWithAlice({ store });
    store.change = change;
    const before = opened.lines.length;
    const reply = await ask(opened, basicOf("alice"));
    assertEquals(`${outcomeOf(reply)} ${reply.headers.get("remote-groups") ?? ""}`.trimEnd(), then);
    const logged = auditOf(opened.lines.slice(before)).map(({ event, user }) => `${event} ${user}`);
    assertEquals(logged, [then.startsWith("200") ? "login alice" : "login-failed alice"]);
  });
}

Deno.test("guard() tells the audit once of Basic that is verified once for many, of a user who is changed meanwhile", async () => {
  const store = new ChangingStore();
  const opened = await openWithAlice({ store });
  store.change = (store, user) => store.replaceUser(user, { ...user, disabled: true });
  const before = opened.lines.length;
  const replies = await Promise.all(Array.from({ length: 10 }, () => ask(opened, basicOf("alice"))));
  assertEquals(countOutcomes(replies), { "401 wrong-credentials": 10 });
  const logged = auditOf(opened.lines.slice(before)).map(({ event, user }) => `${event} ${user}`);
  assertEquals(logged, ["login-failed alice"]);
});

Deno.test("guard() remembers Basic also when the password was hashed anew", async () => {
  const { app } = await openWithAlice();
  const opened = await openTestApp({ store: app.store, settings: { GATEHOUSE_PBKDF2_ITERATIONS: "150" } });
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 2 hash");
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 0 hash");
  opened.clock.now += 60_000;
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});

Deno.test("guard() counts wrong passwords of Basic like those of logins, also of who is remembered", async () => {
  const opened = await openWithAlice();
  const { send, app, lines } = opened;
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
  for (let count = 0; count < 5; count++) {
    assertEquals(await told(opened, basicOf("alice", `wrong ${count}`)), "401 wrong-credentials, 1 hash");
    const json = { login: "alice", password: `wrong too ${count}` };
    assertEquals(outcomeOf(await send("POST", "/session/", { json })), "401 wrong-credentials");
  }
  const before = [app.metrics.hashes.count, lines.length];
  const reply = await ask(opened, basicOf("alice", "wrong again"));
  assertEquals(outcomeOf(reply), "429 too-many-attempts");
  assertEquals([reply.headers.get("retry-after"), reply.headers.get("cache-control")], ["360", "no-store"]);
  assertEquals(app.metrics.hashes.count, before[0]);
  const requestId = reply.headers.get("x-request-id");
  const event = { event: "login-throttled", user: "alice", clientAddress: "127.0.0.1", requestId };
  assertEquals(auditOf(lines.slice(before[1])), [event]);
  assertEquals(await told(opened, basicOf("alice")), "429 too-many-attempts, 0 hash");
  assertEquals(await told(opened, basicOf("alice"), { client: "192.0.2.9" }), "200 alice, 1 hash");
  opened.clock.now += 6 * 60_000;
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});

/** What makes a client wait: 10 wrong passwords of the login, or 100 of any. */
const floods: readonly [what: string, count: number, loginOf: (index: number) => string][] = [
  ["of the login", 10, () => "alice"],
  ["of other logins", 100, (index) => `user${index}`],
];

for (const [what, count, loginOf] of floods) {
  Deno.test(`guard() tells a client that is to wait nothing by Basic that is right and remembered, after wrong ones ${what}`, async () => {
    const opened = await openWithAlice();
    const [owner, guesser] = [{ client: "192.0.2.8" }, { client: "192.0.2.9" }];
    for (const client of [owner, guesser]) {
      assertEquals(await told(opened, basicOf("alice"), client), "200 alice, 1 hash");
    }
    for (let index = 0; index < count; index++) {
      const guess = basicOf(loginOf(index), `wrong ${index}`);
      assertEquals(await told(opened, guess, guesser), "401 wrong-credentials, 1 hash");
    }
    const replies = [];
    for (const secret of [password, "wrong"]) {
      replies.push(await ask(opened, basicOf("alice", secret), guesser));
    }
    assertEquals(countOutcomes(replies), { "429 too-many-attempts": 2 });
    assertEquals(replies[0]?.headers.get("retry-after"), replies[1]?.headers.get("retry-after"));
    // The owner is elsewhere, and remembered there.
    assertEquals(await told(opened, basicOf("alice"), owner), "200 alice, 0 hash");
  });
}

Deno.test("guard() tells the audit of who is to wait only the logins that are registered", async () => {
  const opened = await openWithAlice();
  for (const login of ["alice", "nobody"]) {
    for (let count = 0; count < 10; count++) await ask(opened, basicOf(login, `wrong ${count}`));
    const before = opened.lines.length;
    assertEquals(await told(opened, basicOf(login)), "429 too-many-attempts, 0 hash");
    const [event] = auditOf(opened.lines.slice(before));
    assertEquals([event?.event, event?.user], ["login-throttled", login === "alice" ? login : undefined]);
  }
});

Deno.test("guard() verifies the same wrong password once for any number of requests at once, and counts it once", async () => {
  const opened = await openWithAlice({ hasher: await Hasher.open({ iterations: 100, concurrency: 1, maxWaitMs: 1 }) });
  const lineCount = opened.lines.length;
  using spy = spyOnDerive();
  const replies = await Promise.all(Array.from({ length: 300 }, () => ask(opened, basicOf("alice", "an old one"))));
  assertEquals(countOutcomes(replies), { "401 wrong-credentials": 300 });
  assertEquals(spy.costs.length, 1);
  const logged = auditOf(opened.lines.slice(lineCount)).map(({ event, user }) => `${event} ${user}`);
  assertEquals(logged, ["login-failed alice"]);
  // Nor is it remembered.
  assertEquals(await told(opened, basicOf("alice", "an old one")), "401 wrong-credentials, 1 hash");
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});

Deno.test("guard() counts the same wrong password of a client that never stops once", async () => {
  const opened = await openWithAlice();
  for (let count = 0; count < 50; count++) {
    assertEquals(await told(opened, basicOf("alice", "an old one")), "401 wrong-credentials, 1 hash");
  }
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});
