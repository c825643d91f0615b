/** Which tokens and cookies of a request find a session. */
import { assert, assertEquals } from "@std/assert";
import { openAppOfAlice, type SendOptions } from "../support/app.ts";

/** What a request carries that has the token as a cookie. */
function cookieOf(token: string): { cookie: string } {
  return { cookie: `theme=dark; __Host-gatehouse=${token}` };
}

Deno.test("showSession() tells whose session it is, in a reply that nobody may keep", async () => {
  const { app, send, token } = await openAppOfAlice();
  const user = await app.store.findUser("alice");
  assert(user !== undefined);
  await app.store.replaceUser(user, { ...user, groups: ["staff"] });
  for (const options of [{ token }, { headers: cookieOf(token) }]) {
    const { status, headers, json } = await send("GET", "/session/", options);
    assertEquals(status, 200);
    assertEquals(json, {
      login: "alice",
      groups: ["staff"],
      created_at: "2026-11-23T09:35:39.123Z",
      expires_at: "2026-11-30T09:35:39.123Z",
      factors: ["password"],
      authenticated_at: "2026-11-23T09:35:39.123Z",
    });
    assertEquals(headers.get("cache-control"), "no-store");
  }
});

const id = "01KAN6Z3H3AAAAAAAAAAAAAAAA";
const noSessions: [what: string, options: (token: string) => SendOptions][] = [
  ["no token", () => ({})],
  ["an empty token", () => ({ token: "" })],
  ["text", () => ({ token: "none" })],
  ["a session that never was", () => ({ token: `${id}.${"a".repeat(43)}` })],
  ["the id alone", (token) => ({ token: token.slice(0, 26) })],
  ["another's secret", (token) => ({ token: token.slice(0, 27) + "a".repeat(43) })],
  ["a secret cut short", (token) => ({ token: token.slice(0, -1) })],
  ["a secret made longer", (token) => ({ token: `${token}a` })],
  ["the id in small letters", (token) => ({ token: token.slice(0, 26).toLowerCase() + token.slice(26) })],
  ["two tokens", (token) => ({ token: `${token} ${token}` })],
  ["no scheme", (token) => ({ headers: { authorization: token } })],
  ["another scheme", (token) => ({ headers: { authorization: `Basic ${token}` } })],
  ["an empty cookie", () => ({ headers: { cookie: "__Host-gatehouse=" } })],
  ["another cookie's name", (token) => ({ headers: { cookie: `gatehouse=${token}` } })],
  ["a name that ends alike", (token) => ({ headers: { cookie: `x__Host-gatehouse=${token}` } })],
  ["a broken cookie", () => ({ headers: { cookie: "=; ;;=a; __Host-gatehouse" } })],
];

for (const [what, options] of noSessions) {
  Deno.test(`requireSession() knows no session, and says how to get one: ${what}`, async () => {
    const { lines, send, token } = await openAppOfAlice();
    for (const method of ["GET", "DELETE"]) {
      const { headers, ...sent } = options(token);
      const sameOrigin = { ...headers, "sec-fetch-site": "same-origin" };
      const reply = await send(method, "/session/", { ...sent, headers: sameOrigin });
      assertEquals([reply.status, reply.json.type], [401, "/problem/not-authenticated"]);
      assertEquals(reply.headers.get("www-authenticate"), 'Bearer realm="gatehouse"');
    }
    assert(!lines.join("").includes('"error"'));
    assertEquals((await send("GET", "/session/", { token })).status, 200);
  });
}

Deno.test("requireSession() takes the scheme in whatever capitals", async () => {
  const { send, token } = await openAppOfAlice();
  for (const scheme of ["bearer", "BEARER", "Bearer "]) {
    const { status } = await send("GET", "/session/", { headers: { authorization: `${scheme} ${token}` } });
    assertEquals(status, 200);
  }
});

Deno.test("requireSession() finds its cookie beside the broken ones of others", async () => {
  const { send, token } = await openAppOfAlice();
  for (const others of ["=x; ", ";;; ", "a; b=%; ", '"; c="; ']) {
    const headers = { cookie: `${others}__Host-gatehouse=${token}` };
    assertEquals((await send("GET", "/session/", { headers })).status, 200, others);
  }
});

Deno.test("requireSession() takes the cookie beside an Authorization header that is somebody else's", async () => {
  const { send, token } = await openAppOfAlice();
  const basic = `Basic ${btoa("proxy:secret")}`;
  for (const authorization of [basic, "Bearer abc", 'Digest username="a"', "Negotiate abc", "AWS4-HMAC-SHA256 x", ""]) {
    const headers = { ...cookieOf(token), authorization };
    assertEquals((await send("GET", "/session/", { headers })).status, 200, authorization);
    // It counts as the cookie that it is.
    const forged = { ...headers, "sec-fetch-site": "cross-site" };
    assertEquals((await send("DELETE", "/session/", { headers: forged })).status, 403, authorization);
  }
  const ended = `Bearer ${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
  assertEquals((await send("GET", "/session/", { headers: { ...cookieOf(token), authorization: ended } })).status, 401);
  const own = { ...cookieOf(token), authorization: basic, "sec-fetch-site": "same-origin" };
  const { status, headers } = await send("DELETE", "/session/", { headers: own });
  assertEquals([status, headers.get("set-cookie")?.split(";")[0]], [204, "__Host-gatehouse="]);
});

Deno.test("requireSession() takes neither of two session cookies", async () => {
  const { send, token, logIn } = await openAppOfAlice();
  const cookies = [cookieOf(token), cookieOf(await logIn())].map(({ cookie }) => cookie);
  assertEquals((await send("GET", "/session/", { headers: { cookie: cookies[1] ?? "" } })).status, 200);
  for (const cookie of [cookies.join("; "), `${cookies[0]}; ${cookies[0]}`]) {
    assertEquals((await send("GET", "/session/", { headers: { cookie } })).status, 401);
  }
});

const host = "gatehouse.test";
const origins: [headers: Record<string, string>, isSame: boolean][] = [
  [{ "sec-fetch-site": "same-origin" }, true],
  [{ "sec-fetch-site": "same-origin", origin: "https://elsewhere.test", host }, true],
  [{ "sec-fetch-site": "same-site" }, false],
  [{ "sec-fetch-site": "cross-site" }, false],
  [{ "sec-fetch-site": "none" }, false],
  [{ "sec-fetch-site": "" }, false],
  [{ "sec-fetch-site": "cross-site", origin: `https://${host}`, host }, false],
  [{ origin: `https://${host}`, host }, true],
  [{ origin: `https://${host}:8443`, host: `${host}:8443` }, true],
  [{ origin: `https://${host}:8443`, host }, false],
  [{ origin: `https://${host}.elsewhere.test`, host }, false],
  [{ origin: "https://elsewhere.test", host }, false],
  [{ origin: "null", host }, false],
  [{ origin: "", host }, false],
  // Over HTTP/2 there is no Host.
  [{ origin: `https://${host}` }, true],
  [{ origin: `https://${host}:8443` }, false],
  [{ host }, false],
  [{}, false],
];

for (const [headers, isSame] of origins) {
  Deno.test(`requireSession() ${isSame ? "takes" : "refuses"} a cookie with ${JSON.stringify(headers)}`, async () => {
    const { send, token } = await openAppOfAlice();
    const withCookie = { ...headers, ...cookieOf(token) };
    assertEquals((await send("GET", "/session/", { headers: withCookie })).status, 200);
    assertEquals((await send("HEAD", "/session/", { headers: withCookie })).status, 200);

    const { status, json } = await send("DELETE", "/session/", { headers: withCookie });
    if (isSame) assertEquals(status, 204);
    else assertEquals([status, json.type], [403, "/problem/cross-origin"]);
    assertEquals((await send("GET", "/session/", { token })).status, isSame ? 401 : 200);
  });
}

Deno.test("requireSession() takes a change by token from anywhere", async () => {
  const { send, token } = await openAppOfAlice();
  const headers = { "sec-fetch-site": "cross-site", origin: "https://elsewhere.test", ...cookieOf("none") };
  assertEquals((await send("DELETE", "/session/", { token, headers })).status, 204);
});
