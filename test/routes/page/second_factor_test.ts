/** The authenticator app, recovery codes, app passwords and the step-up, in real Chromium through real Caddy. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { addAuthenticator, addTotp, logInByPassword, logOut, seeFactors, totpOf } from "../../support/page/factors.ts";
import { focusedId, focusedName, press, seeNoDialog, tabTo } from "../../support/page/focus.ts";
import { newPassword } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

const wrongCode =
  "Wrong or used code. Enter the next one that the app shows. If it fails too, check the clock of your phone.";
const wrongRecoveryCode = "This recovery code is wrong or used already. Enter another one of your list.";

testLooks(
  "a user sets up an authenticator app, and logs in with its code, by keyboard",
  async ({ site, browser }, { login, ...look }) => {
    await site.addUser(login);
    const refused = [`403 POST user/${login}/totp/`, "403 POST session/second-factor/"];
    const options = { url: site.url, ...look, token: await site.logIn(login), refused };
    await visit(browser, options, async ({ page, say, context }) => {
      const { keyboard } = page;
      await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(site.url).origin });
      await press(page, say("Set up…"));
      const dialog = page.getByRole("dialog", { name: say("Set up an authenticator app") });
      await dialog.getByRole("img", { name: say("QR code") }).waitFor();
      await keyboard.press("Escape");
      await seeNoDialog(page);
      assertEquals(await focusedName(page), say("Set up…"));
      await keyboard.press("Enter");
      const secret = await dialog.locator("code").textContent() ?? "";
      assertMatch(secret, /^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
      const uri = await dialog.getByRole("link").getAttribute("href");
      assert(uri?.startsWith(`otpauth://totp/Gatehouse:${login}?secret=${secret.replaceAll(" ", "")}`), `${uri}`);
      await tabTo(page, say("One-time code"));
      await keyboard.type(totpOf(secret, { ahead: 9 }));
      await keyboard.press("Enter");
      await dialog.getByText(say(wrongCode)).waitFor();
      const right = totpOf(secret);
      // As many apps show it. The wrong one is selected.
      await keyboard.type(`${right.slice(0, 3)} ${right.slice(3)}`);
      await keyboard.press("Enter");

      const codes = page.getByRole("dialog", { name: say("Your recovery codes") });
      await codes.getByText(say("They are shown only now: copy or print them.")).waitFor();
      const shown = await codes.locator("li").allTextContents();
      assertEquals(shown.length, 10);
      assertEquals(await focusedName(page), say("Copy codes"));
      await keyboard.press("Enter");
      await codes.getByText(say("Copied."), { exact: true }).waitFor();
      // deno-lint-ignore no-explicit-any -- of the browser
      const copied = await page.evaluate(() => (globalThis as any).navigator.clipboard.readText());
      assertEquals(copied.split(/\r?\n/), shown);
      await keyboard.press("Escape");
      await page.getByRole("status").getByText(say("The authenticator app is set up.")).waitFor();
      await page.getByText(say("Recovery codes left: {count}", { count: 10 })).waitFor();
      assertEquals((await page.locator("body").innerText()).includes(shown[0] ?? ""), false);
      assertEquals(await focusedName(page), say("Replace…"));

      await logOut(page, say);
      await logInByPassword(page, say, login);
      assertEquals(await focusedId(page), "second-factor-totp");
      await keyboard.type("000000");
      await keyboard.press("Enter");
      await page.getByText(say(wrongCode)).waitFor();
      await keyboard.type(totpOf(secret, { ahead: 1 }));
      await keyboard.press("Enter");
      await seeFactors(page, say, ["Password", "One-time code"]);
    });
  },
);

testLooks("a recovery code replaces a lost app once, by keyboard", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const { codes: [first = ""] } = await addTotp(site, { login, token: await site.logIn(login) });
  const refused = ["403 POST session/second-factor/"];
  await visit(browser, { url: site.url, ...look, refused }, async ({ page, say }) => {
    const { keyboard } = page;
    const enterCode = async () => {
      await logInByPassword(page, say, login);
      await press(page, say("Use a recovery code"));
      assertEquals(await focusedId(page), "second-factor-recovery_code");
      assertEquals(await page.getByLabel(say("One-time code")).isVisible(), false);
      await keyboard.type(first.toLowerCase());
      await keyboard.press("Enter");
    };
    await enterCode();
    const dialog = page.getByRole("dialog", { name: say("You have used a recovery code") });
    await dialog.getByText(say("Recovery codes left: {count}", { count: 9 })).waitFor();
    await keyboard.press("Enter");
    await seeFactors(page, say, ["Password", "Recovery code"]);
    await logOut(page, say);
    await enterCode();
    await page.getByText(say(wrongRecoveryCode)).waitFor();
    await press(page, say("Use another way"));
    assertEquals(await focusedId(page), "second-factor-totp");
    await press(page, say("Back to the login"));
    await page.getByRole("heading", { name: say("Log in to {site}"), exact: true }).waitFor();
  });
});

testLooks("new recovery codes replace the old ones, by keyboard", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const token = await site.logIn(login);
  const { codes } = await addTotp(site, { login, token });
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    await press(page, say("Make new codes…"));
    assertEquals(await focusedName(page), say("Make new codes"));
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: say("Your recovery codes") });
    await dialog.waitFor();
    const shown = await dialog.locator("li").allTextContents();
    assertEquals([shown.length, shown.filter((code) => codes.includes(code))], [10, []]);
    // On paper there is nothing but the dialog.
    await page.evaluate("print = () => printed = true");
    await press(page, say("Print"));
    assertEquals(await page.evaluate("printed"), true);
    await page.emulateMedia({ media: "print" });
    assertEquals(await dialog.locator("li").first().isVisible(), true);
    assertEquals(await page.locator("main").isVisible(), false);
    assertEquals(await dialog.getByRole("button").count(), 0);
    await page.emulateMedia({ media: "screen" });
    await press(page, say("Close"));
    await seeNoDialog(page);
    assertEquals(await focusedName(page), say("Make new codes…"));
  });
});

testLooks("an app password is shown once, and deleted, by keyboard", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const refused = [`422 POST user/${login}/app-password/`];
  const token = await site.logIn(login);
  await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
    const { keyboard } = page;
    await press(page, say("Make an app password…"));
    assertEquals(await focusedId(page), "ask-name");
    // A character that no name has.
    await page.locator("#ask-name").fill("a\u0007b");
    await keyboard.press("Enter");
    await page.locator("#ask-name-error").getByText(say("No tabs, line breaks or other control characters.")).waitFor();
    await keyboard.type("Thunderbird");
    await keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: say("Your app password") });
    const secret = await dialog.getByLabel(say("App password"), { exact: true }).inputValue();
    assert(secret.length > 22);
    assertEquals(await focusedName(page), say("Copy password"));
    await keyboard.press("Escape");
    await page.locator(".credentials strong").getByText("Thunderbird", { exact: true }).waitFor();
    assertEquals(await focusedName(page), say("Make an app password…"));
    assertEquals((await page.locator("html").innerHTML()).includes(secret), false);
    await press(page, say("Delete {name}", { name: "Thunderbird" }));
    await press(page, say("Delete"));
    await page.getByRole("status").getByText(say("The app password is deleted.")).waitFor();
  });
});

testLooks(
  "long after the login, a change asks for the code, by keyboard",
  async ({ site, browser }, { login, ...look }) => {
    await site.addUser(login);
    const token = await site.logIn(login);
    const { secret } = await addTotp(site, { login, token });
    const late = `403 POST user/${login}/recovery-code/`;
    const refused = [late, late, "403 POST session/authentication/"];
    await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
      // As the service answers after ten minutes.
      const body = JSON.stringify({ type: "/problem/login-again", status: 403, needs: ["totp", "recovery"] });
      await page.route("**/recovery-code/", (route) => route.fulfill({ status: 403, body }), { times: 2 });
      await press(page, say("Make new codes…"));
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog", { name: say("Confirm it is you"), exact: true });
      await dialog.waitFor();
      assertEquals(await dialog.getByLabel(say("Your password")).isVisible(), false);
      await page.keyboard.press("Escape");
      await page.getByRole("alert").getByText(say("Log in again to confirm.")).waitFor();
      assertEquals(await focusedName(page), say("Make new codes"));
      await page.keyboard.press("Enter");
      await dialog.waitFor();
      assertEquals(await focusedId(page), "log-in-again-totp");
      await page.keyboard.type("000000");
      await page.keyboard.press("Enter");
      await dialog.getByText(say(wrongCode)).waitFor();
      await page.keyboard.type(totpOf(secret, { ahead: 1 }));
      await page.keyboard.press("Enter");
      await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
    });
  },
);

for (const [way, path] of [["Continue", "session/second-factor/"], ["Use a passkey", "session/passkey/options/"]]) {
  test(`a login that waits too long starts again: ${way}`, async ({ site, browser }) => {
    const refused = [`403 POST ${path}`];
    await visit(browser, { url: site.url, refused }, async ({ page, say }) => {
      await addAuthenticator(page);
      await page.reload();
      const json = { next: ["passkey", "totp"], login_token: "none" };
      await page.route("**/session/", (route) => route.fulfill({ status: 202, json }), { times: 1 });
      await logInByPassword(page, say, "slow");
      const body = JSON.stringify({ type: "/problem/login-token-invalid", status: 403 });
      await page.route(`**/${path}`, (route) => route.fulfill({ status: 403, body }));
      await page.keyboard.type("000000");
      await press(page, way ?? "");
      await page.getByRole("status").getByText("The login took too long. Log in again.").waitFor();
      await page.getByRole("heading", { name: "Log in to" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Log in to" }).waitFor();
    });
  });
}

test("a new password by a ticket leads to the second factor", async ({ site, browser }) => {
  await site.addUser("forgetful");
  const { secret } = await addTotp(site, { login: "forgetful", token: await site.logIn("forgetful") });
  const body = { purpose: "reset", login: "forgetful" };
  const { ticket } = await site.ask(await site.admin(), "POST", "/ticket/", body);
  const path = `#${new URLSearchParams({ reset: String(ticket), login: "forgetful" })}`;
  await visit(browser, { url: site.url, path }, async ({ page }) => {
    await page.getByLabel("New password", { exact: true }).fill(newPassword);
    await page.keyboard.press("Enter");
    await page.getByLabel("One-time code").fill(totpOf(secret, { ahead: 1 }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
  });
});

testLooks("an administrator removes the factors of a user, by keyboard", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  await site.addUser(login);
  await addTotp(site, { login, token: await site.logIn(login) });
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#users", ...look, token }, async ({ page, say }) => {
    await press(page, say("Manage {login}", { login }));
    const dialog = page.getByRole("dialog", { name: login });
    const left = say("Recovery codes left: {count}", { count: 10 });
    await dialog.getByText(`${say("Authenticator app")} · ${left}`).waitFor();
    await press(page, say("Remove the factors…"));
    assertEquals(await focusedName(page), say("Cancel"));
    await press(page, say("Remove"));
    await dialog.getByText(say("The factors are removed.")).waitFor();
    assertEquals(await dialog.getByRole("button", { name: say("Remove the factors…") }).count(), 0);
    assertEquals(await focusedName(page), say("None."));
    await page.keyboard.press("Escape");
    await seeNoDialog(page);
    assertEquals(await focusedName(page), say("Manage {login}", { login }));
  });
  assert((await site.logIn(login)).length > 40);
});
