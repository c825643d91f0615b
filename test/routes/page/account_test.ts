/** The user's own account on the page, in real Chromium through real Caddy. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { focusedId, focusedName } from "../../support/page/focus.ts";
import { newPassword, password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

testLooks("a user sees the account and logs out", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  await site.ask(await site.admin(), "PATCH", `/user/${login}`, { groups: ["staff", "editors"] });
  const token = await site.logIn(login);
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say, context }) => {
    assertEquals(await page.title(), `${say("Your account")} · Gatehouse`);
    assertEquals(await page.locator("dd.login").textContent(), login);
    const today = new Intl.DateTimeFormat({ en: "en-GB", ru: "ru-RU" }[look.language], { dateStyle: "medium" });
    await page.getByText(today.format(new Date()), { exact: true }).waitFor();
    assertEquals(await page.locator("dd li").allTextContents(), ["staff", "editors"]);
    // There are no views to go to, as those of administrators are not there; and no site, as the page is at the root.
    assertEquals(await page.getByRole("navigation").count(), 0);
    assertEquals(await page.getByRole("link", { name: say("To the site") }).count(), 0);
    await page.getByRole("link", { name: "API" }).waitFor();
    await page.getByRole("button", { name: say("Log out"), exact: true }).click();
    await page.getByRole("status").getByText(say("You are logged out.")).waitFor();
    assertEquals(await focusedName(page), say("Log in to {site}"));
    assertEquals((await context.cookies()).map(({ name }) => name).filter((name) => name === "__Host-gatehouse"), []);
  });
});

testLooks("a user changes the password, and other sessions end", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const elsewhere = await site.logIn(login, firefox);
  const refused = [`403 PUT user/${login}/password`, `422 PUT user/${login}/password`];
  const token = await site.logIn(login, chrome);
  await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
    const current = page.getByLabel(say("Current password"), { exact: true });
    const next = page.getByLabel(say("New password"), { exact: true });
    await current.fill("what was it again");
    await next.fill(newPassword);
    await page.keyboard.press("Enter");
    const errors = page.locator(".error:not(:empty)");
    await errors.getByText(say("This is not your current password.")).waitFor();
    assertEquals(await focusedId(page), "password-current_password");
    await current.fill(password);
    await next.fill(password);
    await page.keyboard.press("Enter");
    await errors.getByText(say("Must differ from the current password.")).waitFor();
    await next.fill(newPassword);
    await page.keyboard.press("Enter");
    const done = say("The password is changed. All other sessions have ended.");
    await page.getByRole("status").getByText(done).waitFor();
    assertEquals(await page.locator(".sessions li").count(), 1);
  });
  await assertRejects(() => site.ask(elsewhere, "GET", "/session/"));
});

test("the form of a new password tells password managers the login", async ({ site, browser }) => {
  await site.addUser("managed");
  await visit(browser, { url: site.url, token: await site.logIn("managed") }, async ({ page }) => {
    const fields = page.locator("form[name=password] input");
    const found = await fields.evaluateAll((all) => all.map((one) => one.getAttribute("autocomplete")));
    assertEquals(found, ["username", "current-password", "new-password"]);
    assertEquals(await fields.first().inputValue(), "managed");
  });
});

test("dates have the format of the user's variant of English", async ({ site, browser }) => {
  await site.addUser("american");
  const token = await site.logIn("american");
  await visit(browser, { url: site.url, token, locale: "en-US" }, async ({ page }) => {
    const today = new Intl.DateTimeFormat("en-US", { dateStyle: "medium" });
    await page.locator("dd").getByText(today.format(new Date()), { exact: true }).waitFor();
  });
});

testLooks("a user ends one session, and then all", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  await site.logIn(login, firefox);
  const program = await site.logIn(login);
  const token = await site.logIn(login, chrome);
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    const sessions = page.locator(".sessions li");
    const names = await sessions.locator("strong").allTextContents();
    assertEquals([names[0], names.toSorted()], ["Chrome · Linux", ["Chrome · Linux", "Firefox · Windows", "curl"]]);
    assertEquals(await sessions.filter({ has: page.locator(".chip:visible") }).locator("strong").allTextContents(), [
      names[0],
    ]);
    assertEquals(await sessions.filter({ hasText: "127.0.0.1" }).count(), 3);
    await page.getByRole("button", {
      name: say("End session: {device}, {created}", { device: "Firefox · Windows", created: "" }),
    }).click();
    await page.getByRole("status").getByText(say("The session has ended.")).waitFor();
    assertEquals((await sessions.locator("strong").allTextContents()).toSorted(), ["Chrome · Linux", "curl"]);
    // Not at the top of the page, as another session may be to end.
    const next = say("End session: {device}, {created}", { device: "curl", created: "" });
    assert((await focusedName(page)).startsWith(next), next);
    await page.getByRole("button", { name: say("Log out on all devices") }).click();
    await page.getByRole("status").getByText(say("You are logged out on all devices.")).waitFor();
    await page.getByRole("heading", { name: say("Log in to {site}"), exact: true }).waitFor();
  });
  await assertRejects(() => site.ask(program, "GET", "/session/"));
});

testLooks("a user deletes the account, in two steps", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const token = await site.logIn(login);
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    const opener = page.getByRole("button", { name: say("Delete account…") });
    await opener.click();
    const dialog = page.getByRole("dialog", { name: say("Delete your account?") });
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assertEquals(await focusedName(page), say("Delete account…"));
    await opener.click();
    await dialog.getByLabel(say("Your login"), { exact: true }).fill("somebody");
    await page.keyboard.press("Enter");
    await dialog.getByText(say("This is not your login.")).waitFor();
    await dialog.getByLabel(say("Your login"), { exact: true }).fill(login);
    await dialog.getByRole("button", { name: say("Delete account"), exact: true }).click();
    await page.getByRole("status").getByText(say("Your account is deleted.")).waitFor();
    await page.getByRole("heading", { name: say("Log in to {site}"), exact: true }).waitFor();
  });
  await assertRejects(() => site.logIn(login));
});

testLooks("deleting the account long after the login asks for the password", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  await site.addUser(login);
  const token = await site.logIn(login);
  const refused = [`403 DELETE user/${login}`, "403 POST session/authentication/"];
  await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
    // As the service answers after ten minutes.
    const body = JSON.stringify({ type: "/problem/login-again", status: 403, needs: ["password"] });
    const answer = { status: 403, contentType: "application/problem+json", body };
    await page.route(`**/user/${login}`, async (route) => {
      if (route.request().method() === "DELETE") await route.fulfill(answer);
      else await route.fallback();
    }, { times: 1 });
    await page.getByRole("button", { name: say("Delete account…") }).click();
    await page.getByLabel(say("Your login"), { exact: true }).fill(login);
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: say("Confirm it is you"), exact: true });
    const secret = dialog.getByLabel(say("Your password"), { exact: true });
    await secret.fill("what was it again");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").getByText(say("This is not your current password.")).waitFor();
    await secret.fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("status").getByText(say("Your account is deleted.")).waitFor();
  });
  await assertRejects(() => site.logIn(login));
});

testLooks(
  "a session that was ended elsewhere leads to the login with a message",
  async ({ site, browser }, { login, ...look }) => {
    await site.addUser(login);
    const token = await site.logIn(login);
    const refused = [`401 PUT user/${login}/password`];
    await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
      await site.ask(await site.logIn(login), "DELETE", `/user/${login}/session/`);
      await page.getByLabel(say("Current password"), { exact: true }).fill(password);
      await page.getByLabel(say("New password"), { exact: true }).fill(newPassword);
      await page.keyboard.press("Enter");
      await page.getByRole("status").getByText(say("Your session has ended. Log in again.")).waitFor();
      await page.getByRole("heading", { name: say("Log in to {site}"), exact: true }).waitFor();
    });
  },
);

test("a link opened while another user is logged in asks to log out first", async ({ site, browser }) => {
  await site.addUser("here");
  const { ticket } = await site.ask(await site.admin(), "POST", "/ticket/", { purpose: "register" });
  const token = await site.logIn("here");
  await visit(browser, { url: site.url, path: `#ticket=${ticket}`, token }, async ({ page }) => {
    await page.getByText("You are logged in as here.").waitFor();
    await page.getByRole("main").getByRole("link", { name: "Your account" }).click();
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Log out and continue" }).click();
    await page.getByRole("heading", { name: "Create an account" }).waitFor();
    assertEquals(await page.locator("#register-ticket").inputValue(), ticket);
  });
});

test("a session that has ended before the visit leads to the login", async ({ site, browser }) => {
  await site.addUser("away");
  await visit(browser, { url: site.url, token: "01M81Q8RAFRWT8N2ZHDEH012P3.none" }, async ({ page }) => {
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  });
});
