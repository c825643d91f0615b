/** Who may log in: the uniform response and the lab's exact one, for the same work. */
import { assertEquals, assertMatch } from "@std/assert";
import { alice, openAppOfAlice, type TestApp } from "../support/app.ts";
import { tryToLogIn, userOf } from "../support/login_attempt.ts";

const wrong = { ...alice, password: "nine yellow emus dance" };

/** Registers `bob`, with the password of `alice`, and disables him. */
async function addDisabledBob({ app, send }: TestApp): Promise<void> {
  assertEquals((await send("POST", "/user/", { json: { ...alice, login: "bob" } })).status, 201);
  const bob = await userOf(app.store, "bob");
  assertEquals(await app.store.replaceUser(bob, { ...bob, disabled: true }), "done");
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
