/** What the guard tells those who do not pass: a challenge, the way to the login page, or why not. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { StoreUnavailableError } from "../../lib/store.ts";
import {
  ask,
  byBasic,
  byCookie,
  dead,
  type Headers,
  openScene,
  type Scene,
  told,
} from "../support/caddy/guard_scene.ts";

const basic = 'Basic realm="gatehouse", charset="UTF-8", Bearer realm="gatehouse"';
const bearer = 'Bearer realm="gatehouse"';
const html = "text/html,application/xhtml+xml,*/*;q=0.8";
/** What a request has, and the challenge that it gets; none is the way to the page. */
const requests: readonly [headers: Headers, challenge: string | undefined][] = [
  [{}, basic],
  [{ accept: "*/*" }, basic],
  [{ accept: html }, undefined],
  [{ accept: "text/html" }, undefined],
  [{ accept: "application/json" }, basic],
  [{ "sec-fetch-mode": "navigate" }, undefined],
  [{ "sec-fetch-mode": "navigate", accept: "*/*" }, undefined],
  [{ "sec-fetch-mode": "cors", accept: html }, bearer],
  [{ "sec-fetch-mode": "no-cors", accept: html }, bearer],
  [{ "sec-fetch-mode": "same-origin" }, bearer],
  [{ "sec-fetch-mode": "websocket" }, bearer],
  [{ "sec-fetch-mode": "" }, bearer],
  [{ "x-forwarded-method": "GET", accept: html }, undefined],
  [{ "x-forwarded-method": "HEAD", accept: html }, undefined],
  [{ "x-forwarded-method": "GET" }, basic],
  [{ "x-forwarded-method": "get", accept: html }, basic],
  [{ "x-forwarded-method": "POST", accept: html }, basic],
  [{ "x-forwarded-method": "PROPFIND", accept: html }, basic],
  [{ "x-forwarded-method": "", accept: html }, basic],
  [{ "x-forwarded-method": "GET", "sec-fetch-mode": "navigate" }, undefined],
];

for (const [headers, challenge] of requests) {
  Deno.test(`guard() ${challenge?.slice(0, 6) ?? "shows a page"} to: ${JSON.stringify(headers)}`, async () => {
    const scene = await openScene();
    const nobody = await ask(scene, headers);
    const stranger = await ask(scene, { ...headers, ...byCookie(scene.ofAlice) }, "staff");
    for (const reply of [nobody, stranger]) assertEquals(reply.headers.get("cache-control"), "no-store");
    assertEquals(nobody.headers.get("www-authenticate"), challenge ?? null);
    if (challenge !== undefined) {
      assertEquals([told(nobody), told(stranger)], ["401 not-authenticated", "403 not-in-group"]);
      return;
    }
    assertEquals([nobody.status, nobody.text, nobody.headers.get("location")], [302, "", "/auth/"]);
    // Who had a session has kept pages.
    const ended = await ask(scene, { ...headers, ...byCookie(dead) });
    assertEquals([ended.status, ended.headers.get("clear-site-data")], [302, '"cache"']);
    assertEquals(ended.headers.get("location"), "/auth/?why=ended");
    assertEquals([nobody, stranger].map((reply) => reply.headers.get("clear-site-data")), [null, null]);
    assertEquals([stranger.status, stranger.headers.get("remote-user")], [403, null]);
    assertEquals(stranger.headers.get("content-type"), "text/html; charset=utf-8");
    assertMatch(
      stranger.headers.get("content-security-policy") ?? "",
      /^default-src 'none'; .*frame-ancestors 'none'$/,
    );
    assertMatch(stranger.text, /You are logged in as <b>alice<\/b>.*not in: <b>staff<\/b>/);
    assertStringIncludes(stranger.text, '<a href="/auth/">');
  });
}

/** What is asked for, by whom, and the status and heading of the page. */
const forms: readonly [what: string, headersOf: (scene: Scene) => Headers, demands: string, page: string][] = [
  ["a form without a session", () => ({}), "", "401 The form was not sent"],
  ["a form after the session has ended", () => byCookie(dead), "", "401 The form was not sent"],
  ["a form without a session, in Russian", () => ({ "accept-language": "ru" }), "", "401 Форма не отправлена"],
  [
    "a form of who is in no group",
    ({ ofAlice }) => byCookie(ofAlice),
    "staff",
    "403 You do not have access to this page",
  ],
  ["a wrong password", () => byBasic("alice", "wrong"), "", "401 Login required"],
  ["a malformed demand", () => ({}), "%zz", "400 Request refused"],
];

for (const [what, headersOf, demands, page] of forms) {
  for (const method of ["POST", "PUT", "FROB"]) {
    Deno.test(`guard() shows a page to a browser that navigates by ${method}: ${what}`, async () => {
      const scene = await openScene();
      const headers = { "sec-fetch-mode": "navigate", "x-forwarded-method": method, ...headersOf(scene) };
      const reply = await ask(scene, headers, demands);
      const [, heading] = /<h1>(.*)<\/h1>/.exec(reply.text) ?? [];
      assertEquals([`${reply.status} ${heading}`, reply.headers.get("cache-control")], [page, "no-store"]);
      assertStringIncludes(reply.text, 'href="/auth/');
      assert(reply.status !== 401 || reply.headers.has("www-authenticate"));
      for (const mode of ["cors", "same-origin", "no-cors"]) {
        const program = await ask(scene, { ...headers, "sec-fetch-mode": mode }, demands);
        assertEquals([program.status, program.json.status], [reply.status, reply.status]);
      }
    });
  }
}

Deno.test("guard() shows a page, with when to come again, where it cannot say who asks", async () => {
  const scene = await openScene();
  const headers = { "sec-fetch-mode": "navigate", "x-forwarded-method": "POST", ...byBasic("alice", "wrong") };
  for (let count = 0; count < 10; count++) await ask(scene, byBasic("alice", `wrong ${count}`));
  const throttled = await ask(scene, headers);
  assertEquals([throttled.status, throttled.headers.get("retry-after")], [429, "360"]);
  assertMatch(
    throttled.text,
    /<h1>Too many wrong passwords<\/h1>[^]*Try again in 6 minutes\.[^]*The form was not sent/,
  );

  scene.app.store.findSession = () => Promise.reject(new StoreUnavailableError("away"));
  const away = await ask(scene, { ...byCookie(scene.ofAlice), "sec-fetch-mode": "navigate", "accept-language": "ru" });
  assertEquals([away.status, away.headers.get("retry-after")], [503, "5"]);
  assertMatch(away.text, /<h1>Временно недоступно<\/h1>[^]*Попробуйте снова через 5 секунд\./);
  assert(!away.text.includes("Форма"));
});

/** What the browser asked the site for, and what the page is told of it; nothing when it is no path of the site. */
const addresses: readonly [uri: string, next: string | undefined][] = [
  ["/", "/"],
  ["/a/b?c=d&e=%2F", "/a/b?c=d&e=%2F"],
  ["/a?next=/b#c", "/a?next=/b#c"],
  ["/?q=\xe9", "/?q=%C3%A9"],
  ["/a?q=C:\\x", "/a?q=C:%5Cx"],
  [`/${"a".repeat(7_000)}`, `/${"a".repeat(7_000)}`],
  [`/a?q=${"a".repeat(60_000)}`, "/a"],
  [`/${"a".repeat(8_000)}`, undefined],
  ["", undefined],
  ["a", undefined],
  ["//evil.example/", undefined],
  ["/\\evil.example/", undefined],
  ["/\t/evil.example/", undefined],
  ["/a b", undefined],
  ["/\x01", undefined],
  ["/\x7f", undefined],
  ["https://evil.example/", undefined],
];

for (const [uri, next] of addresses) {
  Deno.test(`guard() redirects a browser to its own host: ${JSON.stringify(uri.slice(0, 40))}`, async () => {
    const scene = await openScene();
    const { headers } = await ask(scene, { accept: "text/html", "x-forwarded-uri": uri });
    const location = headers.get("location") ?? "";
    assertEquals(location, next === undefined ? "/auth/" : `/auth/?next=${encodeURIComponent(next)}`);
    assertEquals(new URL(location, "https://site.example").searchParams.get("next") ?? undefined, next);
  });
}

/** The page that was asked for, and where the link to log out leads after another login. */
const wantedPaths: readonly [uri: string | undefined, path: string][] = [
  ["/staff/?a=b&c", "/staff/?a=b&c"],
  ["/<b>", "/<b>"],
  ["//evil.example", "/"],
  ["https://evil.example/", "/"],
  [undefined, "/"],
];

for (const [uri, path] of wantedPaths) {
  Deno.test(`guard() offers a user who lacks a group to log out, and to come back to ${path}: ${uri}`, async () => {
    const scene = await openScene();
    const headers = { accept: html, ...byCookie(scene.ofAlice), ...uri !== undefined && { "x-forwarded-uri": uri } };
    const { text } = await ask(scene, headers, "staff");
    assertStringIncludes(text, `href="/auth/#switch=${encodeURIComponent(path)}">Log out and use another account</a>`);
  });
}
