/** A home with guarded sites, in real Chromium, with a clock that is set: codes and states that are too old. */
import { assertEquals } from "@std/assert";
import { createRouter } from "../../lib/router.ts";
import { routes } from "../../routes/mod.ts";
import { openTestApp } from "../support/app.ts";
import { holdCode, homeSettings, logInAt, seeLogin, seeSite, sendLogin } from "../support/caddy/home.ts";
import { home, shop, startHomeProxy, wiki } from "../support/caddy/home_proxy.ts";
import { password } from "../support/page/site.ts";
import { pageSuite } from "../support/page/suite.ts";
import { openProfile } from "../support/page/visit.ts";

const second = 1_000;
const hour = 60 * 60 * second;
const wanted = `${wiki}/notes?id=7#part`;

const { test } = pageSuite(async () => {
  await using cleanup = new AsyncDisposableStack();
  const { app, send, clock } = await openTestApp({ settings: homeSettings });
  const router = createRouter(routes, app);
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = cleanup.use(Deno.serve(options, (request, info) => router(request, info)));
  const proxy = cleanup.use(await startHomeProxy({ upstream: `127.0.0.1:${server.addr.port}` }));
  const owned = cleanup.move();
  return {
    ...proxy,
    clock,
    addUser: (login: string) => send("POST", "/user/", { json: { login, password } }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
});

test("a code that is too old is replaced", async ({ site, browser }) => {
  await site.addUser("alice");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: `${shop}/`, login: "alice" });
  for (const [ageMs, codes] of [[59 * second, 1], [60 * second, 2]] as const) {
    await context.clearCookies({ name: "__Host-gatehouse", domain: "wiki.example.test" });
    const url = `${wiki}/notes?id=${codes}#part`;
    const held = await holdCode(page);
    let count = 0;
    const counted = (request: { url(): string }) => request.url().includes("code=") && count++;
    page.on("request", counted);
    const [loading] = [page.goto(url), await held.url()];
    site.clock.now += ageMs;
    await held.release();
    await loading;
    await seeSite(page, url);
    assertEquals(count, codes);
    page.off("request", counted);
  }
});

test("a login that is typed for longer than its state lasts leads to the page", async ({ site, browser }) => {
  await site.addUser("bob");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await page.goto(wanted);
  await seeLogin(page, wiki);
  site.clock.now += hour;
  await sendLogin(page, "bob");
  await seeSite(page, wanted);
});

test("a form that was open for longer than its cookie leads to a page that explains", async ({ site, browser }) => {
  await site.addUser("carol");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await page.goto(wanted);
  await seeLogin(page, wiki);
  await context.clearCookies();
  await sendLogin(page, "carol");
  await page.getByRole("heading", { name: "The login was not completed" }).waitFor();
  await page.getByRole("link", { name: "Log in again" }).click();
  await seeSite(page, wanted);
});

test("a session that was not used for too long ends at all sites", async ({ site, browser }) => {
  await site.addUser("dave");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await logInAt(page, { url: wanted, login: "dave" });
  site.clock.now += 167 * hour;
  await page.goto(`${shop}/`);
  await seeSite(page, `${shop}/`);
  // Its use at a site has extended it.
  site.clock.now += 167 * hour;
  await page.goto(wanted);
  await seeSite(page, wanted);
  site.clock.now += 168 * hour;
  for (const url of [`${wiki}/late`, `${shop}/late`]) {
    await page.goto(url);
    assertEquals(new URL(page.url()).origin, home);
  }
});
