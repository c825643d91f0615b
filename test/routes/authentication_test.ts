/** Step-up: what requires it, and what proves the identity of a user again. */
import { assertEquals } from "@std/assert";
import { recentLoginMs } from "../../routes/auth/authorization.ts";
import { type AdminApp, auditOf, newPassword, openWithAlice, outcomeOf } from "../support/accounts.ts";
import { alice, openAppOfAlice, type Reply } from "../support/app.ts";
import { assertion, beginLogin, page, setUpPasskey, setUpTotp } from "../support/factors/set_up.ts";

const stepUp = "/session/authentication/";

interface Row {
  readonly route: string;
  readonly json?: unknown;
  /** With a recent login. */
  readonly fresh: string;
}

const name = "key";
const passkeyRefused = "422 invalid-credential /passkey invalid-passkey";
/** Sent by an administrator about alice. */
const adminRows: readonly Row[] = [
  { route: "PATCH /user/alice", json: { groups: ["staff"] }, fresh: "200" },
  { route: "PATCH /user/alice", json: { disabled: true }, fresh: "200" },
  { route: "POST /ticket/", json: { purpose: "register" }, fresh: "201" },
  { route: "POST /ticket/", json: { purpose: "reset", login: "alice" }, fresh: "201" },
  { route: "DELETE /user/alice/credential/", fresh: "204" },
  { route: "DELETE /user/alice/credential/x", fresh: "404 not-found" },
  { route: "DELETE /user/alice", fresh: "204" },
];
/** Sent by alice about herself. */
const ownRows: readonly Row[] = [
  { route: "POST /user/alice/passkey/options/", fresh: "200" },
  { route: "POST /user/alice/passkey/", json: { name, passkey: {} }, fresh: passkeyRefused },
  { route: "POST /user/alice/totp/setup/", fresh: "200" },
  { route: "POST /user/alice/totp/", json: { setup_token: "x", code: "123456" }, fresh: "403 wrong-factor" },
  { route: "POST /user/alice/recovery-code/", fresh: "201" },
  { route: "POST /user/alice/app-password/", json: { name }, fresh: "201" },
  { route: "DELETE /user/alice/credential/", fresh: "204" },
  { route: "DELETE /user/alice/credential/x", fresh: "404 not-found" },
  { route: "DELETE /user/alice", fresh: "204" },
];

async function send({ send }: AdminApp, { route, json }: Row, token: string): Promise<Reply> {
  const [method = "", path = ""] = route.split(" ");
  return await send(method, path, { token, json, headers: method === "POST" ? page : {} });
}

for (const [by, rows] of [["an administrator", adminRows], ["the user", ownRows]] as const) {
  for (const row of rows) {
    Deno.test(`${row.route} by ${by} requires a login or step-up of the last 10 minutes`, async () => {
      const opened = await openWithAlice();
      const token = by === "the user" ? opened.token : opened.admin;
      opened.clock.now += recentLoginMs;
      const refused = await send(opened, row, token);
      assertEquals([outcomeOf(refused), refused.json.needs], ["403 login-again", ["password"]]);
      const json = { password: alice.password };
      assertEquals(outcomeOf(await opened.send("POST", stepUp, { token, json })), "200");
      opened.clock.now += recentLoginMs - 1;
      assertEquals(outcomeOf(await send(opened, row, token)), row.fresh);
    });
  }
}

Deno.test("a new password requires a recent login of a user with a second factor, and of no other", async () => {
  const opened = await openWithAlice();
  const change = (token: string, [current_password, password]: readonly string[]) => {
    return opened.send("PUT", "/user/alice/password", { token, json: { current_password, password } });
  };
  opened.clock.now += recentLoginMs;
  assertEquals(outcomeOf(await change(opened.token, [alice.password, newPassword])), "204");
  const token = await opened.logIn({ ...alice, password: newPassword });
  await setUpTotp(opened, { token });
  opened.clock.now += recentLoginMs;
  const refused = await change(token, [newPassword, alice.password]);
  assertEquals([outcomeOf(refused), refused.json.needs], ["403 login-again", ["totp", "recovery"]]);
});

Deno.test("a session of before the second factor needs that, however recent it is", async () => {
  const opened = await openWithAlice();
  const older = await opened.logIn();
  await setUpTotp(opened, { token: opened.token });
  opened.clock.now += 1;
  const json = { current_password: alice.password, password: newPassword };
  const rows = [...ownRows, { route: "PUT /user/alice/password", json, fresh: "204" }];
  for (const row of rows) {
    const refused = await send(opened, row, older);
    assertEquals([row.route, outcomeOf(refused)], [row.route, "403 login-again"]);
    assertEquals(refused.json.needs, ["totp", "recovery"]);
  }
});

Deno.test("authenticateAgain() adds the factor, and sets the time", async () => {
  const opened = await openAppOfAlice();
  const { token } = opened;
  const { code, codes } = await setUpTotp(opened, { token });
  await setUpPasskey(opened, { token });
  const second = await opened.send("POST", "/session/second-factor/", {
    json: { login_token: await beginLogin(opened, alice), recovery_code: codes[0] },
  });
  opened.clock.now += recentLoginMs;
  const json = { totp: code() };
  const reply = await opened.send("POST", stepUp, { token: String(second.json.token), json });
  assertEquals(reply.json.factors, ["password", "recovery", "totp"]);
  assertEquals(reply.json.authenticated_at, new Date(opened.clock.now).toISOString());
  const { event, factors } = auditOf(opened.lines).at(-1) ?? {};
  assertEquals([event, factors], ["step-up", ["totp"]]);
  const byCode = await opened.send("POST", stepUp, { token, json: { recovery_code: codes[1] } });
  assertEquals([byCode.status, byCode.json.recovery_codes_left], [200, 8]);
});

Deno.test("authenticateAgain() takes a passkey that answers the options of this browser, once", async () => {
  const opened = await openWithAlice();
  const { token } = opened;
  const authenticator = await setUpPasskey(opened, { token });
  opened.clock.now += 1;
  const { passkey, headers } = await assertion(opened, authenticator);
  const stepUpBy = async (token: string, headers: Readonly<Record<string, string>>) => {
    return outcomeOf(await opened.send("POST", stepUp, { token, json: { passkey }, headers }));
  };
  assertEquals(await stepUpBy(token, page), "403 wrong-factor");
  assertEquals(await stepUpBy(await opened.addUser("bob"), headers), "403 wrong-factor");
  assertEquals(await stepUpBy(token, headers), "200");
  assertEquals(await stepUpBy(token, headers), "403 wrong-factor");
});

Deno.test("authenticateAgain() refuses what is wrong, and the password of a user with a second factor", async () => {
  const opened = await openWithAlice();
  const { token } = opened;
  const outcome = async (json: unknown) => outcomeOf(await opened.send("POST", stepUp, { token, json }));
  assertEquals(await outcome({ password: "wrong" }), "403 wrong-current-password");
  assertEquals(await outcome({ totp: "123456" }), "403 wrong-factor");
  assertEquals(await outcome({ recovery_code: "AAAA" }), "403 wrong-factor");
  assertEquals(await outcome({}), "422 invalid-credentials /password missing");
  assertEquals(await outcome({ password: "x", totp: "123456" }), "422 invalid-credentials /password unknown-field");
  assertEquals(outcomeOf(await opened.send("POST", stepUp, { json: {} })), "401 not-authenticated");
  assertEquals(await outcome({ password: alice.password }), "200");
  await setUpTotp(opened, { token });
  const refused = await opened.send("POST", stepUp, { token, json: { password: alice.password } });
  assertEquals([outcomeOf(refused), refused.json.needs], ["403 login-again", ["totp", "recovery"]]);
});

Deno.test("authenticateAgain() throttles as a login, and takes no code of another user", async () => {
  const opened = await openWithAlice();
  const { codes: [recovery_code = ""] } = await setUpTotp(opened, { login: "root", token: opened.admin });
  await setUpTotp(opened, { token: opened.token });
  const attempt = async () =>
    outcomeOf(await opened.send("POST", stepUp, { token: opened.token, json: { recovery_code } }));
  for (let count = 0; count < 10; count++) assertEquals(await attempt(), "403 wrong-factor");
  assertEquals(await attempt(), "429 too-many-attempts");
  const own = await opened.send("POST", stepUp, { token: opened.admin, json: { recovery_code } });
  assertEquals(outcomeOf(own), "200");
});

Deno.test("authenticateAgain() needs a session, and one that another site does not use", async () => {
  const { send, token } = await openAppOfAlice();
  const json = { password: alice.password };
  assertEquals(outcomeOf(await send("POST", stepUp, { json })), "401 not-authenticated");
  const headers = { cookie: `__Host-gatehouse=${token}`, "sec-fetch-site": "cross-site" };
  assertEquals(outcomeOf(await send("POST", stepUp, { json, headers })), "403 cross-origin");
});
