/** The status of the service as an administrator sees it, live, in real Chromium through real Caddy. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { busyStatus } from "../../support/page/busy.ts";
import { figure, seeFailedLogin, seeFigures } from "../../support/page/figure.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

/** After so long the page asks again. */
const pollMs = 3_000;

/** The figures, in both languages. */
const figures: readonly [name: string, pattern: RegExp][] = [
  ["sessions", /^[1-9]\d*$/],
  ["logins", /^\d+$/],
  ["throttled", /^\d+$/],
  ["work", /^pbkdf2-sha256 i=\d+ \([\d.,]+\s(ms|мс)\)$/],
  ["hash", /^[\d.,]+ \/ [\d.,]+\s(ms|мс)$/],
  ["sync", /^[\d.,]+ \/ [\d.,]+\s(ms|мс)$/],
  ["queue", /^\d+ \/ \d+$/],
  ["bytes", /^[\d.,]+\s(kB|кБ)$/],
  ["uptime", /^\d+\s(secs?|mins?|с|мин)$/],
  ["deno", /^\d+\.\d+\.\d+$/],
  ["instance", /^127\.0\.0\.1:\d+ [0-9a-f]{4}$/],
];

testLooks("an administrator sees the status of the service as it changes", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  const token = await site.admin();
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    await page.clock.install();
    await page.getByRole("link", { name: say("Status"), exact: true }).click();
    await page.getByRole("heading", { name: say("Service status"), level: 1 }).waitFor();
    assertEquals(await page.title(), `${say("Service status")} · Gatehouse`);
    for (const title of ["Logins per minute", "Hashes", "Registrations per day"]) {
      await page.getByRole("heading", { name: say(title), exact: true }).waitFor();
      await page.getByRole("img", { name: say(title), exact: true }).waitFor();
    }
    await seeFailedLogin(page, site);
    const users = Number(await figure(page, "users"));
    await site.addUser(login);
    await page.clock.fastForward(pollMs);
    await page.locator('dd[data-name="users"]').getByText(`${users + 1}`, { exact: true }).waitFor();
    assert(Number(await figure(page, "today")) >= 1);
    for (const [name, pattern] of figures) assertMatch(await figure(page, name), pattern, name);
    assertEquals(await blankPlots(page), []);
    // Screen readers hear a summary, and the values of the lines are below the plots.
    await page.getByRole("status").filter({ hasText: `${say("Users")}: ` }).waitFor({ state: "attached" });
    await page.getByRole("listitem").filter({ hasText: `${say("Registrations")} ` }).waitFor();
  });
});

test("the page asks while it is seen, and no more when the view is left", async ({ site, browser }) => {
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#account", token }, async ({ page }) => {
    const asked = { count: 0 };
    page.on("request", (request) => asked.count += Number(request.url().endsWith("/status/")));
    await pauseClock(page);
    await page.getByRole("link", { name: "Status", exact: true }).click();
    await seeFigures(page);
    const pass = async (ms: number) => {
      await page.clock.runFor(ms);
      // The answer comes in real time.
      await page.waitForTimeout(300);
      return asked.count;
    };
    assertEquals([asked.count, await pass(2_900), await pass(200)], [1, 1, 2]);
    await page.getByRole("button", { name: "Русский" }).click();
    await page.getByRole("heading", { name: "Состояние службы" }).waitFor();
    await seeFigures(page);
    // One view asks, and not the one before as well.
    assertEquals([asked.count, await pass(3_100)], [3, 4]);
    await setHidden(page, true);
    assertEquals([await pass(3_100), await pass(60_000)], [4, 4]);
    await setHidden(page, false);
    assertEquals([await pass(100), await pass(3_100)], [5, 6]);
    await page.getByRole("link", { name: "Настройки" }).click();
    await page.getByRole("heading", { name: "Настройки" }).waitFor();
    assertEquals([await pass(3_100), await pass(60_000)], [6, 6]);
  });
});

test("a user whose session ends meanwhile is led to the login", async ({ site, browser }) => {
  await site.admin();
  const token = await site.logIn("root");
  const refused = ["401 GET status/"];
  await visit(browser, { url: site.url, path: "#account", token, refused }, async ({ page }) => {
    await openStatus(page);
    await site.ask(token, "DELETE", "/session/");
    await page.clock.fastForward(pollMs);
    await page.getByRole("status").getByText("Your session has ended. Log in again.").waitFor();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  });
});

test("a user who is not an administrator any more sees their account", async ({ site, browser }) => {
  const admin = await site.admin();
  await site.addUser("deputy");
  await site.ask(admin, "PATCH", "/user/deputy", { groups: ["admin"] });
  const token = await site.logIn("deputy");
  const refused = ["403 GET status/"];
  await visit(browser, { url: site.url, path: "#account", token, refused }, async ({ page }) => {
    await openStatus(page);
    await site.ask(admin, "PATCH", "/user/deputy", { groups: [] });
    await page.clock.fastForward(pollMs);
    await page.getByRole("status").getByText("You do not have permission to do this.").waitFor();
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    assertEquals(await page.getByRole("link", { name: "Status", exact: true }).count(), 0);
  });
});

test("the page says that the status cannot be loaded, and asks more and more rarely", async ({ site, browser }) => {
  const token = await site.admin();
  const refused = ["503 GET status/", "503 GET status/", "503 GET status/"];
  await visit(browser, { url: site.url, path: "#account", token, refused }, async ({ page }) => {
    const asked = { count: 0 };
    page.on("request", (request) => asked.count += Number(request.url().endsWith("/status/")));
    await pauseClock(page);
    await page.getByRole("link", { name: "Status", exact: true }).click();
    await seeFigures(page);
    await page.route("**/status/", (route) => route.fulfill({ status: 503 }), { times: 3 });
    const complaint = page.getByText("Could not load the status. Trying again.");
    for (const waitMs of [3_000, 6_000, 12_000, 24_000]) {
      const before = asked.count;
      await page.clock.runFor(waitMs - 100);
      await page.waitForTimeout(200);
      assertEquals(asked.count, before, `before ${waitMs} ms`);
      await Promise.all([page.waitForResponse("**/status/"), page.clock.runFor(200)]);
      await page.waitForTimeout(200);
      assertEquals(await complaint.count(), waitMs < 24_000 ? 1 : 0);
    }
  });
});

test("of several instances on a database the page shows one, by name, and another when that is gone", async (scene) => {
  const { site, browser } = scene;
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#account", token }, async ({ page }) => {
    const names = ["a:8000 1111", "b:8000 2222", "c:8000 3333"];
    const turn = { count: 0 };
    await page.clock.install();
    await page.route("**/status/", (route) => {
      const index = turn.count++ % names.length;
      const changes = { instance: names[index], sync: null, sessions: index + 1 };
      return route.fulfill({ json: busyStatus(Date.now(), changes) });
    });
    const next = async (ms: number) => {
      const [response] = await Promise.all([page.waitForResponse("**/status/"), page.clock.fastForward(ms)]);
      await response.finished();
      await page.waitForTimeout(50);
      return [await figure(page, "instance"), await figure(page, "sessions")];
    };
    await page.getByRole("link", { name: "Status", exact: true }).click();
    await seeFigures(page);
    assertEquals([await figure(page, "instance"), await figure(page, "sessions")], ["a:8000 1111", "1"]);
    // It asks again sooner, until the instance that it shows responds.
    assertEquals(await next(3_000), ["a:8000 1111", "1"]);
    assertEquals(await next(1_000), ["a:8000 1111", "1"]);
    assertEquals(await next(1_000), ["a:8000 1111, one of 3", "1"]);
    // A database syncs by itself.
    assertEquals(await page.getByText("Sync").count(), 0);
    await page.getByRole("heading", { name: "Hash, in milliseconds" }).waitFor();
    assertEquals(await blankPlots(page), []);
    names[0] = "b:8000 2222";
    await next(3_000);
    assertEquals(await next(31_000), ["c:8000 3333", "3"]);
  });
});

/** Opens the view with a clock that `fastForward` moves. */
async function openStatus(page: Page): Promise<void> {
  await page.clock.install();
  await page.getByRole("link", { name: "Status", exact: true }).click();
  await seeFigures(page);
}

/** From now on time passes for the page only by `clock.runFor`. */
async function pauseClock(page: Page): Promise<void> {
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 1_000);
}

/** Has the page believe that nobody sees it, as in a background tab, which a browser without a window never is. */
async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { document, Event } = globalThis as any;
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

/** The names of plots that show nothing at all, not even a line of zeros. */
async function blankPlots(page: Page): Promise<string[]> {
  return await page.getByRole("img").locator("canvas").evaluateAll((all) =>
    all.filter((canvas) => {
      // deno-lint-ignore no-explicit-any -- of the browser
      const { width, height, parentElement } = canvas as any;
      // deno-lint-ignore no-explicit-any -- of the browser
      const { data } = (canvas as any).getContext("2d").getImageData(0, 0, width, height);
      return data.every((value: number) => value === 0) && parentElement !== null;
    }).map((canvas) => canvas.closest("[aria-label]")?.getAttribute("aria-label") ?? "")
  );
}
