/** The page and its files, and where it redirects to with a session. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openAppOfAlice, openTestApp, type SendOptions, type TestApp } from "../support/app.ts";

/** Types by the extension. */
const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** Every address in the page except fragments, such as "page/main.js". */
async function addressesOf({ send }: TestApp): Promise<string[]> {
  const { text } = await send("GET", "/");
  const all = text.matchAll(/\s(?:href|src|srcset|action)="([^"]*)"/g).map(([, address = ""]) => address);
  return [...new Set(all)].filter((address) => !address.startsWith("#"));
}

/** The files of the page. */
async function filesOf(opened: TestApp): Promise<string[]> {
  return (await addressesOf(opened)).filter((address) => address.startsWith("page/")).map((address) => `/${address}`);
}

Deno.test("showPage() returns HTML that loads nothing from other hosts, and is revalidated each time", async () => {
  const { send } = await openTestApp();
  const { status, headers, text } = await send("GET", "/");
  assertEquals([status, headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assertEquals([headers.get("referrer-policy"), headers.get("cache-control")], ["no-referrer", "no-cache"]);
  const policy = (headers.get("content-security-policy") ?? "").split("; ");
  for (const name of ["default-src", "base-uri", "form-action", "frame-ancestors"]) {
    assert(policy.includes(`${name} 'none'`), name);
  }
  for (const name of ["script-src", "style-src", "connect-src"]) assert(policy.includes(`${name} 'self'`), name);
  for (const directive of policy) assertMatch(directive, /^[a-z-]+ '(none|self)'$/);
  assertMatch(text, /^<!DOCTYPE html>\n<html lang="en">/);
  // The policy would block it.
  const refused = /<script(?! type="module" src="[\w/.]+"><\/script>)|<style|\son\w+=|\sstyle=|<form[^>]+action/i;
  assertEquals(text.match(refused), null);
});

Deno.test("showPage() has the title of the settings, escaped, and the logo", async () => {
  const logo = { type: "image/png", bytes: new TextEncoder().encode("a logo") } as const;
  const { send } = await openTestApp({ settings: { GATEHOUSE_TITLE: "$& <b>'Wiki'</b>" }, logo });
  const { text } = await send("GET", "/");
  const title = "$&amp; &lt;b&gt;&#39;Wiki&#39;&lt;/b&gt;";
  assertStringIncludes(text, `<title>Log in · ${title}</title>`);
  assertStringIncludes(text, `<img src="page/logo" alt="" width="28" height="28"> ${title}</p>`);
  assertStringIncludes(text, '<link rel="icon" href="page/logo" type="image/png">');
  assert(!/Gatehouse|mark\.svg/.test(text));

  const file = await send("GET", "/page/logo");
  assertEquals([file.status, file.text, file.headers.get("content-type")], [200, "a logo", "image/png"]);
  assertEquals(
    file.headers.get("content-security-policy"),
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
  );
  const etag = file.headers.get("etag") ?? "";
  assertEquals((await send("GET", "/page/logo", { headers: { "if-none-match": etag } })).status, 304);
});

Deno.test("showPageFile() has no logo unless one is set", async () => {
  const { send } = await openTestApp();
  for (let count = 0; count < 2; count++) assertEquals((await send("GET", "/page/logo")).status, 404);
});

Deno.test("showPage() loads nothing of visitors with a session", async () => {
  const { send, token } = await openAppOfAlice();
  const withSession = await send("GET", "/", { headers: { cookie: `__Host-gatehouse=${token}` } });
  assertStringIncludes((await send("GET", "/")).text, '"page/visitor.js"');
  assert(!withSession.text.includes("visitor"));
});

Deno.test("showPage() loads nothing of sessions without one", async () => {
  const { send, token } = await openAppOfAlice();
  const withSession = await send("GET", "/", { headers: { cookie: `__Host-gatehouse=${token}` } });
  const { text } = await send("GET", "/");
  for (const part of ["page/list.css", 'id="account"', 'id="users"']) {
    assertStringIncludes(withSession.text, part);
    assert(!text.includes(part), part);
  }
  for (const part of ['id="log-in"', 'id="failure"', "</template>\n  </body>\n</html>"]) {
    assertStringIncludes(withSession.text, part);
    assertStringIncludes(text, part);
  }
});

Deno.test("all addresses in the page are relative, as proxies mount it anywhere, and exist", async () => {
  const opened = await openTestApp();
  const addresses = await addressesOf(opened);
  assert(addresses.length >= 2);
  for (const address of addresses) {
    assertMatch(address, /^[a-z]+\/[\w.]*$/);
    assertEquals((await opened.send("GET", `/${address}`)).status, 200, address);
  }
  for (const path of ["/", ...await filesOf(opened)]) {
    const { text } = await opened.send("GET", path);
    const known = text.replaceAll("http://www.w3.org/2000/svg", "").replaceAll(/\/\*.*?\*\//gs, "");
    const absolute = /https?:|url\((?!#)|@import|(?:from|import\(?|fetch\(|(?:src|href|action|location) ?=) ?["'`]\//;
    assertEquals(known.match(absolute)?.[0], undefined, path);
  }
});

Deno.test("showPageFile() returns every file that the page names, with its type", async () => {
  const opened = await openTestApp();
  const files = await filesOf(opened);
  for (const path of ["/page/main.js", "/page/style.css"]) assert(files.includes(path), path);
  for (const path of files) {
    const { headers, text } = await opened.send("GET", path);
    assertEquals(headers.get("content-type"), types[path.replace(/.*\./, "")], path);
    assertEquals([headers.get("cache-control"), headers.get("x-content-type-options")], ["no-cache", "nosniff"]);
    assert(text.length > 0, path);
  }
});

for (
  const file of ["index.html", "main.ts", "MAIN.JS", "__proto__", "constructor", "..%2fmain.js", "main.js%00", "a/b"]
) {
  Deno.test(`showPageFile() has no other file: ${file}`, async () => {
    const { send } = await openTestApp();
    const { status, json } = await send("GET", `/page/${file}`);
    assertEquals([status, json.type], [404, "/problem/not-found"]);
  });
}

Deno.test("the page and its files are not sent again to browsers that have them", async () => {
  const opened = await openTestApp();
  const { send } = opened;
  const paths = ["/", ...await filesOf(opened)];
  const etags = new Set<string>();
  for (const path of paths) {
    const etag = (await send("GET", path)).headers.get("etag") ?? "";
    etags.add(etag);
    const again = await send("GET", path, { headers: { "if-none-match": etag } });
    assertEquals([again.status, again.text, again.headers.get("etag")], [304, "", etag], path);
    assertEquals((await send("GET", path, { headers: { "if-none-match": '"other"' } })).status, 200, path);
    assertEquals((await send("HEAD", path)).headers.get("etag"), etag, path);
  }
  assertEquals(etags.size, paths.length);
});

/** A query, and the redirect with a session; `undefined` is the page itself, if `next` is no path of this host. */
const queries: readonly [query: string, location: string | undefined][] = [
  ["?next=/", "/"],
  ["?next=/a/b?c=d", "/a/b?c=d"],
  ["?next=%2Fa%2Fb%3Fc%3Dd%26e%3Df", "/a/b?c=d&e=f"],
  ["?next=%2F%C3%A9", "/%C3%A9"],
  ["?next=%2F%25C3%25A9", "/%C3%A9"],
  ["?x=y&next=/a&next=//evil.example", "/a"],
  ["?next=//evil.example&next=/a", undefined],
  ["", undefined],
  ["?", undefined],
  ["?next", undefined],
  ["?next=", undefined],
  ["?next=a", undefined],
  ["?Next=/a", undefined],
  ["?next=//evil.example", undefined],
  ["?next=%2F%2Fevil.example", undefined],
  ["?next=/%5Cevil.example", undefined],
  ["?next=/%09/evil.example", undefined],
  ["?next=/a+b", undefined],
  ["?next=/a%0D%0ASet-Cookie:%20a=b", undefined],
  ["?next=https://evil.example/", undefined],
  ["?next=javascript:alert(1)", undefined],
  ["?next=%FF", undefined],
  ["?next=/a?q=%5Cb", "/a?q=%5Cb"],
  [`?next=/${"a".repeat(7_000)}`, `/${"a".repeat(7_000)}`],
  [`?next=/a%3F${"a".repeat(8_000)}`, "/a"],
  [`?next=/${"a".repeat(8_000)}`, undefined],
];

for (const [query, location] of queries) {
  Deno.test(`showPage() leads ${location ?? "nowhere"} with a session: ${query.slice(0, 50)}`, async () => {
    const { send, token } = await openAppOfAlice();
    const cookie = `__Host-gatehouse=${token}`;
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, text } = await send(method, `/${query}`, { headers: { cookie } });
      assertEquals([status, headers.get("location")], location === undefined ? [200, null] : [302, location]);
      if (location !== undefined) assertEquals([text, headers.get("cache-control")], ["", "no-store"]);
    }
    assertEquals((await send("GET", `/${query}`)).status, 200);
  });
}

Deno.test("showPage() redirects also if the browser has the page", async () => {
  const { send, token } = await openAppOfAlice();
  const cookie = `__Host-gatehouse=${token}`;
  for (const headers of [{}, { cookie }]) {
    const etag = (await send("GET", "/", { headers })).headers.get("etag") ?? "";
    const options = { headers: { "if-none-match": etag, cookie } };
    assertEquals((await send("GET", "/?next=/a", options)).status, 302);
  }
});

/** Requests without a session that the guard accepts: a redirect would come back to the page. */
const insufficient: readonly [what: string, options: (token: string) => SendOptions][] = [
  ["no session", () => ({})],
  ["a bearer, which no browser sends", (token) => ({ token })],
  ["a bearer and a cookie of nobody", (token) => ({ token, headers: { cookie: "__Host-gatehouse=none" } })],
  ["a cookie of another name", (token) => ({ headers: { cookie: `gatehouse=${token}` } })],
  ["a wrong secret", (token) => ({ headers: { cookie: `__Host-gatehouse=${token.slice(0, 27)}${"a".repeat(43)}` } })],
  ["a known device", () => ({ headers: { cookie: `__Host-gatehouse-device=${"a".repeat(22)}.${"a".repeat(43)}` } })],
];

for (const [what, options] of insufficient) {
  Deno.test(`showPage() returns the page for ${what}`, async () => {
    const { send, token } = await openAppOfAlice();
    assertEquals((await send("GET", "/?next=/a", options(token))).status, 200);
  });
}

Deno.test("showPage() returns the page if the session has ended or expired", async () => {
  for (const end of ["logout", "a week"] as const) {
    const { send, token, clock } = await openAppOfAlice();
    const headers = { cookie: `__Host-gatehouse=${token}` };
    assertEquals((await send("GET", "/?next=/a", { headers })).status, 302);
    if (end === "logout") await send("DELETE", "/session/", { token });
    else clock.now += 7 * 24 * 60 * 60 * 1_000;
    assertEquals((await send("GET", "/?next=/a", { headers })).status, 200);
  }
});
