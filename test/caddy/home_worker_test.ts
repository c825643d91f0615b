/** Service workers of a site with a home, in real Chromium: one that takes codes, one of an app that works offline. */
import { assert, assertEquals } from "@std/assert";
import type { BrowserContext, Page } from "npm:playwright-core@1.65.1";
import { logInAt, seeLogin, seeSite, sendLogin, startHome, tokenOf } from "../support/caddy/home.ts";
import { files, home, shop, sites, wiki } from "../support/caddy/home_proxy.ts";
import { openApp, serveWorkerApp } from "../support/caddy/worker_app.ts";
import { pageSuite } from "../support/page/suite.ts";
import { openProfile } from "../support/page/visit.ts";

const { test } = pageSuite(() => startHome({ apps: { [files]: serveWorkerApp() } }));

test("a worker that takes codes of its site gets nothing that is good elsewhere", async ({ site, browser }) => {
  await site.addUser("alice");
  await using victim = await openProfile(browser, {});
  const page = await victim.newPage();
  await logInAt(page, { url: `${wiki}/`, login: "alice" });
  await openApp(page, `${files}/taking/`);
  await victim.clearCookies({ name: "__Host-gatehouse", domain: "files.example.test" });
  await page.reload();
  await page.getByRole("heading", { name: "Taken" }).waitFor();
  const taken = await takenBy(page);
  const codes = Object.keys(taken).filter((url) => url.includes("code="));
  assertEquals(codes.length, 1);
  assertEquals(Object.keys(taken).filter((url) => !url.startsWith(`${files}/`)), []);
  const texts = Object.values(taken).join("\n");
  const tokens = await Promise.all([home, wiki].map((origin) => tokenOf(victim, origin)));
  assert(tokens.every((token) => token !== undefined && !texts.includes(token)));
  // A redirect to the home is opaque to it, and there is no form.
  assertEquals(taken[`${files}/auth/?next=%2Ftaking%2F`], '[0,"opaqueredirect",[],""]');
  assert(!texts.includes("password"), texts);

  await using attacker = await openProfile(browser, {});
  const other = await attacker.newPage();
  const code = new URL(codes.join()).searchParams.get("code") ?? "";
  for (const origin of [files, wiki, shop]) {
    // With what binds a code to the browser of the attacker.
    await other.goto(`${origin}/`);
    const state = new URL(other.url()).searchParams.get("state") ?? "";
    await other.goto(`${origin}/auth/site-session/?${new URLSearchParams({ code, state, next: "/" })}`);
    await seeLogin(other, origin);
    assertEquals(await tokensOf(attacker), []);
  }
  for (const origin of [...sites, home]) {
    await other.goto(codes.join().replace(files, origin));
    assertEquals(await tokensOf(attacker), []);
  }
  // The victim's other sites are as before.
  await page.goto(`${wiki}/more`);
  await seeSite(page, `${wiki}/more`);
});

test("the end of the session removes the worker of an app, and a login brings it back", async ({ site, browser }) => {
  await site.addUser("bob");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${wiki}/`, login: "bob" });
  const path = "/wiki/notes?id=7#end";
  await openApp(page, files + path);
  await page.evaluate(() => localStorage.setItem("draft", "a text"));
  await site.ask(await tokenOf(context, home) ?? "", "DELETE", "/session/");
  await page.reload();
  await seeLogin(page, files);
  assertEquals(new URL(page.url()).searchParams.get("next"), path);

  await sendLogin(page, "bob");
  await page.getByRole("heading", { name: "The app" }).waitFor();
  assertEquals(page.url(), files + path);
  assertEquals(await page.evaluate(() => localStorage.getItem("draft")), "a text");
  await context.setOffline(true);
  await page.reload();
  await page.getByRole("heading", { name: "The app" }).waitFor();
});

/** What the worker has noted, by address. */
function takenBy(page: Page): Promise<Record<string, string>> {
  return page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const cache = await (globalThis as any).caches.open("taken");
    const requests: Request[] = await cache.keys();
    const noted = requests.map(async (request) => [request.url, await (await cache.match(request)).text()]);
    return Object.fromEntries(await Promise.all(noted));
  });
}

async function tokensOf(context: BrowserContext): Promise<(string | undefined)[]> {
  const tokens = await Promise.all([home, ...sites].map((origin) => tokenOf(context, origin)));
  return tokens.filter((token) => token !== undefined);
}
