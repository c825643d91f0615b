/** A home with guarded sites, in real Chromium, while the service is killed, and started with other settings. */
import { assertEquals } from "@std/assert";
import {
  holdCode,
  homeSettings,
  logInAt,
  seeLogin,
  seeSite,
  sendLogin,
  startHome,
  tokenOf,
} from "../support/caddy/home.ts";
import { files, home, shop, wiki } from "../support/caddy/home_proxy.ts";
import { startWithoutCookies } from "../support/page/browser.ts";
import { pageSuite } from "../support/page/suite.ts";
import { openProfile } from "../support/page/visit.ts";

/** At first the sites have no home. */
const { test } = pageSuite(() => startHome({ settings: {} }));

const wanted = `${wiki}/notes?id=7#part`;

test("a session of before the home ends there, and a session of the home after it", async ({ site, browser }) => {
  await site.addUser("alice");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: wanted, login: "alice" });
  const old = await tokenOf(context, wiki);
  assertEquals(await tokenOf(context, home), undefined);

  await site.restart(homeSettings);
  await page.reload();
  await seeLogin(page, wiki);
  await page.getByRole("status").getByText("Your session has ended. Log in again.").waitFor();
  await sendLogin(page, "alice");
  await seeSite(page, wanted);
  assertEquals(await tokenOf(context, wiki) === old, false);

  await site.restart({});
  await page.goto(`${wiki}/`);
  await page.getByRole("heading", { name: "Log in to wiki.example.test", exact: true }).waitFor();
  assertEquals(new URL(page.url()).origin, wiki);
  await sendLogin(page, "alice");
  await seeSite(page, `${wiki}/`);
  await site.restart();
});

test("a kill between the home and the site loses no login", async ({ site, browser }) => {
  await site.addUser("bob");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await page.goto(wanted);
  const held = await holdCode(page);
  await sendLogin(page, "bob");
  await held.url();
  await site.kill();
  await held.release();
  await page.getByRole("heading", { name: "Service Unavailable" }).waitFor();
  await site.restart();
  await page.reload();
  await seeSite(page, wanted);
});

test("a site that is not listed any more is closed, and the others are not", async ({ site, browser }) => {
  await site.addUser("carol");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: wanted, login: "carol" });
  await page.goto(`${shop}/`);
  await seeSite(page, `${shop}/`);
  const state = "A".repeat(90);

  await site.restart({ ...homeSettings, GATEHOUSE_SITES: `${wiki},${files}` });
  const arrivedCount = site.arrived.length;
  const lead = `${home}/?${new URLSearchParams({ site: shop, state, next: "/" })}`;
  for (const url of [`${shop}/`, `${shop}/staff`, `${shop}/auth/`, `${shop}/auth/?next=/`, lead]) {
    const response = await page.goto(url);
    await page.getByRole("heading", { name: "Site closed" }).waitFor();
    assertEquals([response?.status(), await page.locator("input").count()], [403, 0]);
  }
  assertEquals(site.arrived.length, arrivedCount);
  for (const url of [wanted, `${files}/`]) {
    await page.goto(url);
    await seeSite(page, url);
  }
  await site.restart();
  await page.goto(`${shop}/again`);
  await seeSite(page, `${shop}/again`);
});

test("a browser that stores no cookies of a site gets a page that explains", async ({ site }) => {
  await site.addUser("dave");
  await using blocking = await startWithoutCookies([site.rootCertificate], { ...site, origin: wiki });
  const page = await blocking.context.newPage();
  const explained = page.getByRole("heading", { name: "The login was not completed" });
  await logInAt(page, { url: `${files}/`, login: "dave" });
  let count = 0;
  page.on("request", (request) => request.isNavigationRequest() && count++);
  await page.goto(wanted);
  await explained.waitFor();
  await page.getByText("your browser does not store cookies").waitFor();
  await page.getByRole("link", { name: "Log in again" }).click();
  await page.waitForLoadState();
  await explained.waitFor();
  assertEquals(count, 4 + 3);
});
