/** Back, after logging out, to a guarded page that real Chromium keeps in memory, as it does for people. */
import { assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { type Guarded, impatience, startGuarded } from "../../support/caddy/guarded.ts";
import { hasBrowser, startBrowser } from "../../support/page/browser.ts";
import { sessionCookie } from "../../support/page/visit.ts";

const ignore = !await hasBrowser();
/** Its title says whether it was kept. */
const wiki = `<!DOCTYPE html><link rel="icon" href="data:,"><h1>The wiki</h1>
<script>addEventListener("pageshow", ({ persisted }) => document.title = persisted ? "kept" : "loaded")</script>`;
/** Where Back ends. */
const kept = ["/wiki.html", "kept", "The wiki"];
const refused = ["/auth/?next=%2Fwiki.html", "Log in to HOST · Gatehouse", "Log in to HOST"];
const ended = ["/auth/?why=ended&next=%2Fwiki.html", ...refused.slice(1)];

/** What happens between leaving the page and Back. */
const rows:
  readonly (readonly [what: string, act: (page: Page, site: Guarded) => Promise<void>, expected: readonly string[]])[] =
    [
      ["without logging out shows the page that was kept", () => Promise.resolve(), kept],
      ["after logging out shows no guarded page", logOut, refused],
      ["after ending all sessions shows no guarded page", endAll, refused],
      ["after logging out in another tab shows no guarded page", logOutInNewTab, refused],
      ["from the form to log in shows no guarded page after the session was ended elsewhere", beRefused, ended],
    ];

for (const [index, [what, act, expected]] of rows.entries()) {
  Deno.test({ name: `Back ${what}`, ignore, sanitizeOps: false, sanitizeResources: false }, async () => {
    await using cleanup = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "gatehouse-guarded-" });
    cleanup.defer(() => Deno.remove(folder, { recursive: true }));
    await Deno.writeTextFile(`${folder}/wiki.html`, wiki);
    const site = cleanup.use(await startGuarded({ edits: [impatience], env: { ROOT: folder } }));
    const { browser } = cleanup.use(await startBrowser([site.caddy.rootCertificate], { hasBackCache: true }));
    const context = await browser.newContext({ locale: "en-GB", baseURL: site.caddy.url });
    const [, token = ""] = (await site.enter(`user-${index}`)).split("=");
    await context.addCookies([sessionCookie(site.caddy.url, token)]);

    const page = await context.newPage();
    await page.goto("/wiki.html");
    await page.goto("/auth/");
    await act(page, site);
    await goBackTo(page, `${site.caddy.url}/wiki.html`);
    const { host } = new URL(site.caddy.url);
    const [end, title, heading = ""] = expected.map((text) => text.replace("HOST", host));
    await page.getByRole("heading", { name: heading, exact: true }).waitFor();
    const { pathname, search } = new URL(page.url());
    assertEquals([pathname + search, await page.title(), await page.locator("h1").innerText()], [end, title, heading]);
  });
}

/** Goes back past entries that the login page has added. Playwright's own goBack() waits for a navigation. */
async function goBackTo(page: Page, url: string): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  const { entries } = await protocol.send("Page.getNavigationHistory");
  const entryId = entries.find((entry) => entry.url === url)?.id ?? 0;
  await protocol.send("Page.navigateToHistoryEntry", { entryId });
}

async function logOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await page.getByRole("status").getByText("You are logged out.").waitFor();
}

async function endAll(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Log out on all devices" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
}

/** Ends the session by another browser, and goes on to another page. */
async function beRefused(page: Page, site: Guarded): Promise<void> {
  const [{ name = "", value = "" } = {}] = await page.context().cookies();
  const headers = { cookie: `${name}=${value}`, "sec-fetch-site": "same-origin" };
  assertEquals(await site.statusOf("/auth/session/", { method: "DELETE", headers }), 204);
  await page.goto("/?tab=2");
  await page.getByRole("heading", { name: "Log in" }).waitFor();
}

async function logOutInNewTab(page: Page): Promise<void> {
  const other = await page.context().newPage();
  await other.goto("/auth/");
  await logOut(other);
}
