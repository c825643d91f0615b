/** Failures while the page is open, in real Chromium through real Caddy. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Page, Route } from "npm:playwright-core@1.65.1";
import { focusedName } from "../../support/page/focus.ts";
import { password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

type Answer = NonNullable<Parameters<Route["fulfill"]>[0]>;

const unreachable = "The service cannot be reached.";
const busy = "The service is busy.";
const ended = "Your session has ended. Log in again.";

testLooks("a refusal says when to try again", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  for (let count = 0; count < 10; count++) {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ login, password: `wrong ${count}` });
    await (await fetch(`${site.service.url}/session/`, { method: "POST", headers, body })).body?.cancel();
  }
  const refused = ["429 POST session/", "503 POST session/", "503 POST session/"];
  const turns = [["/problem/overloaded", busy], ["about:blank", unreachable]] as const;
  await visit(browser, { url: site.url, ...look, refused }, async ({ page, say }) => {
    const answers = turns.map(([type]) => ({ status: 503, headers: { "retry-after": "3" }, json: { type } }));
    // The first goes to the service.
    await answerInTurn(page, "**/session/", [undefined, ...answers]);
    await page.getByLabel(say("Login"), { exact: true }).fill(login);
    await page.getByLabel(say("Password"), { exact: true }).fill(password);
    const alert = page.getByRole("alert");
    await page.keyboard.press("Enter");
    await alert.getByText(say("Too many wrong attempts.")).waitFor();
    assertMatch(
      await alert.textContent() ?? "",
      look.language === "en" ? /in \d+ minutes?\.$/ : /через \d+ минут[ыу]?\.$/,
    );
    for (const [, text] of turns) {
      await page.keyboard.press("Enter");
      const when = { en: "in 3 seconds", ru: "через 3 секунды" }[look.language];
      await alert.getByText(`${say(text)} ${say("Try again {when}.", { when })}`).waitFor();
    }
  });
});

testLooks("a registration that is refused for load or limits says so", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  const refused = ["503 POST user/", "429 POST user/"];
  const turns = [
    [503, "overloaded", busy],
    [429, "too-many-registrations", "Too many registrations from your address."],
  ] as const;
  await visit(browser, { url: site.url, path: "#register", ...look, refused }, async ({ page, say }) => {
    const headers = { "retry-after": "120" };
    const answers = turns.map(([status, code]) => ({ status, headers, json: { type: `/problem/${code}` } }));
    await answerInTurn(page, "**/user/", answers);
    await page.getByLabel(say("Login"), { exact: true }).fill(login);
    await page.getByLabel(say("Password"), { exact: true }).fill(password);
    for (const [, , text] of turns) {
      await page.keyboard.press("Enter");
      const when = { en: "in 2 minutes", ru: "через 2 минуты" }[look.language];
      await page.getByRole("alert").getByText(`${say(text)} ${say("Try again {when}.", { when })}`).waitFor();
    }
    // What was typed is there, and goes through when there is room.
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
  });
});

test("without a network the page says so, and works again with one", async ({ site, browser }) => {
  await site.addUser("offline");
  await visit(browser, { url: site.url }, async ({ page, context }) => {
    await page.getByLabel("Login", { exact: true }).fill("offline");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await context.setOffline(true);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText(unreachable).waitFor();
    await page.getByRole("button", { name: "Русский" }).click();
    await page.getByRole("status").getByText(unreachable).waitFor();
    assertEquals(await page.getByLabel("Login", { exact: true }).inputValue(), "offline");
    await context.setOffline(false);
    await page.getByLabel("Password", { exact: true }).press("Enter");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
  });
});

test("a view that cannot be loaded has a button to try again", async ({ site, browser }) => {
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#account", token }, async ({ page, context }) => {
    await context.setOffline(true);
    await page.getByRole("link", { name: "Status", exact: true }).click();
    await page.getByRole("heading", { name: "Something went wrong" }).waitFor();
    await page.getByRole("alert").getByText(unreachable).waitFor();
    const again = page.getByRole("button", { name: "Try again" });
    await Promise.all([page.waitForEvent("requestfailed"), again.click()]);
    // A page that is loaded again without a network is gone.
    await page.getByRole("alert").getByText(unreachable).waitFor();
    await context.setOffline(false);
    await again.click();
    await page.getByRole("heading", { name: "Service status" }).waitFor();
  });
});

test("without the strength meter the service still checks passwords", async ({ site, browser }) => {
  const refused = ["422 POST user/"];
  await visit(browser, { url: site.url, path: "#register", refused }, async ({ page }) => {
    await page.route("**/zxcvbn.js", (route) => route.abort());
    await page.getByLabel("Login", { exact: true }).fill("judged");
    const asked = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/zxcvbn.js"));
    await page.getByLabel("Password", { exact: true }).fill("qwertyuiopasdfgh");
    await asked;
    await page.keyboard.press("Enter");
    await page.locator("#register-password-error").getByText("Easy to guess").waitFor();
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
  });
});

test("a dialog whose session was ended elsewhere gives way to the login", async ({ site, browser }) => {
  await site.admin();
  await site.addUser("victim");
  for (
    const [opener, act, refused] of [
      ["Invite someone…", "Make a link", "401 POST ticket/"],
      ["Manage victim", "Make a reset link", "401 POST ticket/"],
      ["Manage victim", "Save groups", "401 PATCH user/victim"],
    ] as const
  ) {
    const token = await site.logIn("root");
    await visit(browser, { url: site.url, path: "#users", token, refused: [refused] }, async ({ page }) => {
      await page.getByRole("button", { name: opener }).click();
      await page.getByRole("dialog").locator(opener === "Manage victim" ? ".sessions li" : "input").first().waitFor();
      await site.ask(token, "DELETE", "/session/");
      await page.getByRole("button", { name: act }).click();
      await page.getByRole("status").getByText(ended).waitFor();
      const heading = `Log in to ${new URL(site.url).host}`;
      assertEquals([await page.getByRole("dialog").count(), await focusedName(page)], [0, heading]);
    });
  }
});

test("a deletion whose session was ended elsewhere gives way to the login", async ({ site, browser }) => {
  await site.admin();
  await site.addUser("spared");
  const token = await site.logIn("root");
  const refused = ["401 DELETE user/spared"];
  await visit(browser, { url: site.url, path: "#users", token, refused }, async ({ page }) => {
    await page.getByRole("button", { name: "Manage spared" }).click();
    await page.getByRole("button", { name: "Delete…" }).click();
    await site.ask(token, "DELETE", "/session/");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("status").getByText(ended).waitFor();
    assertEquals(await page.getByRole("dialog").count(), 0);
  });
  assertEquals((await site.ask(await site.admin(), "GET", "/user/spared")).login, "spared");
});

test("a step-up whose session was ended elsewhere gives way to the login", async ({ site, browser }) => {
  await site.addUser("stepping");
  const token = await site.logIn("stepping");
  const refused = ["403 POST user/stepping/app-password/", "401 POST session/authentication/"];
  await visit(browser, { url: site.url, token, refused }, async ({ page }) => {
    const body = JSON.stringify({ type: "/problem/login-again", status: 403, needs: ["password"] });
    await page.route("**/app-password/", (route) => route.fulfill({ status: 403, body }));
    await page.getByRole("button", { name: "Make an app password…" }).click();
    await page.keyboard.type("Git");
    await page.keyboard.press("Enter");
    await page.getByLabel("Your password").fill(password);
    await site.ask(token, "DELETE", "/session/");
    await page.keyboard.press("Enter");
    await page.getByRole("status").getByText(ended).waitFor();
    assertEquals(await page.getByRole("dialog").count(), 0);
  });
});

test("Back closes a dialog with its view", async ({ site, browser }) => {
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#settings", token }, async ({ page }) => {
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByRole("button", { name: "Invite someone…" }).click();
    await page.getByRole("dialog").waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    assertEquals(await page.getByRole("dialog").count(), 0);
    await page.goForward();
    await page.getByRole("heading", { name: "Users" }).waitFor();
  });
});

test("a page that Back restores from memory is loaded again", async ({ site, browser }) => {
  await site.addUser("returned");
  const token = await site.logIn("returned");
  await visit(browser, { url: site.url, token }, async ({ page }) => {
    await site.ask(token, "DELETE", "/session/");
    // As "back" does, which this browser leaves out when it is driven by a program.
    await page.evaluate(() => dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true })));
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  });
});

/**
 * Answers the requests to an address in the place of the service, in this order; it answers itself where there is none.
 * One route for all: a request that is sent while a route is set up or taken down may miss it.
 */
async function answerInTurn(page: Page, url: string, answers: readonly (Answer | undefined)[]): Promise<void> {
  const left = [...answers];
  await page.route(url, async (route) => {
    const answer = left.shift();
    if (answer === undefined) await route.fallback();
    else await route.fulfill(answer);
  });
}
