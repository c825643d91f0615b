/** The ceremony: a login in two steps, and by a passkey alone. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { auditOf, openWithAlice, outcomeOf } from "../support/accounts.ts";
import { alice, openAppOfAlice, type TestApp } from "../support/app.ts";
import { Authenticator, flag } from "../support/factors/authenticator.ts";
import { assertion, beginLogin, page, setUpPasskey, setUpTotp } from "../support/factors/set_up.ts";

const stepMs = 30_000;
const minuteMs = 60_000;
const prove = ({ send }: TestApp, json: unknown) => send("POST", "/session/second-factor/", { json, headers: page });

Deno.test("POST /session/ asks a user with TOTP for a second factor, and only after the right password", async () => {
  const opened = await openAppOfAlice();
  const before = await opened.send("POST", "/session/", { json: { ...alice, password: "wrong horse battery" } });
  await setUpTotp(opened, opened);
  const wrong = await opened.send("POST", "/session/", { json: { ...alice, password: "wrong horse battery" } });
  assertEquals([wrong.status, wrong.text], [before.status, before.text]);
  assertEquals([...wrong.headers.keys()], [...before.headers.keys()]);
  const right = await opened.send("POST", "/session/", { json: alice });
  assertEquals(right.status, 202);
  assertEquals(right.headers.get("set-cookie"), null);
  assertEquals(right.json.next, ["totp", "recovery"]);
  assertEquals(right.json.expires_at, new Date(opened.clock.now + 5 * minuteMs).toISOString());
});

Deno.test("POST /session/second-factor/ opens a session by TOTP, and by each code once", async () => {
  const opened = await openAppOfAlice();
  const totp = await setUpTotp(opened, opened);
  const used = await prove(opened, { login_token: await beginLogin(opened, alice), totp: totp.code() });
  assertEquals(outcomeOf(used), "403 wrong-factor");
  opened.clock.now += stepMs;
  const login_token = await beginLogin(opened, alice);
  const reply = await prove(opened, { login_token, totp: totp.code() });
  assertEquals([reply.status, reply.json.factors], [201, ["password", "totp"]]);
  const token = String(reply.json.token);
  const shown = await opened.send("GET", "/session/", { token });
  assertEquals(shown.json.factors, ["password", "totp"]);
  assertEquals(shown.json.authenticated_at, new Date(opened.clock.now).toISOString());
  assertEquals(outcomeOf(await prove(opened, { login_token, totp: totp.code(1) })), "403 login-token-invalid");
  const again = await prove(opened, { login_token: await beginLogin(opened, alice), totp: totp.code() });
  assertEquals(outcomeOf(again), "403 wrong-factor");
});

Deno.test("POST /session/second-factor/ sets the cookies of a browser", async () => {
  const opened = await openAppOfAlice();
  const totp = await setUpTotp(opened, opened);
  const login_token = await beginLogin(opened, alice);
  const reply = await prove(opened, { login_token, totp: totp.code(1), cookie: true });
  assertEquals([reply.status, reply.json.token], [201, undefined]);
  assertMatch(reply.headers.get("set-cookie") ?? "", /__Host-gatehouse=.+__Host-gatehouse-device=/);
});

Deno.test("POST /session/second-factor/ takes each recovery code once, and says how many are left", async () => {
  const opened = await openAppOfAlice();
  const { codes } = await setUpTotp(opened, opened);
  assertEquals(codes.length, 10);
  const [recovery_code = ""] = codes;
  const reply = await prove(opened, { login_token: await beginLogin(opened, alice), recovery_code });
  assertEquals([reply.status, reply.json.factors, reply.json.recovery_codes_left], [201, ["password", "recovery"], 9]);
  const login_token = await beginLogin(opened, alice);
  assertEquals(outcomeOf(await prove(opened, { login_token, recovery_code })), "403 wrong-factor");
  const lower = codes[1]?.toLowerCase();
  assertEquals((await prove(opened, { login_token, recovery_code: lower })).json.recovery_codes_left, 8);
});

Deno.test("POST /session/second-factor/ takes a passkey that answers the options of its browser, once", async () => {
  const opened = await openAppOfAlice();
  const authenticator = await setUpPasskey(opened, opened);
  opened.clock.now += 1;
  const tokens = [await beginLogin(opened, alice), await beginLogin(opened, alice)];
  const proveBy = async (index: number, { passkey, headers }: Awaited<ReturnType<typeof assertion>>) => {
    const json = { login_token: tokens[index], passkey };
    return await opened.send("POST", "/session/second-factor/", { json, headers });
  };
  const answer = await assertion(opened, authenticator);
  assertEquals(outcomeOf(await proveBy(0, { ...answer, headers: { ...page, cookie: "" } })), "403 wrong-factor");
  const reply = await proveBy(0, answer);
  assertEquals([reply.status, reply.json.factors], [201, ["password", "passkey"]]);
  assertEquals(outcomeOf(await proveBy(1, answer)), "403 wrong-factor");
  opened.clock.now += 1;
  const late = await assertion(opened, authenticator);
  opened.clock.now += 5 * minuteMs;
  tokens.push(await beginLogin(opened, alice));
  assertEquals(outcomeOf(await proveBy(1, late)), "403 login-token-invalid");
  assertEquals(outcomeOf(await proveBy(2, late)), "403 wrong-factor");
});

Deno.test("a passkey alone logs in, and answers a challenge of its own browser once", async () => {
  const opened = await openAppOfAlice();
  const authenticator = await setUpPasskey(opened, opened);
  opened.clock.now += 1;
  const { passkey, headers } = await assertion(opened, authenticator);
  const logIn = (headers: Record<string, string>, json: unknown = { passkey }) => {
    return opened.send("POST", "/session/passkey/", { json, headers });
  };
  assertEquals(outcomeOf(await logIn(page)), "403 wrong-factor");
  assertEquals(outcomeOf(await logIn({ cookie: headers.cookie })), "403 cross-origin");
  const foreign = await Authenticator.create();
  foreign.userHandle = authenticator.userHandle;
  const unknown = await assertion(opened, foreign);
  const stranger = await logIn(unknown.headers, { passkey: unknown.passkey });
  assertEquals(outcomeOf(stranger), "403 wrong-factor");
  const reply = await logIn(headers);
  assertEquals([reply.status, reply.json.login, reply.json.factors], [201, "alice", ["passkey"]]);
  assertEquals(outcomeOf(await logIn(headers)), "403 wrong-factor");
});

Deno.test("a passkey alone verifies and names its user, as a second factor it need not", async () => {
  const opened = await openAppOfAlice();
  const authenticator = await setUpPasskey(opened, opened);
  const { userHandle, flags } = authenticator;
  for (const change of [{ flags: flags & ~flag.UV }, { userHandle: undefined }]) {
    opened.clock.now += 1;
    Object.assign(authenticator, { flags, userHandle }, change);
    const { passkey, headers } = await assertion(opened, authenticator);
    const alone = await opened.send("POST", "/session/passkey/", { json: { passkey }, headers });
    assertEquals(outcomeOf(alone), "403 wrong-factor");
    const json = { login_token: await beginLogin(opened, alice), passkey };
    assertEquals(outcomeOf(await opened.send("POST", "/session/second-factor/", { json, headers })), "201");
  }
});

Deno.test("options are the same for all users, and need an origin with HTTPS", async () => {
  const opened = await openAppOfAlice();
  const shown = async () => {
    const { json } = await opened.send("POST", "/session/passkey/options/", { headers: page });
    const { challenge, ...rest } = json.publicKey as Record<string, unknown>;
    return [String(challenge).length, rest];
  };
  const before = await shown();
  await setUpPasskey(opened, opened);
  assertEquals(await shown(), before);
  const evil = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
  const malformed = { origin: "https://[", "sec-fetch-site": "same-origin" };
  for (const headers of [{}, { ...page, origin: "http://gatehouse.test" }, evil, malformed]) {
    const reply = await opened.send("POST", "/session/passkey/options/", { headers });
    assertEquals(outcomeOf(reply), "403 cross-origin");
  }
});

Deno.test("a disabled user cannot log in by a passkey, nor finish a login", async () => {
  const opened = await openAppOfAlice();
  const authenticator = await setUpPasskey(opened, opened);
  await setUpTotp(opened, opened);
  const recovery_code = "AAAA";
  opened.clock.now += 1;
  const login_token = await beginLogin(opened, alice);
  const { passkey, headers } = await assertion(opened, authenticator);
  const user = await opened.app.store.findUser("alice");
  assert(user !== undefined);
  await opened.app.store.replaceUser(user, { ...user, disabled: true });
  const alone = await opened.send("POST", "/session/passkey/", { json: { passkey }, headers });
  assertEquals(outcomeOf(alone), "403 wrong-factor");
  assertEquals(outcomeOf(await prove(opened, { login_token, recovery_code })), "403 login-token-invalid");
});

Deno.test("a login token is good for nothing else, and a ticket is none", async () => {
  const opened = await openWithAlice();
  const { codes: [recovery_code] } = await setUpTotp(opened, opened);
  const token = await beginLogin(opened, alice);
  const register = { json: { ...alice, login: "bob", ticket: token } };
  assertEquals(outcomeOf(await opened.send("POST", "/user/", register)), "403 ticket-invalid");
  const reset = { json: { ticket: token, password: "nine yellow emus dance" } };
  assertEquals(outcomeOf(await opened.send("PUT", "/user/alice/password", reset)), "403 ticket-invalid");
  for (const headers of [{ authorization: `Bearer ${token}` }, { cookie: `__Host-gatehouse=${token}` }]) {
    assertEquals((await opened.send("GET", "/session/", { headers })).status, 401);
    assertEquals((await opened.send("GET", "/guard/", { headers })).status, 401);
  }
  const login_token = await opened.makeTicket("reset", "alice");
  assertEquals(outcomeOf(await prove(opened, { login_token, recovery_code })), "403 login-token-invalid");
});

Deno.test("a new password ends the logins that wait", async () => {
  const opened = await openAppOfAlice();
  const totp = await setUpTotp(opened, opened);
  const login_token = await beginLogin(opened, alice);
  const json = { current_password: alice.password, password: "nine yellow emus dance" };
  assertEquals((await opened.send("PUT", "/user/alice/password", { token: opened.token, json })).status, 204);
  assertEquals(outcomeOf(await prove(opened, { login_token, totp: totp.code(1) })), "403 login-token-invalid");
});

Deno.test("bodies with a bad proof, none or two are refused", async () => {
  const { send } = await openAppOfAlice();
  const rows: [unknown, string][] = [
    [{ login_token: "x" }, "422 invalid-credentials /totp missing"],
    [{ totp: "123456" }, "422 invalid-credentials /login_token missing"],
    [{ login_token: "x", totp: "123456", recovery_code: "y" }, "422 invalid-credentials /totp unknown-field"],
    [{ login_token: "x", totp: "12345" }, "422 invalid-credentials /totp invalid-code"],
    [{ login_token: "x", totp: 123_456 }, "422 invalid-credentials /totp not-text"],
    [{ login_token: "x", recovery_code: "y".repeat(65) }, "422 invalid-credentials /recovery_code invalid-code"],
    [{ login_token: "x", passkey: {} }, "422 invalid-credentials /passkey invalid-passkey"],
    [{ login_token: "x", totp: "123456" }, "403 login-token-invalid"],
  ];
  for (const [json, outcome] of rows) {
    assertEquals(outcomeOf(await send("POST", "/session/second-factor/", { json })), outcome);
  }
});

Deno.test("a login reads no credentials before the right password", async () => {
  const opened = await openAppOfAlice();
  await setUpTotp(opened, opened);
  const { store } = opened.app;
  const names: string[] = [];
  for (const name of ["listCredentials", "findCredential", "insertTicket"] as const) {
    const method = store[name].bind(store) as (...all: unknown[]) => Promise<unknown>;
    Object.assign(store, {
      [name]: (...all: unknown[]) => {
        names.push(name);
        return method(...all);
      },
    });
  }
  for (const json of [{ ...alice, password: "wrong" }, { ...alice, login: "bob" }]) {
    assertEquals((await opened.send("POST", "/session/", { json })).status, 401);
  }
  assertEquals(names, []);
  await beginLogin(opened, alice);
  assertEquals(names, ["listCredentials", "insertTicket"]);
});

Deno.test("a login is refused if its user is disabled meanwhile, and not if its groups change", async () => {
  const opened = await openAppOfAlice();
  await setUpTotp(opened, opened);
  const { store } = opened.app;
  const { insertTicket } = store;
  for (
    const [change, outcome] of [[{ groups: ["staff"] }, "202"], [{ disabled: true }, "401 wrong-credentials"]] as const
  ) {
    store.insertTicket = async (ticket, options) => {
      store.insertTicket = insertTicket;
      const user = await store.findUser("alice");
      if (user !== undefined) await store.replaceUser(user, { ...user, ...change });
      return await store.insertTicket(ticket, options);
    };
    assertEquals(outcomeOf(await opened.send("POST", "/session/", { json: alice })), outcome);
  }
});

Deno.test("a passkey whose counter does not grow logs in, and is reported", async () => {
  const opened = await openAppOfAlice();
  const authenticator = await setUpPasskey(opened, opened);
  authenticator.signCount = 7;
  for (const events of [["login"], ["passkey-counter", "login"]]) {
    opened.clock.now += 1;
    const { passkey, headers } = await assertion(opened, authenticator);
    const before = opened.lines.length;
    assertEquals((await opened.send("POST", "/session/passkey/", { json: { passkey }, headers })).status, 201);
    assertEquals(auditOf(opened.lines.slice(before)).map(({ event }) => event), events);
  }
});
