import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { alice, openAppOfAlice, openTestApp } from "../support/app.ts";

const cookiePattern =
  /^__Host-gatehouse=[0-9A-Z]{26}\.[\w-]{43}; Max-Age=2592000; Path=\/; Secure; HttpOnly; SameSite=Lax$/;
const devicePattern =
  /^__Host-gatehouse-device=[\w-]{22}\.[\w-]{43}; Max-Age=34560000; Path=\/; Secure; HttpOnly; SameSite=Lax$/;

Deno.test("logIn() answers 201 with a token, in a reply that nobody may keep", async () => {
  const { send } = await openAppOfAlice();
  const { status, headers, json } = await send("POST", "/session/", { json: alice });
  assertEquals(status, 201);
  const { token, ...rest } = json;
  assertMatch(String(token), /^[0-9A-HJKMNP-TV-Z]{26}\.[\w-]{43}$/);
  assertEquals(rest, {
    login: "alice",
    created_at: "2026-11-23T09:35:39.123Z",
    expires_at: "2026-11-30T09:35:39.123Z",
    factors: ["password"],
    authenticated_at: "2026-11-23T09:35:39.123Z",
  });
  assertEquals(headers.get("cache-control"), "no-store");
  assertEquals(headers.get("set-cookie"), null);
});

Deno.test("logIn() keeps a hash of the token's secret, and where the session comes from", async () => {
  const { app, send } = await openAppOfAlice();
  const headers = { "user-agent": `Browser ${"x".repeat(300)}` };
  const { json } = await send("POST", "/session/", { json: alice, headers, client: "192.0.2.7" });
  const [id = "", secret = ""] = String(json.token).split(".");
  const session = (await app.store.findSession(id))?.session;
  assert(session !== undefined);
  assertEquals(session.address, "192.0.2.7");
  assertEquals(session.userAgent, headers["user-agent"].slice(0, 256));
  assert(!JSON.stringify(session).includes(secret));
});

Deno.test("logIn() gives every session a token of its own", async () => {
  const { send, token, logIn } = await openAppOfAlice();
  const another = await logIn();
  assertNotEquals(another, token);
  for (const good of [token, another]) {
    assertEquals((await send("GET", "/session/", { token: good })).status, 200);
  }
});

Deno.test("logIn() gives the token as a cookie alone when it is asked to", async () => {
  const { send } = await openAppOfAlice();
  const { status, headers, json } = await send("POST", "/session/", { json: { ...alice, cookie: true } });
  assertEquals(status, 201);
  assertEquals(Object.keys(json), ["login", "created_at", "expires_at", "factors", "authenticated_at"]);
  const [cookie = "", device = "", ...others] = headers.getSetCookie();
  assertEquals(others, []);
  assertMatch(cookie, cookiePattern);
  assertMatch(device, devicePattern);
  const { json: session } = await send("GET", "/session/", {
    headers: { cookie: cookie.replace(/;.*/, "") },
  });
  assertEquals(session.login, "alice");
  const plain = await send("POST", "/session/", { json: { ...alice, cookie: false } });
  assertEquals([plain.headers.get("set-cookie"), typeof plain.json.token], [null, "string"]);
});

const badLogins: [what: string, body: unknown, errors: string[]][] = [
  ["a list", [], [" not-object"]],
  ["nothing", {}, ["/login missing", "/password missing"]],
  ["wrong types", { login: 1, password: null, cookie: "yes" }, [
    "/login not-text",
    "/password not-text",
    "/cookie not-boolean",
  ]],
  ["lone surrogates", { login: "\ud800", password: "\ud800" }, [
    "/login not-unicode",
    "/password not-unicode",
  ]],
  ["an unknown field", { ...alice, otp: "1" }, ["/otp unknown-field"]],
  ["a cookie of null", { ...alice, cookie: null }, ["/cookie not-boolean"]],
];

for (const [what, body, errors] of badLogins) {
  Deno.test(`logIn() refuses with every bad field, and verifies nothing: ${what}`, async () => {
    const { app, send } = await openAppOfAlice();
    const before = app.metrics.hashes.count;
    const { status, json } = await send("POST", "/session/", { json: body });
    assertEquals([status, json.type], [422, "/problem/invalid-credentials"]);
    assert(Array.isArray(json.errors));
    assertEquals(json.errors.map((error) => `${error.pointer} ${error.code}`), errors);
    assertEquals(app.metrics.hashes.count, before);
  });
}

Deno.test("logIn() takes the login in whatever capitals, and the password exactly", async () => {
  const { send } = await openAppOfAlice();
  const status = async (json: unknown) => (await send("POST", "/session/", { json })).status;
  assertEquals(await status({ ...alice, login: "ALICE" }), 201);
  assertEquals(await status({ ...alice, password: alice.password.toUpperCase() }), 401);
  assertEquals(await status({ ...alice, password: `${alice.password} ` }), 401);
  assertEquals(await status({ ...alice, login: " alice" }), 401);
});

Deno.test("logIn() takes a password in either Unicode form, however it was registered", async () => {
  const composed = "sept éléphants violets à Nîmes".normalize("NFC");
  const decomposed = composed.normalize("NFD");
  assertNotEquals(composed, decomposed);
  for (const password of [composed, decomposed]) {
    const { send, logIn } = await openTestApp();
    assertEquals((await send("POST", "/user/", { json: { login: "zoe", password } })).status, 201);
    assertMatch(await logIn({ login: "zoe", password: composed }), /\S/);
    assertMatch(await logIn({ login: "zoe", password: decomposed }), /\S/);
  }
});

Deno.test("logOut() ends this session and no other", async () => {
  const { send, token, logIn } = await openAppOfAlice();
  const another = await logIn();
  const { status, headers, text } = await send("DELETE", "/session/", { token });
  assertEquals([status, text, headers.get("set-cookie")], [204, "", null]);
  assertEquals(headers.get("cache-control"), "no-store");
  assertEquals((await send("GET", "/session/", { token })).status, 401);
  assertEquals((await send("DELETE", "/session/", { token })).status, 401);
  assertEquals((await send("GET", "/session/", { token: another })).status, 200);
});
