/**
 * Codes of a home in the wrong hands, in real Chromium: an attacker's code in the browser of a victim (login CSRF), a
 * used one, one of another site; and redirects to other places.
 */
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContext } from "npm:playwright-core@1.65.1";
import { holdCode, logInAt, seeLogin, seeSite, startHome, tokenOf } from "../support/caddy/home.ts";
import { files, home, shop, sites, wiki } from "../support/caddy/home_proxy.ts";
import type { Site } from "../support/page/site.ts";
import { pageSuite } from "../support/page/suite.ts";
import { openProfile } from "../support/page/visit.ts";

const { test } = pageSuite(() => startHome());

const wanted = `${wiki}/notes?id=7`;
const ceremony = "__Host-gatehouse-ceremony";

/** A browser in which somebody is logged in at the home. */
async function startOther({ site, browser }: { readonly site: Site; readonly browser: Browser }, login: string) {
  await site.addUser(login);
  const context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${shop}/`, login });

  /** An address with a code for the wiki that has not been used: it is good once. */
  async function takeCode(): Promise<string> {
    await context.clearCookies({ name: "__Host-gatehouse", domain: "wiki.example.test" });
    const held = await holdCode(page);
    const loading = page.goto(wanted).catch(() => {});
    const url = await held.url();
    await held.drop();
    await loading;
    return url;
  }

  return { context, page, takeCode, [Symbol.asyncDispose]: () => context.close() };
}

test("a code of another browser logs nobody in", async ({ site, browser }) => {
  await using mallory = await startOther({ site, browser }, "mallory");
  await site.addUser("victim");
  await using victim = await openProfile(browser, {});
  const page = await victim.newPage();
  const refused = page.getByRole("heading", { name: "The login was not completed" });
  const tokens: (string | undefined)[] = [];

  // Before the victim has visited the site, and at another site.
  for (const origin of [wiki, shop]) {
    await page.goto((await mallory.takeCode()).replace(wiki, origin));
    await refused.waitFor();
    tokens.push(await tokenOf(victim, origin));
  }
  // While the victim logs in.
  await page.goto(wanted);
  const code = await mallory.takeCode();
  await page.goto(code);
  await seeLogin(page, wiki);
  tokens.push(await tokenOf(victim, wiki));
  assertEquals(tokens, [undefined, undefined, undefined]);
  // With a session of the victim.
  await logInAt(page, { url: wanted, login: "victim" });
  await page.goto(await mallory.takeCode());
  await seeSite(page, wanted);
  await page.getByText("victim GET", { exact: true }).waitFor();

  // The browser that a code was made for gets another one in place of a used one.
  await mallory.page.goto(code);
  await seeSite(mallory.page, wanted);
  await mallory.page.getByText("mallory GET", { exact: true }).waitFor();
});

test("a script cannot plant what binds a code to a browser", async ({ site, browser }) => {
  await using mallory = await startOther({ site, browser }, "eve");
  const code = await mallory.takeCode();
  const value = (await mallory.context.cookies(wiki)).find(({ name }) => name === ceremony)?.value ?? "";
  assertEquals(value.length, 22);
  await site.addUser("bob");
  await using victim = await openProfile(browser, {});
  const page = await victim.newPage();
  await logInAt(page, { url: `${files}/`, login: "bob" });
  // By another site of the domain, and by the site itself, which has got its cookie from the service.
  await plant(victim, { origin: files, value });
  await page.goto(code);
  await page.getByRole("heading", { name: "The login was not completed" }).waitFor();
  await page.goto(wanted);
  await seeSite(page, wanted);
  await plant(victim, { origin: wiki, value });
  await victim.clearCookies({ name: "__Host-gatehouse", domain: "wiki.example.test" });
  await page.goto(await mallory.takeCode());
  await seeSite(page, wanted);
  await page.getByText("bob GET", { exact: true }).waitFor();
});

test("a used code and a code of another site lead to the page by another one", async ({ site, browser }) => {
  await using carol = await startOther({ site, browser }, "carol");
  const { context, page } = carol;
  const url = await carol.takeCode();
  await page.goto(url);
  await seeSite(page, wanted);
  const first = await tokenOf(context, wiki);
  const answers: string[] = [];
  page.on("response", async (response) => {
    if (!response.url().includes("/site-session/")) return;
    const { "set-cookie": cookie = "" } = await response.allHeaders();
    answers.push(cookie.split("=", 1).join() || "none");
  });
  // With the session of the site, after its cookie was lost, and at another site.
  await page.goto(url);
  await seeSite(page, wanted);
  await context.clearCookies({ name: "__Host-gatehouse", domain: "wiki.example.test" });
  await page.goto(url);
  await seeSite(page, wanted);
  await page.goto(`${files}/`);
  await context.clearCookies({ name: "__Host-gatehouse", domain: "files.example.test" });
  await page.goto(url.replace(wiki, files));
  await seeSite(page, wanted.replace(wiki, files));
  const session = "__Host-gatehouse";
  assertEquals(answers, ["none", ceremony, session, session, ceremony, session]);
  assertEquals(await tokenOf(context, wiki), first);
});

test("no redirect leads to another place", async ({ site, browser }) => {
  await site.addUser("dave");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${wiki}/`, login: "dave" });
  const state = "A".repeat(90);
  const origins = new Set<string>();
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  for (const next of ["https://evil.test/", "//evil.test", "/\\evil.test", "/\t/evil.test", "javascript:alert(1)"]) {
    const query = new URLSearchParams({ next });
    const atHome = new URLSearchParams({ site: wiki, state, next });
    const callback = new URLSearchParams({ code: `${"0".repeat(26)}.${"A".repeat(43)}`, state, next });
    for (const url of [`${wiki}/auth/?${query}`, `${home}/?${atHome}`, `${wiki}/auth/site-session/?${callback}`]) {
      await page.goto(url);
    }
  }
  for (
    const other of ["https://evil.test", `${wiki}:444`, `${wiki}.evil.test`, "http://wiki.example.test", `${wiki}/`]
  ) {
    await page.goto(`${home}/?${new URLSearchParams({ site: other, state, next: "/" })}`);
    await page.getByRole("heading", { name: "Site closed" }).waitFor();
    assertEquals(await page.locator("input").count(), 0);
  }
  assertEquals([...origins].filter((origin) => ![home, ...sites].includes(origin)), []);
});

/** Sets the cookie by a script, on the page of a site, for as wide as it may. */
async function plant(
  context: BrowserContext,
  { origin, value }: { readonly origin: string; readonly value: string },
): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${origin}/script`);
  await page.evaluate(([name, value]) => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { document } = globalThis as any;
    for (const more of ["", "; Domain=example.test", "; Domain=wiki.example.test"]) {
      document.cookie = `${name}=${value}; Path=/; Secure${more}`;
    }
  }, [ceremony, value]);
  await page.close();
}
