/** A home with sites of two domains, in real Chromium through real Caddy: one login, one logout. */
import { assertEquals } from "@std/assert";
import type { BrowserContext, Page } from "npm:playwright-core@1.65.1";
import { type Home, logInAt, openEach, seeLogin, startHome } from "../support/caddy/home.ts";
import { home, sites, wiki } from "../support/caddy/home_proxy.ts";
import { pageSuite } from "../support/page/suite.ts";
import { openProfile } from "../support/page/visit.ts";

const { test } = pageSuite(() => startHome());

/** Whom an end of the session is about. */
interface User {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly login: string;
}

/** What ends the session of a browser, and with it those of all sites. */
const ends: readonly (readonly [name: string, end: (user: User, site: Home) => Promise<unknown>])[] = [
  ["a logout at the home", async ({ context }) => {
    const page = await context.newPage();
    await page.goto(`${home}/`);
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.getByRole("status").getByText("You are logged out.").waitFor();
  }],
  ["another session of the user", async ({ login }, site) => {
    const token = await site.logIn(login);
    const { sessions } = await site.ask(token, "GET", `/user/${login}/session/`);
    const listed = sessions as { readonly id: string; readonly sites: readonly string[] }[];
    assertEquals(listed.map((session) => session.sites), [sites, []]);
    await site.ask(token, "DELETE", `/user/${login}/session/${listed[0]?.id}`);
  }],
  ["an administrator who disables the user", async ({ login }, site) => {
    await site.ask(await site.admin(), "PATCH", `/user/${login}`, { disabled: true });
  }],
];

test("one login opens all sites at the page wanted, by as few redirects as can be", async ({ site, browser }) => {
  await site.addUser("alice");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  const documents: string[] = [];
  page.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    if (request.isNavigationRequest()) documents.push(origin + pathname);
  });
  const path = "/notes/a%20b";
  await openEach(page, { login: "alice", path: `${path}?q=1&next=%2Fx&r=%D1%8F#part=2&x` });
  const passed = sites.map((origin, index) => {
    const logins = index === 0 ? 1 : 0;
    const atHome = Array<string>(1 + logins).fill(`${home}/`);
    return [origin + path, `${origin}/auth/`, ...atHome, `${origin}/auth/site-session/`, origin + path];
  });
  assertEquals(documents, passed.flat());
  assertEquals(site.arrived.filter((line) => line.includes("gatehouse")), []);
});

test("a page costs one request to the service once the site has its session", async ({ site, browser }) => {
  await site.addUser("bob");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${wiki}/`, login: "bob" });
  const before = await countRequests(site);
  let count = 0;
  page.on("request", () => count++);
  await page.goto(`${wiki}/another`);
  assertEquals([count, await countRequests(site) - before], [1, 1]);
});

for (const [index, [name, end]] of ends.entries()) {
  test(`${name} closes all sites at once`, async ({ site, browser }) => {
    const login = `user-${index}`;
    await site.addUser(login);
    await using context = await openProfile(browser, {});
    const page = await context.newPage();
    await openEach(page, { login, path: "/" });
    await end({ page, context, login }, site);
    for (const origin of sites) {
      await page.goto(`${origin}/again`);
      await seeLogin(page, origin);
      assertEquals(new URL(page.url()).searchParams.get("why"), "ended");
    }
  });
}

test("the list of sessions names the sites", async ({ site, browser }) => {
  await site.addUser("carol");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await openEach(page, { login: "carol", path: "/" });
  await page.goto(`${wiki}/auth/`);
  assertEquals(page.url(), `${home}/`);
  const hosts = sites.map((origin) => new URL(origin).host);
  await page.locator(".sessions li").getByText(`Sites: ${hosts.join(", ")}`, { exact: true }).waitFor();
});

/** All requests but those that count them. */
async function countRequests({ service }: Home): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => /^http_requests_total\{/.test(line));
  const own = lines.filter((line) => !line.includes("/metrics"));
  return own.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
