/** A login at guarded sites by the session of their home: where each redirect leads, and what it is refused for. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { challengeMs } from "../../lib/factors/challenge.ts";
import { auditOf, outcomeOf } from "../support/accounts.ts";
import { Browser, files, home, openHome, wiki } from "../support/home.ts";

const page = `${wiki}/ledger?page=2&sort=a%26b`;
const secondMs = 1_000;

/** Follows the redirects from a page to the address with the code, which is not requested. */
async function codeAddress(browser: Browser, from = page): Promise<string> {
  for (let address = from, count = 0; count < 8; count++) {
    if (address.includes("/site-session/")) return address;
    const reply = await browser.request(address);
    address = new URL(reply.headers.get("location") ?? "", address).href;
  }
  throw new Error("No code");
}

function sessionAt(browser: Browser, site: string): string | undefined {
  return browser.cookies.get(new URL(site).host)?.get("__Host-gatehouse");
}

Deno.test("a browser without a session is led to the login at the home, and with one to the page wanted", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  const visited = await browser.load(page);
  assertEquals([visited.status, new URL(visited.url).origin], [200, home]);
  assertMatch(visited.text, /data-session="none" data-home="https:\/\/login\.example\.org"/);
  await browser.logIn();
  // The page of the home loads itself again after a login.
  const opened = await browser.load(visited.url);
  assertEquals([opened.status, opened.url, opened.headers.get("remote-user")], [200, page, "alice"]);
  assertEquals(opened.passed.map((address) => new URL(address).origin), [home, wiki]);
  // The session of the site needs no further request.
  assertEquals((await browser.load(page)).passed, []);
  const other = await browser.load(`${files}/`);
  assertEquals([other.status, other.url], [200, `${files}/`]);
  assertNotEquals(sessionAt(browser, wiki), sessionAt(browser, files));
});

Deno.test("the session of a site is good for the guard of this site only, and ends with that of the home", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  for (const site of [wiki, files]) assertEquals((await browser.load(`${site}/`)).status, 200);
  const token = sessionAt(browser, wiki) ?? "";
  const cookie = `__Host-gatehouse=${token}`;
  const ask = (host: string, headers = {}) =>
    scene.send("GET", "/guard/", { headers: { "x-forwarded-host": host, cookie, ...headers } });
  assertEquals(outcomeOf(await ask("wiki.example.org")), "200");
  assertEquals(outcomeOf(await ask("WIKI.example.org")), "200");
  for (const host of ["files.example.net", "login.example.org", "wiki.example.org:8443"]) {
    assertMatch(outcomeOf(await ask(host)), /^(401 not-authenticated|403 unknown-site)$/, host);
  }
  const own = await scene.send("GET", "/session/", { headers: { "x-forwarded-host": "login.example.org", cookie } });
  assertEquals(outcomeOf(own), "401 not-authenticated");
  assertEquals(outcomeOf(await scene.send("GET", "/session/", { token })), "401 not-authenticated");
  const atHome = browser.cookies.get("login.example.org")?.get("__Host-gatehouse") ?? "";
  assertEquals(
    outcomeOf(await ask("wiki.example.org", { cookie: `__Host-gatehouse=${atHome}` })),
    "401 not-authenticated",
  );
  // A program's token is good everywhere, as without a home.
  const byBearer = { cookie: "", authorization: `Bearer ${scene.token}` };
  assertEquals(outcomeOf(await ask("wiki.example.org", byBearer)), "200");

  const sessions = await scene.send("GET", "/user/alice/session/", { token: scene.token });
  assertEquals((sessions.json["sessions"] as { sites: string[] }[]).flatMap(({ sites }) => sites), [wiki, files]);
  assertEquals((await scene.send("DELETE", "/session/", { token: atHome })).status, 204);
  for (const site of [wiki, files]) assertEquals(new URL((await browser.load(`${site}/`)).url).origin, home);
});

Deno.test("a login at the home ends the session that it replaces, so that one logout closes all sites", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  // Two tabs show the login page, and the user logs in in both.
  await browser.logIn();
  await browser.load(`${wiki}/`);
  await browser.logIn();
  await browser.load(`${files}/`);
  const events = auditOf(scene.lines).map(({ event }) => event).slice(-5);
  assertEquals(events, ["login", "site-login", "logout", "login", "site-login"]);
  assertEquals((await browser.load(`${wiki}/`)).passed.length, 4);
  const token = browser.cookies.get("login.example.org")?.get("__Host-gatehouse") ?? "";
  assertEquals((await scene.send("DELETE", "/session/", { token })).status, 204);
  for (const site of [wiki, files]) assertEquals(new URL((await browser.load(`${site}/`)).url).origin, home);
});

Deno.test("two tabs get the same session of a site, and each code is good once", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  const [first, second] = [await codeAddress(browser), await codeAddress(browser, `${wiki}/other`)];
  assertNotEquals(new URL(first).searchParams.get("code"), new URL(second).searchParams.get("code"));
  assertEquals((await browser.load(second)).url, `${wiki}/other`);
  const token = sessionAt(browser, wiki);
  assertEquals((await browser.load(first)).url, page);
  assertEquals(sessionAt(browser, wiki), token);
  // The Back button: the session is there, so the code does not matter.
  const again = await browser.load(first);
  assertEquals([again.url, again.passed], [page, [first]]);
  // Without that session, a used code is not good: the login begins again, and the home has a new code.
  browser.cookies.get("wiki.example.org")?.delete("__Host-gatehouse");
  const used = await browser.load(first);
  assertEquals([used.status, used.url, used.passed.length], [200, page, 3]);

  const fresh = new Browser(scene);
  await fresh.logIn();
  const address = await codeAddress(fresh);
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => fresh.request(address)));
  const isOpened = outcomes.filter((reply) => reply.headers.getSetCookie().join().includes("__Host-gatehouse="));
  assertEquals(isOpened.length, 1);
});

Deno.test("a code is refused in another browser, for another page, site or state, and after a minute", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  const address = await codeAddress(browser);
  const change = (name: string, value: string) => {
    const url = new URL(address);
    url.searchParams.set(name, value);
    return url.href;
  };
  const ofFiles = new URL(await codeAddress(browser, `${files}/ledger?page=2&sort=a%26b`)).searchParams;
  const changed = [
    change("next", "/other"),
    change("state", ofFiles.get("state") ?? ""),
    change("code", ofFiles.get("code") ?? ""),
    change("code", "01KAN6Z3H3AAAAAAAAAAAAAAAA." + "a".repeat(43)),
    change("code", "x"),
    change("state", ""),
  ];
  for (const bad of changed) {
    const reply = await browser.request(bad);
    // The login begins again, with the page that the address names.
    const next = new URL(bad).searchParams.get("next");
    const location = new URL(reply.headers.get("location") ?? "");
    assertEquals([reply.status, location.origin, location.searchParams.get("next")], [303, home, next], bad);
    assertEquals(reply.headers.getSetCookie().join().includes("__Host-gatehouse="), false, bad);
  }
  scene.clock.now += 60 * secondMs;
  assertEquals((await browser.request(address)).headers.getSetCookie().join().includes("__Host-gatehouse="), false);
  scene.clock.now -= secondMs;
  assertEquals((await browser.request(address)).headers.get("location"), "/ledger?page=2&sort=a%26b");
});

Deno.test("a code that a wrong browser presents is used up, as its owner may read the log of the site", async () => {
  const scene = await openHome();
  const [attacker, victim] = [new Browser(scene), new Browser(scene)];
  await victim.logIn();
  // The attacker leads the victim to the home, with a state of the attacker's browser.
  const begun = (await attacker.request(`${wiki}/auth/?next=%2F`)).headers.get("location") ?? "";
  for (const isKnown of [false, true]) {
    if (isKnown) await victim.request(`${wiki}/auth/?next=%2F`);
    const address = await codeAddress(victim, begun);
    for (const browser of [victim, attacker]) {
      const reply = await browser.request(address);
      assertEquals(reply.headers.getSetCookie().join().includes("__Host-gatehouse="), false);
    }
  }
});

Deno.test("a login that takes longer than the state is good begins again, once", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  const visited = await browser.load(page);
  scene.clock.now += challengeMs + secondMs;
  await browser.logIn();
  const opened = await browser.load(visited.url);
  assertEquals([opened.status, opened.url], [200, page]);
  // home, the code with the old state, home, the code with the new one.
  assertEquals(opened.passed.length, 4);
});

Deno.test("a state is good for its page and site only, also if the home has made the code for another", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  const begun = new URL((await browser.request(`${files}/auth/?next=%2Fa`)).headers.get("location") ?? "");
  const binding = browser.cookies.get("files.example.net")?.get("__Host-gatehouse-ceremony") ?? "";
  browser.cookies.set("wiki.example.org", new Map([["__Host-gatehouse-ceremony", binding]]));
  for (const [name, value] of [["next", "/b"], ["site", wiki]] as const) {
    const changed = new URL(begun);
    changed.searchParams.set(name, value);
    const reply = await browser.request(await codeAddress(browser, changed.href));
    assertEquals(reply.headers.getSetCookie().join().includes("__Host-gatehouse="), false, name);
  }
});

Deno.test("the cookies last as long as a login may take, and as the session of the home", async () => {
  const settings = { GATEHOUSE_SESSION_IDLE_HOURS: "2", GATEHOUSE_SESSION_MAX_HOURS: "2" };
  const scene = await openHome({ settings });
  const browser = new Browser(scene);
  const begun = await browser.request(`${wiki}/auth/?next=%2F`);
  assertMatch(begun.headers.getSetCookie().join(), /^__Host-gatehouse-ceremony=[\w-]{22}; Max-Age=86400;/);
  await browser.logIn();
  scene.clock.now += (2 * 60 * 60 - 30) * secondMs;
  const [first, second] = [await codeAddress(browser), await codeAddress(browser)];
  assertMatch((await browser.request(first)).headers.getSetCookie().join(), /; Max-Age=30;/);
  scene.clock.now += 30 * secondMs;
  assertEquals((await browser.request(second)).headers.getSetCookie().join().includes("__Host-gatehouse="), false);
});

Deno.test("a browser that does not store the cookie of the site gets a page, not a circle", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  const address = await codeAddress(browser);
  browser.cookies.delete("wiki.example.org");
  const reply = await browser.request(address);
  assertEquals(reply.status, 403);
  assertMatch(reply.text, /The login was not completed/);
  assertMatch(reply.text, /href="\/auth\/\?next=%2Fledger%3Fpage%3D2%26sort%3Da%2526b"/);
  const program = await browser.request(address, { "sec-fetch-mode": "cors" });
  assertEquals(outcomeOf(program), "403 site-login-invalid");
});

Deno.test("the second attempt is the last: a code that is taken away each time leads to the page", async () => {
  const scene = await openHome();
  const browser = new Browser(scene);
  await browser.logIn();
  const taken = (address: string) => address.replace(/code=[^&]*/, "code=x");
  const first = await browser.request(taken(await codeAddress(browser)));
  const second = await browser.request(taken(await codeAddress(browser, first.headers.get("location") ?? "")));
  assertEquals([first.status, second.status], [303, 403]);
});

Deno.test("a code is void once the session of the home has ended, or its user cannot log in", async () => {
  const ends: readonly ((scene: Awaited<ReturnType<typeof openHome>>, token: string) => Promise<unknown>)[] = [
    ({ send }, token) => send("DELETE", "/session/", { token }),
    ({ send, admin }) => send("PATCH", "/user/alice", { token: admin, json: { disabled: true } }),
    ({ send, admin }) => send("DELETE", "/user/alice", { token: admin }),
    ({ clock }) => Promise.resolve(clock.now += 30 * 24 * 60 * 60 * secondMs),
  ];
  for (const end of ends) {
    const scene = await openHome();
    const browser = new Browser(scene);
    await browser.logIn();
    const address = await codeAddress(browser);
    await end(scene, browser.cookies.get("login.example.org")?.get("__Host-gatehouse") ?? "");
    const reply = await browser.request(address);
    assertEquals(reply.headers.getSetCookie().join().includes("__Host-gatehouse="), false);
    assert(reply.headers.get("location")?.startsWith(`${home}/?site=`));
  }
});
