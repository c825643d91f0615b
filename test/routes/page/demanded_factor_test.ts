/** A guarded page that demands a second factor, in real Chromium through real Caddy. */
import { assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { app, startGuarded } from "../../support/caddy/guarded.ts";
import { addAuthenticator, addTotp, totpOf } from "../../support/page/factors.ts";
import { password, type Site, siteAt } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { sessionCookie, visit } from "../../support/page/visit.ts";

const ledger = "route /ledger* {\n\t\timport guard users/second-factor\n\t\treverse_proxy {$APP}\n\t}\n\n\t";

/** An app, of which one part demands a second factor. */
async function startLedger(): Promise<Site> {
  const edits = [["route {\n\t\timport guard", `${ledger}route {\n\t\timport guard`], app] as const;
  await using cleanup = new AsyncDisposableStack();
  const { caddy, service } = cleanup.use(await startGuarded({ edits }));
  return siteAt("/auth/", { caddy, service, owned: cleanup.move() });
}

const { test, testLooks } = pageSuite(startLedger);

/** Waits for the wanted page: the app shows the request that arrived. */
async function seeLedger(page: Page, login: string): Promise<void> {
  await page.waitForURL("**/ledger?page=2");
  const { headers } = JSON.parse(await page.locator("body").textContent() ?? "");
  assertEquals(headers["remote-user"], login);
}

testLooks("a visitor logs in with a second factor, and continues there", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  await site.addUser(login);
  const { secret } = await addTotp(site, { login, token: await site.logIn(login) });
  await visit(browser, { url: site.url, ...look }, async ({ page, say }) => {
    await page.goto(new URL("/ledger?page=2", site.url).href);
    await page.getByLabel(say("Login"), { exact: true }).fill(login);
    await page.getByLabel(say("Password"), { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByLabel(say("One-time code")).fill(totpOf(secret, { ahead: 1 }));
    await page.keyboard.press("Enter");
    await seeLedger(page, login);
  });
});

test("a session of the password alone proves a passkey, and continues there", async ({ site, browser }) => {
  await site.addUser("early");
  const [token, earlier] = [await site.logIn("early"), await site.logIn("early")];
  const wanted = new URL("/ledger?page=2", site.url).href;
  await visit(browser, { url: site.url, token, refused: [`401 GET ${wanted}`] }, async ({ page, context, say }) => {
    await addAuthenticator(page);
    await page.reload();
    await page.getByRole("button", { name: say("Add a passkey…") }).click();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
    await page.keyboard.press("Escape");
    await context.addCookies([sessionCookie(site.url, earlier)]);
    const answer = await page.evaluate(async (url) => {
      const response = await fetch(url);
      return [response.status, response.headers.get("content-type"), (await response.json()).type];
    }, wanted);
    assertEquals(answer, [401, "application/problem+json", "/problem/second-factor-required"]);
    await page.goto(wanted);
    await page.getByRole("button", { name: say("Use a passkey") }).click();
    await seeLedger(page, "early");
  });
});

testLooks("a user without a second factor sets one up, and continues there", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  await site.addUser(login);
  await visit(browser, { url: site.url, ...look, token: await site.logIn(login) }, async ({ page, say }) => {
    await page.goto(new URL("/ledger?page=2", site.url).href);
    await page.getByRole("heading", { name: say("Set up a second factor"), exact: true }).waitFor();
    await page.getByRole("button", { name: say("Set up…") }).click();
    const dialog = page.getByRole("dialog", { name: say("Set up an authenticator app") });
    await dialog.getByLabel(say("One-time code")).fill(totpOf(await dialog.locator("code").textContent() ?? ""));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
    await page.keyboard.press("Escape");
    await seeLedger(page, login);
  });
});
