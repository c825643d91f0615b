/** The state of the house as an administrator sees it, live, in real Chromium through real Caddy. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Page } from "playwright-core";
import { figure, seeFailedLogin, seeFigures } from "../../support/page/figure.ts";
import type { Site } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

/** As in lib/app.ts. */
const maxEventStreams = 20;

/** What the figures look like, in both languages. */
const figures: readonly [name: string, pattern: RegExp][] = [
  ["sessions", /^[1-9]\d*$/],
  ["logins", /^\d+$/],
  ["throttled", /^\d+$/],
  ["hash", /^[\d.,]+ \/ [\d.,]+\s(ms|мс)$/],
  ["sync", /^[\d.,]+ \/ [\d.,]+\s(ms|мс)$/],
  ["queue", /^\d+ \/ \d+$/],
  ["bytes", /^[\d.,]+\s(kB|кБ)$/],
  ["uptime", /^\d+\s(secs?|mins?|с|мин)$/],
  ["deno", /^\d+\.\d+\.\d+$/],
];

testLooks("an administrator sees the state of the house as it changes", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  const token = await site.admin();
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    await page.getByRole("link", { name: say("State"), exact: true }).click();
    await page.getByRole("heading", { name: say("State of the house"), level: 1 }).waitFor();
    assertEquals(await page.title(), `${say("State of the house")} · Gatehouse`);
    for (const title of ["Logins per minute", "Hashes", "Registrations per day"]) {
      await page.getByRole("heading", { name: say(title), exact: true }).waitFor();
      await page.getByRole("img", { name: say(title), exact: true }).waitFor();
    }
    await seeFailedLogin(page, site);
    const users = Number(await figure(page, "users"));
    await site.addUser(login);
    await page.locator('dd[data-name="users"]').getByText(`${users + 1}`, { exact: true }).waitFor();
    assert(Number(await figure(page, "today")) >= 1);
    for (const [name, pattern] of figures) assertMatch(await figure(page, name), pattern, name);
    assertEquals(await blankPlots(page), []);
    // Heard too, and the lines have their values below.
    await page.getByRole("status").filter({ hasText: `${say("Users")}: ` }).waitFor({ state: "attached" });
    await page.getByRole("listitem").filter({ hasText: `${say("Registrations")} ` }).waitFor();
  });
});

test("the plots come with the view, and not before", async ({ site, browser }) => {
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#account", token }, async ({ page }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url().replace(site.url, "")));
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    assertEquals(asked.filter((path) => path.includes("state") || path.includes("uplot")), []);
    await page.getByRole("link", { name: "State", exact: true }).click();
    await seeFigures(page);
    const wanted = ["page/status.css", "page/status.js", "page/status_plot.js", "page/uplot.css", "page/uplot.js"];
    assertEquals(wanted.filter((path) => !asked.includes(path)), []);
  });
});

test("the stream ends when the view is left, and goes on in another language", async ({ site, browser }) => {
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#state", token }, async ({ page }) => {
    await seeFigures(page);
    assertEquals(await countFreeStreams(site, token), maxEventStreams - 1);
    await page.getByRole("button", { name: "Русский" }).click();
    await page.getByRole("heading", { name: "Состояние службы" }).waitFor();
    await seeFigures(page);
    assertEquals(await countFreeStreams(site, token), maxEventStreams - 1);
    const closed = streamEnd(page);
    await page.getByRole("link", { name: "Настройки" }).click();
    await page.getByRole("heading", { name: "Настройки" }).waitFor();
    await closed;
    assertEquals(await countFreeStreams(site, token), maxEventStreams);
  });
});

test("whose session ends meanwhile is led to the gate", async ({ site, browser }) => {
  await site.admin();
  const token = await site.logIn("root");
  const refused = ["401 GET state/", "401 GET session/"];
  await visit(browser, { url: site.url, path: "#state", token, refused }, async ({ page }) => {
    await seeFigures(page);
    await site.ask(token, "DELETE", "/session/");
    await page.getByRole("status").getByText("Your session has ended. Log in again.").waitFor();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  });
});

test("who is no administrator any more sees their account", async ({ site, browser }) => {
  const admin = await site.admin();
  await site.addUser("deputy");
  await site.ask(admin, "PATCH", "/user/deputy", { groups: ["admin"] });
  const token = await site.logIn("deputy");
  const refused = ["403 GET state/"];
  await visit(browser, { url: site.url, path: "#state", token, refused }, async ({ page }) => {
    await seeFigures(page);
    await site.ask(admin, "PATCH", "/user/deputy", { groups: [] });
    await page.getByRole("status").getByText("You do not have permission to do this.").waitFor();
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    assertEquals(await page.getByRole("link", { name: "State", exact: true }).count(), 0);
  });
});

test("a stream that is refused is asked for again, and the page says so", async ({ site, browser }) => {
  const token = await site.admin();
  const refused = ["503 GET state/"];
  await visit(browser, { url: site.url, path: "#account", token, refused }, async ({ page }) => {
    await page.route("**/state/", (route) => route.fulfill({ status: 503 }), { times: 1 });
    await page.getByRole("link", { name: "State", exact: true }).click();
    const complaint = page.getByText("The state cannot be had now. Trying again.");
    await complaint.waitFor();
    await seeFigures(page);
    assertEquals(await complaint.count(), 0);
  });
});

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

/** Waits until the browser gives up the stream. */
async function streamEnd(page: Page): Promise<void> {
  await page.waitForEvent("requestfailed", (request) => request.url().endsWith("/state/"));
}

/** How many more streams the service has strength for. A moment later, as it hears of an end through Caddy. */
async function countFreeStreams({ service }: Site, token: string): Promise<number> {
  await delay(300);
  const controller = new AbortController();
  const ask = () =>
    fetch(`${service.url}/state/`, { headers: { authorization: `Bearer ${token}` }, signal: controller.signal });
  const replies = await Promise.all(Array.from({ length: maxEventStreams }, ask));
  const count = replies.filter(({ status }) => status === 200).length;
  await Promise.all(replies.map(({ body }) => body?.cancel()));
  controller.abort();
  await delay(300);
  return count;
}
