/** The authenticator app, recovery codes, app passwords and the step-up, in real Chromium through real Caddy. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { addTotp, totpOf } from "../../support/page/factors.ts";
import { focusedId, focusedName, tabTo } from "../../support/page/focus.ts";
import { newPassword, password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { type Visit, visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

testLooks(
  "a user sets up an authenticator app, and logs in with its code, by keyboard",
  async ({ site, browser }, { login, ...look }) => {
    await site.addUser(login);
    const refused = [`403 POST user/${login}/totp/`, "403 POST session/second-factor/"];
    const options = { url: site.url, ...look, token: await site.logIn(login), refused };
    await visit(browser, options, async ({ page, say, context }) => {
      const { keyboard } = page;
      await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(site.url).origin });
      await tabTo(page, say("Set up…"));
      await keyboard.press("Enter");
      const dialog = page.getByRole("dialog", { name: say("Set up an authenticator app") });
      const secret = await dialog.locator("code").textContent() ?? "";
      assertMatch(secret, /^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
      const uri = await dialog.getByRole("link").getAttribute("href");
      assert(uri?.startsWith(`otpauth://totp/Gatehouse:${login}?secret=${secret.replaceAll(" ", "")}`), `${uri}`);
      await dialog.getByRole("img", { name: say("QR code") }).waitFor();
      const code = dialog.getByLabel(say("One-time code"));
      await code.fill(totpOf(secret, { ahead: 9 }));
      await keyboard.press("Enter");
      await dialog.getByRole("alert").getByText(say("The code or the passkey is wrong.")).waitFor();
      const right = totpOf(secret);
      // As many apps show it.
      await code.fill(`${right.slice(0, 3)} ${right.slice(3)}`);
      await keyboard.press("Enter");

      const codes = page.getByRole("dialog", { name: say("Your recovery codes") });
      await codes.waitFor();
      const shown = await codes.locator("li").allTextContents();
      assertEquals(shown.length, 10);
      await codes.getByRole("button", { name: say("Copy codes") }).click();
      await codes.getByText(say("Copied."), { exact: true }).waitFor();
      // deno-lint-ignore no-explicit-any -- of the browser
      const copied = await page.evaluate(() => (globalThis as any).navigator.clipboard.readText());
      assertEquals(copied.split(/\r?\n/), shown);
      await keyboard.press("Escape");
      await page.getByRole("status").getByText(say("The authenticator app is set up.")).waitFor();
      await page.getByText(say("Recovery codes left: {count}", { count: 10 })).waitFor();
      assertEquals((await page.locator("body").innerText()).includes(shown[0] ?? ""), false);

      await startLogin(page, say, login);
      assertEquals(await focusedId(page), "second-factor-totp");
      await keyboard.type("000000");
      await keyboard.press("Enter");
      await page.getByRole("alert").getByText(say("The code or the passkey is wrong.")).waitFor();
      await page.getByLabel(say("One-time code")).fill(totpOf(secret, { ahead: 1 }));
      await keyboard.press("Enter");
      await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
      const factors = ["Password", "One-time code"].map((name) => say(name)).join(", ");
      await page.getByText(say("Proved by: {factors}", { factors }), { exact: true }).waitFor();
    });
  },
);

testLooks("a recovery code replaces a lost app once", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const { codes: [first = ""] } = await addTotp(site, { login, token: await site.logIn(login) });
  const refused = ["403 POST session/second-factor/"];
  await visit(browser, { url: site.url, ...look, refused }, async ({ page, say }) => {
    const { keyboard } = page;
    const enterCode = async () => {
      await page.getByRole("heading", { name: say("Confirm it is you"), exact: true }).waitFor();
      await tabTo(page, say("Use a recovery code"));
      await keyboard.press("Enter");
      assertEquals(await focusedId(page), "second-factor-recovery_code");
      assertEquals(await page.getByLabel(say("One-time code")).isVisible(), false);
      await keyboard.type(first.toLowerCase());
      await keyboard.press("Enter");
    };
    await logIn(page, say, login);
    await enterCode();
    const dialog = page.getByRole("dialog", { name: say("You have used a recovery code") });
    await dialog.getByText(say("Recovery codes left: {count}", { count: 9 })).waitFor();
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
    await startLogin(page, say, login);
    await enterCode();
    await page.getByRole("alert").getByText(say("The code or the passkey is wrong.")).waitFor();
    await tabTo(page, say("Use another way"));
    await keyboard.press("Enter");
    assertEquals(await focusedId(page), "second-factor-totp");
    await tabTo(page, say("Back to the login"));
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Log in to {site}"), exact: true }).waitFor();
  });
});

testLooks("new recovery codes replace the old ones", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const token = await site.logIn(login);
  const { codes } = await addTotp(site, { login, token });
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    await page.getByRole("button", { name: say("Make new codes…") }).click();
    await page.getByRole("button", { name: say("Make new codes"), exact: true }).click();
    const dialog = page.getByRole("dialog", { name: say("Your recovery codes") });
    await dialog.waitFor();
    const shown = await dialog.locator("li").allTextContents();
    assertEquals([shown.length, shown.filter((code) => codes.includes(code))], [10, []]);
    // On paper there is nothing but the dialog.
    await page.emulateMedia({ media: "print" });
    assertEquals([await dialog.locator("li").first().isVisible(), await page.locator("main").isVisible()], [
      true,
      false,
    ]);
    assertEquals(await dialog.getByRole("button").count(), 0);
    await page.emulateMedia({ media: "screen" });
    await dialog.getByRole("button", { name: say("Close") }).click();
  });
});

testLooks("an app password is shown once, and deleted", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const refused = [`422 POST user/${login}/app-password/`];
  const token = await site.logIn(login);
  await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
    await page.getByRole("button", { name: say("Make an app password…") }).click();
    await page.getByLabel(say("Name")).fill("a\u0007b");
    await page.keyboard.press("Enter");
    await page.locator("#ask-name-error").getByText(say("No tabs, line breaks or other control characters.")).waitFor();
    await page.getByLabel(say("Name")).fill("Thunderbird");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: say("Your app password") });
    const secret = await dialog.getByLabel(say("App password"), { exact: true }).inputValue();
    assert(secret.length > 22);
    assertEquals(await focusedName(page), say("Copy password"));
    await dialog.getByRole("button", { name: say("Close") }).click();
    await page.locator(".credentials strong").getByText("Thunderbird", { exact: true }).waitFor();
    assertEquals((await page.locator("html").innerHTML()).includes(secret), false);
    await page.getByRole("button", { name: say("Delete {name}", { name: "Thunderbird" }) }).click();
    await page.getByRole("button", { name: say("Delete"), exact: true }).click();
    await page.getByRole("status").getByText(say("The app password is deleted.")).waitFor();
  });
});

testLooks("long after the login, a change asks for the code", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const token = await site.logIn(login);
  const { secret } = await addTotp(site, { login, token });
  const refused = [`403 POST user/${login}/recovery-code/`, "403 POST session/authentication/"];
  await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
    // As the service answers after ten minutes.
    const body = JSON.stringify({ type: "/problem/login-again", status: 403, needs: ["totp", "recovery"] });
    await page.route("**/recovery-code/", (route) => route.fulfill({ status: 403, body }), { times: 1 });
    await page.getByRole("button", { name: say("Make new codes…") }).click();
    await page.getByRole("button", { name: say("Make new codes"), exact: true }).click();
    const dialog = page.getByRole("dialog", { name: say("Confirm it is you"), exact: true });
    const code = dialog.getByLabel(say("One-time code"));
    await code.waitFor();
    assertEquals(await dialog.getByLabel(say("Your password")).isVisible(), false);
    assertEquals(await focusedId(page), "log-in-again-totp");
    await page.keyboard.type("000000");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").getByText(say("The code or the passkey is wrong.")).waitFor();
    await code.fill(totpOf(secret, { ahead: 1 }));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
  });
});

test("a login that waits too long for its code starts again", async ({ site, browser }) => {
  await site.addUser("slow");
  await addTotp(site, { login: "slow", token: await site.logIn("slow") });
  const refused = ["403 POST session/second-factor/"];
  await visit(browser, { url: site.url, refused }, async ({ page, say }) => {
    await logIn(page, say, "slow");
    const body = JSON.stringify({ type: "/problem/login-token-invalid", status: 403 });
    await page.route("**/second-factor/", (route) => route.fulfill({ status: 403, body }));
    await page.getByLabel("One-time code").fill("000000");
    await page.keyboard.press("Enter");
    await page.getByRole("status").getByText("The login took too long. Log in again.").waitFor();
    await page.getByRole("heading", { name: "Log in to" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Log in to" }).waitFor();
  });
});

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

testLooks("an administrator removes the factors of a user", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  await addTotp(site, { login, token: await site.logIn(login) });
  const options = { url: site.url, path: "#users", ...look, token: await site.admin() };
  await visit(browser, options, async ({ page, say }) => {
    await page.getByRole("button", { name: say("Manage {login}", { login }), exact: true }).click();
    const dialog = page.getByRole("dialog", { name: login });
    const left = say("Recovery codes left: {count}", { count: 10 });
    await dialog.getByText(`${say("Authenticator app")} · ${left}`).waitFor();
    await dialog.getByRole("button", { name: say("Remove the factors…") }).click();
    await page.getByRole("button", { name: say("Remove"), exact: true }).click();
    await dialog.getByText(say("The factors are removed.")).waitFor();
    assertEquals(await dialog.getByRole("button", { name: say("Remove the factors…") }).count(), 0);
  });
  assert((await site.logIn(login)).length > 40);
});

/** Logs out, and in again with the password. */
async function startLogin(page: Page, say: Visit["say"], login: string): Promise<void> {
  await page.getByRole("button", { name: say("Log out"), exact: true }).click();
  await logIn(page, say, login);
}

async function logIn(page: Page, say: Visit["say"], login: string): Promise<void> {
  await page.getByLabel(say("Login"), { exact: true }).fill(login);
  await page.getByLabel(say("Password"), { exact: true }).fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: say("Confirm it is you"), exact: true }).waitFor();
}
