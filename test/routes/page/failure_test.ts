/** The page without HTTPS, without cookies, with a failing script, and in a browser that is too old. */
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContext, Page } from "npm:playwright-core@1.65.1";
import { pageFiles } from "../../../routes/page_file.ts";
import { plainHost } from "../../support/page/browser.ts";
import { password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

async function logIn(page: Page, login: string, say = (text: string) => text): Promise<void> {
  await page.getByLabel(say("Login"), { exact: true }).fill(login);
  await page.getByLabel(say("Password"), { exact: true }).fill(password);
  await page.keyboard.press("Enter");
}

testLooks("a login without HTTPS says why the browser does not stay logged in", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  await site.addUser(login);
  const url = `http://${plainHost}:${new URL(site.service.url).port}/`;
  await visit(browser, { url, ...look, refused: ["401 GET session/"] }, async ({ page, say }) => {
    await logIn(page, login, say);
    const text = "Without HTTPS the browser cannot keep you logged in. Open this page over HTTPS.";
    await page.getByRole("alert").getByText(say(text)).waitFor();
    assertEquals(await page.getByLabel(say("Login"), { exact: true }).inputValue(), login);
  });
});

test("a page at an IP address shows no passkeys, which belong to names", async ({ site, browser }) => {
  const url = `http://127.0.0.1:${new URL(site.service.url).port}/`;
  await visit(browser, { url }, async ({ page }) => {
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
    assertEquals(await page.evaluate(() => "PublicKeyCredential" in globalThis), true);
    assertEquals(await page.getByRole("button", { name: "Log in with a passkey" }).count(), 0);
  });
});

testLooks(
  "a login without cookies says why the browser does not stay logged in",
  async ({ site, browser }, { login, ...look }) => {
    await site.addUser(login);
    await visit(browser, { url: site.url, ...look, refused: ["401 GET session/"] }, async ({ page, context, say }) => {
      await dropCookies(context);
      await logIn(page, login, say);
      const text = "Without cookies the browser cannot keep you logged in. Allow the cookies of this site.";
      await page.getByRole("alert").getByText(say(text)).waitFor();
    });
  },
);

test("a registration without cookies succeeds, and says why the login fails", async ({ site, browser }) => {
  const options = { url: site.url, path: "#register", refused: ["401 GET session/"] };
  await visit(browser, options, async ({ page, context }) => {
    await dropCookies(context);
    await logIn(page, "cookieless");
    await page.getByRole("status").getByText(/^You are registered. Log in. .* Allow the cookies of this site.$/)
      .waitFor();
  });
});

test("white space around a login or a ticket is removed", async ({ site, browser }) => {
  const { ticket } = await site.ask(await site.admin(), "POST", "/ticket/", { purpose: "register" });
  await visit(browser, { url: site.url, path: "#register" }, async ({ page }) => {
    await page.getByRole("button", { name: "I have a ticket" }).click();
    await page.getByLabel("Ticket", { exact: true }).fill(`\t${ticket} `);
    await logIn(page, " spacious ");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await logIn(page, "spacious ");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
  });
});

test("a login of spaces counts as missing", async ({ site, browser }) => {
  await visit(browser, { url: site.url }, async ({ page }) => {
    await logIn(page, "  ");
    await page.locator("#log-in-login-error").getByText("Required.").waitFor();
  });
});

test("an error at the start is shown on the page", async ({ site, browser }) => {
  await withPage(browser, async ({ page, context }) => {
    await context.addInitScript("Object.hasOwn = undefined");
    await page.goto(site.url);
    await page.getByRole("heading", { name: "Something went wrong" }).waitFor();
    await page.getByRole("alert").getByText("An error occurred on this page. Reload it.").waitFor();
  });
});

test("a later error is shown above the view", async ({ site, browser }) => {
  await site.addUser("unlucky");
  await withPage(browser, async ({ page }) => {
    await page.goto(site.url);
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.evaluate("FormData = undefined");
    await logIn(page, "unlucky");
    await page.getByRole("status").getByText("An error occurred on this page. Reload it.").waitFor();
    assertEquals(await page.getByLabel("Login", { exact: true }).inputValue(), "unlucky");
  });
});

test("if no script starts, the page says so in both languages, and not before 5 s", async ({ site, browser }) => {
  await withPage(browser, async ({ page }) => {
    await page.route("**/page/main.js", (route) => route.fulfill({ contentType: "text/javascript", body: "?" }));
    await page.goto(site.url);
    const text = page.getByText("The page did not start. Reload it, or use a newer browser.");
    assertEquals(await text.isVisible(), false);
    await text.waitFor();
    await page.getByText("Страница не запустилась.").waitFor();
  });
});

/** Newer than Chrome 109, Firefox 115 or Safari 15.4, and without it a view would not come. */
const tooNew: readonly RegExp[] = [
  /\.to(Sorted|Reversed|Spliced)\(/,
  /Promise\.(withResolvers|try)\b/,
  /\b(Object|Map)\.groupBy\b|Array\.fromAsync\b|\.(union|intersection|difference)\(/,
  /\bURL\.(parse|canParse)\b|AbortSignal\.any\b|\.(isWellFormed|toWellFormed|toBase64)\(/,
  /light-dark\(|color-mix\(/,
];

Deno.test("the page uses nothing that only newer browsers support", () => {
  const found = [...pageFiles].flatMap(([name, text]) =>
    tooNew.filter((one) => one.test(text)).map((one) => [name, one])
  );
  assertEquals(found, []);
});

/** A visit in which something fails that `visit` would not let pass. */
async function withPage(
  browser: Browser,
  act: (opened: { page: Page; context: BrowserContext }) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ locale: "en-GB" });
  context.setDefaultTimeout(15_000);
  try {
    await act({ page: await context.newPage(), context });
  } finally {
    await context.close();
  }
}

/** As in a browser that drops the cookie of the answer. */
async function dropCookies(context: BrowserContext): Promise<void> {
  await context.route("**/session/", async (route) => {
    if (route.request().method() === "POST") await route.fulfill({ status: 201, json: {} });
    else await route.fallback();
  });
}
