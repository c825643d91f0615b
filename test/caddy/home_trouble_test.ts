/** A home with guarded sites, in real Chromium, where things do not go straight: tabs, Back, reloads, forms, groups. */
import { assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { holdCode, logInAt, seeLogin, seeSite, sendLogin, startHome } from "../support/caddy/home.ts";
import { home, shop, sites, wiki } from "../support/caddy/home_proxy.ts";
import { addTotp, totpOf } from "../support/page/factors.ts";
import { password } from "../support/page/site.ts";
import { pageSuite } from "../support/page/suite.ts";
import { openProfile, sessionCookie } from "../support/page/visit.ts";

const { test } = pageSuite(() => startHome({ hasBackCache: true }));

const wanted = `${wiki}/notes?id=7#part`;

test("two tabs that wait for the login both lead to their pages", async ({ site, browser }) => {
  await site.addUser("alice");
  await using context = await openProfile(browser, {});
  const [first, second] = [await context.newPage(), await context.newPage()];
  const [one, two] = [`${wiki}/one?x#y`, `${wiki}/two`];
  await first.goto(one);
  await second.goto(two);
  await sendLogin(first, "alice");
  await seeSite(first, one);
  // The other form shows a login that is not needed any more.
  await sendLogin(second, "alice");
  await seeSite(second, two);
  await first.reload();
  await seeSite(first, one);
});

test("ten tabs at once get their pages after the session of the site has ended", async ({ site, browser }) => {
  await site.addUser("bob");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: wanted, login: "bob" });
  await context.clearCookies({ domain: "wiki.example.test" });
  const tabs = await Promise.all(Array.from({ length: 10 }, () => context.newPage()));
  await Promise.all(tabs.map((tab, index) => tab.goto(`${sites[index % sites.length]}/${index}`)));
  for (const [index, tab] of tabs.entries()) await seeSite(tab, `${sites[index % sites.length]}/${index}`);
  // And all of them afterwards.
  await Promise.all(tabs.map((tab) => tab.reload()));
  for (const [index, tab] of tabs.entries()) await seeSite(tab, `${sites[index % sites.length]}/${index}`);
});

test("Back from the page leads to what was before the login, and from the login too", async ({ site, browser }) => {
  await site.addUser("carol");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  const before = `${home}/page/mark.svg`;
  await page.goto(before);
  await page.goto(wanted);
  await seeLogin(page, wiki);
  await goBackTo(page, before);
  await page.waitForURL(before, { waitUntil: "commit" });
  await page.goto(wanted);
  await sendLogin(page, "carol");
  await seeSite(page, wanted);
  assertEquals(await historyOf(page), ["about:blank", before, wanted]);
  await page.goto(`${shop}/`);
  await goBackTo(page, wanted);
  await seeSite(page, wanted);
});

test("the form of the home names no site that the service has not checked", async ({ browser }) => {
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  // The service does not decode names of parameters.
  for (const query of ["%73ite=https://evil.example", "%73ite=x", "a?site=https://evil.example"]) {
    await page.goto(`${home}/?${query}`);
    await seeLogin(page, home);
  }
});

test("a registration leads to the page, and Back to the form of the login too", async ({ browser }) => {
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await page.goto(wanted);
  const form = page.url();
  await page.getByRole("link", { name: "Register" }).click();
  await page.getByLabel("Login", { exact: true }).fill("lena");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.keyboard.press("Enter");
  await seeSite(page, wanted);
  await goBackTo(page, form);
  await seeSite(page, wanted);
});

test("Back after a logout shows no page of a site that the browser has kept", async ({ site, browser }) => {
  await site.addUser("dora");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${wiki}/stored`, login: "dora" });
  await page.goto(`${home}/`);
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await page.getByRole("status").getByText("You are logged out.").waitFor();
  await page.goto(`${wiki}/another`);
  await seeLogin(page, wiki);
  await goBackTo(page, `${wiki}/stored`);
  await seeLogin(page, wiki);
});

test("a reload of the address with the code leads to the page", async ({ site, browser }) => {
  await site.addUser("erin");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${shop}/`, login: "erin" });
  const held = await holdCode(page);
  const loading = page.goto(wanted).catch(() => {});
  const url = await held.url();
  await held.drop();
  await loading;
  for (const _ of [1, 2, 3]) {
    await page.goto(url);
    await seeSite(page, `${wiki}/notes?id=7`);
  }
});

test("a page that is reloaded after the end of the session keeps its fragment", async ({ site, browser }) => {
  await site.addUser("frank");
  for (const fragment of ["#part", "#/a/b?c=d"]) {
    await using context = await openProfile(browser, {});
    const page = await context.newPage();
    const url = `${wiki}/notes${fragment}`;
    await logInAt(page, { url, login: "frank" });
    await context.clearCookies();
    await page.reload();
    await seeLogin(page, wiki);
    await sendLogin(page, "frank");
    await seeSite(page, url);
  }
});

test("a form that is sent after the end of the session can be sent again", async ({ site, browser }) => {
  await site.addUser("gina");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${shop}/`, login: "gina" });
  await page.locator("[name=text]").fill("a long text");
  await context.clearCookies();
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: "The form was not sent" }).waitFor();
  const opened = context.waitForEvent("page");
  await page.getByRole("link", { name: "Log in in a new tab" }).click();
  const other = await opened;
  await seeLogin(other, shop);
  await sendLogin(other, "gina");
  await seeSite(other, `${shop}/`);
  await page.reload();
  await page.getByText("gina POST text=a+long+text").waitFor();
});

test("another account opens the page of a group", async ({ site, browser }) => {
  await site.addUser("hugo");
  await site.addUser("iris");
  await site.ask(await site.admin(), "PATCH", "/user/iris", { groups: ["staff"] });
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${shop}/`, login: "hugo" });
  await page.goto(`${shop}/staff/list?x=1`);
  await page.getByRole("heading", { name: "You do not have access to this page" }).waitFor();
  await page.getByRole("link", { name: "Log out and use another account" }).click();
  await page.getByRole("main").getByRole("button", { name: /Log out/ }).click();
  await sendLogin(page, "iris");
  await seeSite(page, `${shop}/staff/list?x=1`);
  await page.getByText("iris GET", { exact: true }).waitFor();
});

test("a page that demands a second factor leads to it, in a login and in a session", async ({ site, browser }) => {
  const url = `${wiki}/ledger?page=2`;
  for (const login of ["jack", "kate"]) {
    await site.addUser(login);
    const [token, earlier] = [await site.logIn(login), await site.logIn(login)];
    const { secret } = await addTotp(site, { login, token });
    await using context = await openProfile(browser, {});
    const page = await context.newPage();
    if (login === "kate") {
      await context.addCookies([sessionCookie(`${home}/`, earlier)]);
      await page.goto(`${wiki}/`);
      await seeSite(page, `${wiki}/`);
    }
    await page.goto(url);
    if (login === "jack") await sendLogin(page, login);
    await page.getByLabel("One-time code").fill(totpOf(secret, { ahead: 1 }));
    await page.keyboard.press("Enter");
    await seeSite(page, url);
  }
});

/** The addresses of the history, up to the present one. */
async function historyOf(page: Page): Promise<string[]> {
  const protocol = await page.context().newCDPSession(page);
  const { currentIndex, entries } = await protocol.send("Page.getNavigationHistory");
  return entries.slice(0, currentIndex + 1).map(({ url }) => url);
}

/** Goes back past entries that the login page has added. */
async function goBackTo(page: Page, url: string): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  const { entries } = await protocol.send("Page.getNavigationHistory");
  await protocol.send("Page.navigateToHistoryEntry", { entryId: entries.find((entry) => entry.url === url)?.id ?? 0 });
}
