/** Links with tickets, and tickets that are typed, in real Chromium through real Caddy. */
import { assertEquals } from "@std/assert";
import { focusedId } from "../../support/page/focus.ts";
import { newPassword, password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { testLooks } = pageSuite();

testLooks(
  "a link with a ticket registers once, and is removed from the address bar",
  async ({ site, browser }, options) => {
    const { login, ...look } = options;
    const { ticket: code } = await site.ask(await site.admin(), "POST", "/ticket/", { purpose: "register", login });
    const path = `#${new URLSearchParams({ ticket: String(code), login })}`;
    for (const refused of [[], ["403 POST user/"]]) {
      await visit(browser, { url: site.url, path, ...look, refused }, async ({ page, say }) => {
        assertEquals(new URL(page.url()).hash, "#register");
        const [name, field] = [page.locator("#register-login"), page.locator("#register-ticket")];
        assertEquals([await name.inputValue(), await field.inputValue()], [login, String(code)]);
        await page.getByText(say("You are invited to {site}.")).waitFor();
        assertEquals([await field.isVisible(), await page.locator("[name=have-ticket]").isVisible()], [false, false]);
        if (refused.length > 0) await page.getByLabel(say("Login"), { exact: true }).fill(`${login}-2`);
        await page.getByLabel(say("Password"), { exact: true }).fill(password);
        await page.getByRole("button", { name: say("Register"), exact: true }).click();
        if (refused.length === 0) {
          await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
        } else {
          const text = "This ticket is not valid: it is used, expired, or for another login.";
          await page.locator("#register-ticket-error").getByText(say(text)).waitFor();
          assertEquals(await focusedId(page), "register-ticket");
          assertEquals(await field.inputValue(), String(code));
        }
      });
    }
  },
);

testLooks("a reset link sets a password", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const { ticket: code } = await site.ask(await site.admin(), "POST", "/ticket/", { purpose: "reset", login });
  const path = `#${new URLSearchParams({ reset: String(code), login })}`;
  const refused = ["422 PUT user/" + login + "/password"];
  await visit(browser, { url: site.url, path, ...look, refused }, async ({ page, say }) => {
    assertEquals(new URL(page.url()).hash, "#reset");
    await page.getByRole("heading", { name: say("Set a new password") }).waitFor();
    await page.getByText(say("Choose a new password for your account at {site}.")).waitFor();
    assertEquals(await page.getByText(say("You need a ticket from an administrator.")).isVisible(), false);
    assertEquals(await page.locator("#reset-ticket").isVisible(), false);
    const secret = page.getByLabel(say("New password"), { exact: true });
    await secret.fill(password);
    await page.getByRole("button", { name: say("Set password") }).click();
    await page.locator("#reset-password-error").getByText(say("Must differ from the current password.")).waitFor();
    await secret.fill(newPassword);
    await page.getByRole("button", { name: say("Set password") }).click();
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
  });
});

testLooks("a ticket that is typed sets a password", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  await site.addUser(login);
  const { ticket } = await site.ask(await site.admin(), "POST", "/ticket/", { purpose: "reset", login });
  const refused = [`403 PUT user/${login}/password`];
  await visit(browser, { url: site.url, ...look, refused }, async ({ page, say }) => {
    await page.getByRole("link", { name: say("Forgotten your password?") }).click();
    const name = page.getByLabel(say("Login"), { exact: true });
    await name.fill("../session");
    await page.getByLabel(say("Ticket"), { exact: true }).fill("none");
    await page.getByLabel(say("New password"), { exact: true }).fill(newPassword);
    await page.keyboard.press("Enter");
    const wrong = say("Only a–z, digits and . _ - @ +; the first is a letter or digit.");
    await page.locator("#reset-login-error").getByText(wrong).waitFor();
    await name.fill(login);
    await page.keyboard.press("Enter");
    const text = "This ticket is not valid: it is used, expired, or for another login.";
    await page.locator("#reset-ticket-error").getByText(say(text)).waitFor();
    assertEquals(await focusedId(page), "reset-ticket");
    await page.getByLabel(say("Ticket"), { exact: true }).fill(String(ticket));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
  });
});
