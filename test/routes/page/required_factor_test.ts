/** Where the policy requires a second factor, in real Chromium through real Caddy. */
import { assertEquals } from "@std/assert";
import { addAuthenticator, addTotp, totpOf } from "../../support/page/factors.ts";
import { password, startSite } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite(() => startSite({ GATEHOUSE_SECOND_FACTOR: "all" }));

testLooks("a user who must have a second factor sets one up", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const refused = [`401 GET user/${login}`];
  await visit(browser, { url: site.url, ...look, refused }, async ({ page, say }) => {
    await addAuthenticator(page);
    await page.reload();
    await page.getByLabel(say("Login"), { exact: true }).fill(login);
    await page.getByLabel(say("Password"), { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Set up a second factor"), exact: true }).waitFor();
    assertEquals(await page.getByRole("heading", { level: 2 }).allTextContents(), [
      say("Passkeys"),
      say("Authenticator app"),
    ]);
    await page.getByRole("button", { name: say("Add a passkey…") }).click();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
  });
});

testLooks(
  "the last second factor that is required stays, and can be replaced",
  async ({ site, browser }, { login, ...look }) => {
    await site.addUser(login);
    const token = await site.logIn(login);
    await addTotp(site, { login, token });
    const id = await site.ask(token, "GET", `/user/${login}/credential/`).then(({ credentials }) =>
      (credentials as { id: string }[])[0]?.id
    );
    const refused = [`409 DELETE user/${login}/credential/${id}`];
    await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
      const name = say("Authenticator app");
      await page.getByRole("button", { name: say("Delete {name}", { name }) }).click();
      await page.getByRole("button", { name: say("Delete"), exact: true }).click();
      const problem = say("You need a second factor here, so the last one cannot be deleted.");
      await page.getByRole("alert").getByText(problem).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: say("Replace…") }).click();
      const dialog = page.getByRole("dialog", { name: say("Set up an authenticator app") });
      await dialog.getByLabel(say("One-time code")).fill(totpOf(await dialog.locator("code").textContent() ?? ""));
      await page.keyboard.press("Enter");
      await page.getByRole("status").getByText(say("The authenticator app is set up.")).waitFor();
      assertEquals(await page.locator("[data-kind=totp] li").count(), 1);
    });
  },
);

test("the first administrator sets one up, and then administers", async ({ site, browser }) => {
  const path = await site.service.logged(/(#ticket=\S+)/);
  await visit(browser, { url: site.url, path, refused: ["401 GET user/grace"] }, async ({ page }) => {
    await addAuthenticator(page);
    await page.getByLabel("Login", { exact: true }).fill("grace");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Set up a second factor", exact: true }).waitFor();
    await page.getByRole("button", { name: "Add a passkey…" }).click();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Your recovery codes" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByLabel("Link", { exact: true }).waitFor();
  });
});
