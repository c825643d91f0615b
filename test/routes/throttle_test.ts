/** Too many wrong passwords, as clients see it; of browsers that are known see throttle_device_test.ts. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { Hasher } from "../../lib/passwords/hasher.ts";
import { type AdminApp, auditOf, countOutcomes, newPassword, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, openTestApp, type Reply, type SendOptions, type TestApp } from "../support/app.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";

const guesser = { client: "198.51.100.7" };
const owner = { client: "203.0.113.9" };
const clientOf = (index: number) => ({ client: `192.0.2.${index}` });

/** An app with an admin, and with `alice`, who is logged in. */
async function openWithAlice(): Promise<AdminApp & { token: string }> {
  const opened = await openAdminApp();
  return { ...opened, token: await opened.addUser("alice") };
}

function logIn({ send }: TestApp, json: unknown, options: SendOptions = guesser): Promise<Reply> {
  return send("POST", "/session/", { json, ...options });
}

let guessCount = 0;
/** Tries a password that is wrong, another one each time. */
function guess(opened: TestApp, login = "alice", options: SendOptions = guesser): Promise<Reply> {
  return logIn(opened, { login, password: `wrong ${guessCount++}` }, options);
}

/** Has a hundred clients try one wrong password each. */
async function lock(opened: TestApp, login = "alice"): Promise<void> {
  for (let index = 0; index < 100; index++) {
    assertEquals(outcomeOf(await guess(opened, login, clientOf(index))), "401 wrong-credentials");
  }
  assertEquals(outcomeOf(await guess(opened, login)), "429 too-many-attempts");
}

Deno.test("logIn() takes 10 wrong passwords of a login from a client, and then looks at none", async () => {
  const opened = await openWithAlice();
  const { app, lines, clock } = opened;
  for (let count = 0; count < 10; count++) assertEquals(outcomeOf(await guess(opened)), "401 wrong-credentials");
  const before = [app.metrics.hashes.count, lines.length];
  for (
    const json of [{ ...alice, password: "wrong" }, alice, { ...alice, login: "ALICE" }, { ...alice, cookie: true }]
  ) {
    const { status, headers, json: problem } = await logIn(opened, json);
    assertEquals([status, headers.get("retry-after"), headers.get("cache-control")], [429, "360", "no-store"]);
    assertEquals([headers.get("set-cookie"), headers.get("www-authenticate")], [null, null]);
    assertEquals(problem, { type: "/problem/too-many-attempts", title: "Too many wrong passwords", status: 429 });
  }
  assertEquals(app.metrics.hashes.count, before[0]);
  const told = auditOf(lines.slice(before[1])).map(({ requestId: _id, ...event }) => event);
  assertEquals(told, Array(4).fill({ event: "login-throttled", user: "alice", clientAddress: guesser.client }));
  clock.now += 360_000;
  assertEquals((await logIn(opened, alice)).status, 201);
});

Deno.test("logIn() lets the owner in at another address while a guesser is stopped", async () => {
  const opened = await openWithAlice();
  for (let count = 0; count < 20; count++) await guess(opened);
  assertEquals(outcomeOf(await logIn(opened, alice)), "429 too-many-attempts");
  assertEquals((await logIn(opened, alice, owner)).status, 201);
  assertEquals(outcomeOf(await logIn(opened, alice)), "429 too-many-attempts");
  assertEquals((await logIn(opened, { ...alice, login: "root" })).status, 201);
});

Deno.test("logIn() counts a client over all logins, and an IPv6 client by its /64", async () => {
  const opened = await openWithAlice();
  const at = (index: number) => ({ client: `2001:db8:1:2::${index.toString(16)}` });
  for (let index = 0; index < 100; index++) {
    assertEquals(outcomeOf(await guess(opened, `user${index}`, at(index))), "401 wrong-credentials");
  }
  const reply = await logIn(opened, alice, at(100));
  assertEquals([outcomeOf(reply), reply.headers.get("retry-after")], ["429 too-many-attempts", "36"]);
  assertEquals((await logIn(opened, alice, { client: "2001:db8:1:3::1" })).status, 201);
});

Deno.test("logIn() verifies 10 of 200 wrong passwords that come at once, and then the owner's", async () => {
  const opened = await openWithAlice();
  const before = opened.app.metrics.hashes.count;
  const replies = await Promise.all(Array.from({ length: 200 }, () => guess(opened)));
  assertEquals(countOutcomes(replies), { "401 wrong-credentials": 10, "429 too-many-attempts": 190 });
  assertEquals(opened.app.metrics.hashes.count - before, 10);
  assertEquals((await logIn(opened, alice, owner)).status, 201);
});

Deno.test("logIn() does not count a wrong password that comes again, as from a device with an old one", async () => {
  const opened = await openWithAlice();
  const json = { ...alice, password: "an old one" };
  const replies = await Promise.all(Array.from({ length: 200 }, () => logIn(opened, json)));
  assertEquals(countOutcomes(replies), { "401 wrong-credentials": 200 });
  assertEquals((await logIn(opened, alice)).status, 201);
  for (let count = 0; count < 9; count++) assertEquals(outcomeOf(await guess(opened)), "401 wrong-credentials");
  assertEquals(outcomeOf(await guess(opened)), "429 too-many-attempts");
});

Deno.test("logIn() counts nothing that was not verified, as too many were waiting", async () => {
  const { app } = await openTestApp();
  const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1, maxWaitMs: 0 });
  const opened = await openTestApp({ store: app.store, hasher });
  const outcomes = countOutcomes(await Promise.all(Array.from({ length: 50 }, () => guess(opened))));
  assertEquals(outcomes, { "401 wrong-credentials": 1, "503 overloaded": 9, "429 too-many-attempts": 40 });
  for (let count = 0; count < 9; count++) assertEquals(outcomeOf(await guess(opened)), "401 wrong-credentials");
  assertEquals(outcomeOf(await guess(opened)), "429 too-many-attempts");
});

/** All that a client sees of what it tries, and how many hashes each took. */
async function seen(opened: TestApp, tries: readonly (() => Promise<Reply>)[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const attempt of tries) {
    const before = opened.app.metrics.hashes.count;
    const { status, headers, text } = await attempt();
    assert(headers.has("x-request-id"));
    headers.delete("x-request-id");
    all.push({ status, headers: [...headers], text, hashCount: opened.app.metrics.hashes.count - before });
  }
  return all;
}

Deno.test("logIn() treats unknown logins like wrong passwords and disabled accounts, at every limit", async () => {
  const opened = await openWithAlice();
  await opened.addUser("bob");
  const { send, admin } = opened;
  assertEquals((await send("PATCH", "/user/bob", { token: admin, json: { disabled: true } })).status, 200);
  const forged = { cookie: `__Host-gatehouse-device=${"a".repeat(22)}.${"a".repeat(43)}` };
  const allSeen = [];
  for (const [index, login] of ["alice", "bob", "nobody", "a b\0"].entries()) {
    const one = { client: `10.0.0.${index}` };
    const password = "the same again";
    const tries = [
      ...Array.from({ length: 13 }, () => () => guess(opened, login, one)),
      () => logIn(opened, { login, password }, owner),
      () => logIn(opened, { login, password }, owner),
      () => guess(opened, login, { ...one, headers: forged }),
      ...Array.from({ length: 91 }, (_, client) => () => guess(opened, login, clientOf(client))),
      () => guess(opened, login, { ...guesser, headers: forged }),
    ];
    allSeen.push(await seen(opened, tries));
  }
  const statuses = allSeen[0]?.map((one) => (one as { status: number }).status) ?? [];
  // A hundred in a row, and the same again.
  assertEquals(statuses.filter((status) => status === 401).length, 101);
  assertEquals(statuses.slice(10, 16), [429, 429, 429, 401, 401, 429]);
  assertEquals(statuses.slice(-3), [429, 429, 429]);
  for (const one of allSeen) assertEquals(one, allSeen[0]);
});

Deno.test("the audit names whose passwords were refused only when somebody is registered", async () => {
  const opened = await openWithAlice();
  for (const login of ["alice", "nobody", "my secret password"]) {
    for (let count = 0; count < 10; count++) await guess(opened, login);
    const before = opened.lines.length;
    await guess(opened, login);
    const [event, ...others] = auditOf(opened.lines.slice(before));
    assertEquals([event?.event, event?.user, others], [
      "login-throttled",
      login === "alice" ? "alice" : undefined,
      [],
    ]);
  }
  assert(!opened.lines.join("").includes("my secret"));
});

Deno.test("changePassword() counts wrong present passwords with those of logins, and then looks at none", async () => {
  const opened = await openWithAlice();
  const { send, token, app, lines } = opened;
  const change = (current_password: string, options: SendOptions = guesser) => {
    return send("PUT", "/user/alice/password", {
      token,
      json: { current_password, password: newPassword },
      ...options,
    });
  };
  for (let count = 0; count < 5; count++) {
    assertEquals(outcomeOf(await change(`wrong ${count}`)), "403 wrong-current-password");
    // The same counts once, wherever it is tried.
    assertEquals(outcomeOf(await logIn(opened, { ...alice, password: `wrong ${count}` })), "401 wrong-credentials");
    assertEquals(outcomeOf(await guess(opened)), "401 wrong-credentials");
  }
  const before = [app.metrics.hashes.count, lines.length];
  const reply = await change(alice.password);
  assertEquals([outcomeOf(reply), reply.headers.get("retry-after")], ["429 too-many-attempts", "360"]);
  assertEquals(outcomeOf(await logIn(opened, alice)), "429 too-many-attempts");
  assertEquals(app.metrics.hashes.count, before[0]);
  assertEquals(auditOf(lines.slice(before[1])).map(({ event }) => event), ["login-throttled", "login-throttled"]);
  assertEquals((await send("GET", "/session/", { token })).status, 200);
  assertEquals(outcomeOf(await change(alice.password, owner)), "204");
});

Deno.test("logIn() takes 100 wrong passwords of a login in a row, from anywhere, and then none", async () => {
  const opened = await openWithAlice();
  const before = opened.app.metrics.hashes.count;
  await lock(opened);
  assertEquals(opened.app.metrics.hashes.count - before, 100);
  const reply = await logIn(opened, alice, owner);
  assertEquals([outcomeOf(reply), reply.headers.get("retry-after")], ["429 too-many-attempts", "3600"]);
  opened.clock.now += 365 * 24 * 60 * 60 * 1_000;
  assertEquals(outcomeOf(await logIn(opened, alice, owner)), "429 too-many-attempts");
  assertEquals((await logIn(opened, { ...alice, login: "root" }, owner)).status, 201);
});

/** What opens a login again, whose password is then "right"; and what does not. */
const openings: readonly [what: string, open: (opened: AdminApp, token: string) => Promise<Reply>, status: number][] = [
  ["a new password by ticket", async ({ send, makeTicket }) => {
    const json = { ticket: await makeTicket("reset", "alice"), password: newPassword };
    return send("PUT", "/user/ALICE/password", { json });
  }, 201],
  ["an administrator who enables it", ({ send, admin }) => {
    return send("PATCH", "/user/Alice", { token: admin, json: { disabled: false } });
  }, 201],
  ["a deletion and a registration", async ({ send }, token) => {
    await send("DELETE", "/user/alice", { token });
    return send("POST", "/user/", { json: { ...alice, password: newPassword } });
  }, 201],
  ["a disabling", ({ send, admin }) => send("PATCH", "/user/alice", { token: admin, json: { disabled: true } }), 429],
  ["a ticket that is not used", ({ send, admin }) => {
    return send("POST", "/ticket/", { token: admin, json: { purpose: "reset", login: "alice" } });
  }, 429],
  ["another group", ({ send, admin }) => send("PATCH", "/user/alice", { token: admin, json: { groups: ["a"] } }), 429],
  ["a registration that is refused", ({ send }) => send("POST", "/user/", { json: alice }), 429],
  ["the opening of another login", ({ send, admin }) => {
    return send("PATCH", "/user/root", { token: admin, json: { disabled: false } });
  }, 429],
];

for (const [what, open, status] of openings) {
  Deno.test(`logIn() answers ${status} for a login that took no more passwords, after ${what}`, async () => {
    const opened = await openWithAlice();
    await lock(opened);
    assertGreater(500, (await open(opened, opened.token)).status);
    const replies = [
      await logIn(opened, alice, owner),
      await logIn(opened, { ...alice, password: newPassword }, owner),
    ];
    assertEquals(Math.min(429, ...replies.map((reply) => reply.status)), status);
  });
}

Deno.test("register() gives a login that was guessed at in vain to who takes it, open", async () => {
  const opened = await openWithAlice();
  await lock(opened, "carol");
  const carol = { ...alice, login: "carol" };
  assertEquals(outcomeOf(await opened.send("POST", "/user/", { json: carol })), "201");
  assertEquals((await logIn(opened, carol, owner)).status, 201);
});
