/** What is served at a guarded site, at its home and elsewhere, and where links and redirects of a home may lead. */
import { assertEquals, assertMatch } from "@std/assert";
import { hasSecondFactor } from "../../lib/factors/second_factor.ts";
import { routes } from "../../routes/mod.ts";
import { openWithAlice, outcomeOf } from "../support/accounts.ts";
import { alice } from "../support/app.ts";
import { Browser, files, home, openHome, wiki } from "../support/home.ts";

const atWiki = { "x-forwarded-host": "wiki.example.org" };

Deno.test("a site serves the guard, the way to the home and the rescue of workers, and nothing else", async () => {
  const { send, token } = await openHome();
  const served = routes.filter(({ isOnSites }) => isOnSites).map(({ method, path }) => `${method} ${path}`).sort();
  assertEquals(served, [
    "GET /",
    "GET /exit-worker.js",
    "GET /guard/:demands*",
    "GET /health/live",
    "GET /health/ready",
    "GET /site-session/",
  ]);
  for (const { method, path, isOnSites } of routes) {
    if (isOnSites) continue;
    const target = path.replace(/:login/, "alice").replace(/:\w+\*?/, "x");
    const json = ["POST", "PUT", "PATCH"].includes(method) ? { json: alice } : {};
    for (const headers of [atWiki, { host: "wiki.example.org" }]) {
      const reply = await send(method, target, { headers, token, ...json });
      assertEquals(outcomeOf(reply), "403 only-at-home", `${method} ${path}`);
    }
  }
  const navigation = { ...atWiki, "sec-fetch-mode": "navigate" };
  assertMatch((await send("GET", "/docs/", { headers: navigation })).text, /Your account is at the address/);
});

Deno.test("a host that GATEHOUSE_SITES does not list is closed, and says so", async () => {
  const { send, token } = await openHome();
  for (
    const host of ["old.example.org", "wiki.example.org:444", "wiki.example.org, old.example.org", "", "a".repeat(400)]
  ) {
    const headers = { "x-forwarded-host": host };
    for (const path of ["/", "/guard/", "/site-session/?code=x", "/session/", "/page/main.js"]) {
      const reply = await send("GET", path, { headers, token });
      assertEquals(outcomeOf(reply), "403 unknown-site", path);
    }
    const { text } = await send("GET", "/guard/", { headers: { ...headers, "sec-fetch-mode": "navigate" } });
    assertMatch(text, /The login service does not know this site/);
  }
  // Programs on the machine use no proxy.
  for (const headers of [{ host: "127.0.0.1:8000" }, { "x-forwarded-host": "login.example.org" }]) {
    assertEquals(outcomeOf(await send("GET", "/session/", { headers, token })), "200");
  }
});

Deno.test("without a home there is no login at sites, and no host is looked at", async () => {
  const { send, token } = await openWithAlice();
  assertEquals(outcomeOf(await send("GET", "/site-session/?code=x", { headers: atWiki })), "404 not-found");
  const reply = await send("GET", `/?site=${encodeURIComponent(wiki)}&state=x&next=/`, { headers: atWiki });
  assertEquals([reply.status, /data-home=""/.test(reply.text)], [200, true]);
  // Nor does a login end the session that it replaces in the browser.
  const headers = { cookie: `__Host-gatehouse=${token}` };
  const again = await send("POST", "/session/", { json: { ...alice, cookie: true }, headers });
  assertEquals([again.status, (await send("GET", "/session/", { token })).status], [201, 200]);
});

Deno.test("redirects lead to the home, to a listed site, and there to a path only", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  for (
    const site of ["https://evil.example", `${wiki}.evil.example`, `${wiki}/`, "http://wiki.example.org", "null", ""]
  ) {
    const reply = await browser.request(`${home}/?site=${encodeURIComponent(site)}&state=x&next=/`, {
      "sec-fetch-mode": "cors",
    });
    assertEquals(outcomeOf(reply), "403 unknown-site", site);
  }
  for (
    const next of ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:1"]
  ) {
    const encoded = encodeURIComponent(next);
    const begun = await browser.request(`${wiki}/auth/?next=${encoded}`);
    assertEquals(begun.headers.get("location"), `${home}/`, next);
    const coded = await browser.request(`${home}/?site=${encodeURIComponent(wiki)}&state=x&next=${encoded}`);
    assertMatch(
      coded.headers.get("location") ?? "",
      /^https:\/\/wiki\.example\.org\/auth\/site-session\/\?.*&next=%2F$/,
    );
    // Alice has a session at the site here.
    await browser.load(`${wiki}/`);
    const done = await browser.request(`${wiki}/auth/site-session/?code=x&state=x&next=${encoded}`);
    assertEquals(done.headers.get("location"), "/", next);
  }
});

Deno.test("the home gives codes to navigations only, so that no frame or script of a site asks for one", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  const address = `${home}/?site=${encodeURIComponent(wiki)}&state=x&next=/`;
  for (const dest of ["iframe", "empty", "image", "object", "script"]) {
    const reply = await browser.request(address, { "sec-fetch-dest": dest, "sec-fetch-mode": "no-cors" });
    assertEquals(outcomeOf(reply), "403 cross-origin", dest);
  }
  assertEquals((await browser.request(address)).status, 303);
});

Deno.test("the link to another account leads from the site through the home and back", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  await browser.load(`${files}/`);
  const headers = { "x-forwarded-host": "files.example.net", "x-forwarded-uri": "/staff?a=b", accept: "text/html" };
  const cookie = `__Host-gatehouse=${browser.cookies.get("files.example.net")?.get("__Host-gatehouse")}`;
  const refused = await scene.send("GET", "/guard/staff", { headers: { ...headers, cookie } });
  const [, address = ""] = /href="(https:[^"]+)">Log out/.exec(refused.text) ?? [];
  const wanted = new URLSearchParams(new URL(address).hash.slice(1)).get("switch") ?? "";
  assertEquals([refused.status, new URL(address).origin], [403, home]);
  // What the page does with it after the login: see link.js.
  const opened = await browser.load(`${home}/?next=${encodeURIComponent(wanted)}`);
  assertEquals(opened.url, `${files}/staff?a=b`);
});

Deno.test("a login at a site makes the session forget sites that are no longer listed", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  const id = browser.cookies.get("login.example.org")?.get("__Host-gatehouse")?.slice(0, 26) ?? "";
  const { user } = await scene.app.store.findSession(id) ?? {};
  if (user === undefined) throw new Error("no session");
  const old = { origin: "https://old.example.org", secretHash: "a".repeat(64) };
  await scene.app.store.updateSession(id, user, { site: old });
  await browser.load(`${wiki}/`);
  const { session } = await scene.app.store.findSession(id) ?? {};
  assertEquals(session?.sites.map(({ origin }) => origin), [wiki]);
});

Deno.test("a site that demands a second factor leads to the home for it, whose session then has it", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  await browser.load(`${wiki}/`);
  const begun = await browser.request(`${wiki}/auth/?need=second-factor&next=%2Fledger`);
  const asked = await browser.load(begun.headers.get("location") ?? "");
  assertEquals([asked.status, new URL(asked.url).searchParams.get("need")], [200, "second-factor"]);
  const id = browser.cookies.get("login.example.org")?.get("__Host-gatehouse")?.slice(0, 26) ?? "";
  const found = await scene.app.store.findSession(id);
  assertEquals(found && hasSecondFactor(found.session), false);
  if (found === undefined) throw new Error("no session");
  await scene.app.store.updateSession(id, found.user, { factors: ["totp"], authenticatedAt: scene.app.now() });
  assertEquals((await browser.load(asked.url)).url, `${wiki}/ledger`);
  // The session of the site has it too, at once.
  const cookie = `__Host-gatehouse=${browser.cookies.get("wiki.example.org")?.get("__Host-gatehouse")}`;
  const guarded = await scene.send("GET", "/guard/second-factor", { headers: { ...atWiki, cookie } });
  assertEquals(outcomeOf(guarded), "200");
});
