/** What an administrator does about open tickets on the page, in real Chromium through real Caddy. */
import { assertEquals, assertRejects } from "@std/assert";
import { focusedName } from "../../support/page/focus.ts";
import { startService } from "../../support/service.ts";
import { password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

test("the link that a start prints makes the first administrator", async ({ browser }) => {
  await using service = await startService();
  const link = await service.logged(/(http:\S+#ticket=\S+)/);
  const url = `${service.url}/`;
  await visit(browser, { url, path: link.slice(url.length) }, async ({ page }) => {
    await page.getByLabel("Login", { exact: true }).fill("grace");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your account", exact: true }).waitFor();
    await page.getByRole("link", { name: "Users" }).waitFor();
  });
});

testLooks("an administrator sees the open tickets, and revokes one", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  const admin = await site.admin();
  await site.addUser(login);
  const { tickets: old } = await site.ask(admin, "GET", "/ticket/") as { tickets: { id: string }[] };
  for (const { id } of old) await site.ask(admin, "DELETE", `/ticket/${id}`);
  const codes: unknown[] = [];
  const wanted = [{ purpose: "register" }, { purpose: "register", login: "carol" }, { purpose: "reset", login }];
  for (const body of wanted) codes.push((await site.ask(admin, "POST", "/ticket/", body)).ticket);
  await visit(browser, { url: site.url, path: "#users", ...look, token: admin }, async ({ page, say }) => {
    await page.getByRole("button", { name: say("Open tickets…") }).click();
    const dialog = page.getByRole("dialog", { name: say("Open tickets"), exact: true });
    const names = [
      say("Registration of anyone"),
      say("Registration of {login}", { login: "carol" }),
      say("New password of {login}", { login }),
    ];
    await dialog.locator("li").nth(2).waitFor();
    assertEquals(await dialog.locator("strong").allTextContents(), names);
    assertEquals(
      await dialog.locator("[data-name=maker]").allTextContents(),
      names.map(() => say("Made by {maker}", { maker: "root" })),
    );
    const until = await dialog.locator("li").first().locator(".hint").last().textContent();
    const tomorrow = new Intl.DateTimeFormat({ en: "en-GB", ru: "ru-RU" }[look.language], { dateStyle: "medium" })
      .format(new Date(Date.now() + 24 * 60 * 60 * 1_000)).replaceAll(" ", "\u00a0");
    assertEquals(until?.startsWith(say("Valid until {expires}", { expires: tomorrow })), true, `${until}`);

    await dialog.getByRole("button", { name: say("Revoke: {what}", { what: names[1] ?? "" }) }).click();
    await dialog.getByText(say("The ticket is revoked.")).waitFor();
    assertEquals(await dialog.locator("strong").allTextContents(), [names[0], names[2]]);
    assertEquals(await focusedName(page), say("Revoke: {what}", { what: names[2] ?? "" }));
    for (const index of [2, 0]) {
      await dialog.getByRole("button", { name: say("Revoke: {what}", { what: names[index] ?? "" }) }).click();
    }
    await dialog.getByText(say("None."), { exact: true }).waitFor();
    assertEquals(await focusedName(page), say("Close"));
    await page.keyboard.press("Escape");
    assertEquals(await focusedName(page), say("Open tickets…"));
  });
  for (const code of codes) await assertRejects(() => site.addUser("carol", String(code)));
});

test("the open tickets come by pages, and one that is gone meanwhile is no fault", async ({ site, browser }) => {
  const admin = await site.admin();
  const { tickets: old } = await site.ask(admin, "GET", "/ticket/") as { tickets: { id: string }[] };
  for (const { id } of old) await site.ask(admin, "DELETE", `/ticket/${id}`);
  const ids: string[] = [];
  for (let count = 0; count < 52; count++) {
    ids.push(String((await site.ask(admin, "POST", "/ticket/", { purpose: "register", login: `guest-${count}` })).id));
  }
  const refused = [`404 DELETE ticket/${ids[0]}`];
  await visit(browser, { url: site.url, path: "#users", token: admin, refused }, async ({ page }) => {
    await page.getByRole("button", { name: "Open tickets…" }).click();
    const items = page.locator("dialog li");
    await items.nth(49).waitFor();
    assertEquals(await items.count(), 50);
    await page.locator("dialog").getByRole("button", { name: "Show more" }).click();
    await items.nth(51).waitFor();
    assertEquals(await page.locator("dialog").getByRole("button", { name: "Show more" }).isVisible(), false);
    assertEquals(await focusedName(page), "Revoke: Registration of guest-50");
    await site.ask(admin, "DELETE", `/ticket/${ids[0]}`);
    await page.getByRole("button", { name: "Revoke: Registration of guest-0", exact: true }).click();
    await page.getByText("The ticket is revoked.").waitFor();
    assertEquals(await items.count(), 51);
  });
  for (const id of ids.slice(1)) await site.ask(admin, "DELETE", `/ticket/${id}`);
});

test("an administrator whose session has ended is told so at the open tickets", async ({ site, browser }) => {
  await site.admin();
  const token = await site.logIn("root");
  const refused = ["401 GET ticket/?limit=50&after="];
  await visit(browser, { url: site.url, path: "#users", token, refused }, async ({ page }) => {
    await site.ask(token, "DELETE", "/session/");
    await page.getByRole("button", { name: "Open tickets…" }).click();
    await page.getByText("Your session has ended. Log in again.").waitFor();
    assertEquals(await page.getByRole("dialog").count(), 0);
  });
});

testLooks(
  "a reset link for an administrator wants the password of who logged in a while ago",
  async (scene, options) => {
    const { site, browser } = scene;
    const { login, ...look } = options;
    const admin = await site.admin();
    await site.addUser(login);
    await site.ask(admin, "PATCH", `/user/${login}`, { groups: ["admin"] });
    const refused = ["403 POST ticket/", "403 POST ticket/"];
    const opening = { url: site.url, path: "#users", ...look, token: admin, refused };
    await visit(browser, opening, async ({ page, say }) => {
      // As after ten minutes, until the user has logged in again.
      const late = { isOver: false };
      await page.route("**/ticket/", async (route) => {
        if (late.isOver) return await route.continue();
        const body = JSON.stringify({ type: "/problem/login-again", status: 403, needs: ["password"] });
        await route.fulfill({ status: 403, contentType: "application/problem+json", body });
      });
      page.on("response", (response) => {
        if (response.url().endsWith("/session/authentication/") && response.ok()) late.isOver = true;
      });
      await page.getByLabel(say("Login contains")).fill(login);
      await page.getByRole("button", { name: say("Manage {login}", { login }), exact: true }).click();
      await page.getByRole("button", { name: say("Make a reset link") }).click();
      const again = page.getByRole("dialog", { name: say("Confirm it is you"), exact: true });
      await again.getByRole("button", { name: say("Cancel") }).click();
      await page.getByRole("dialog").getByText(say("Log in again to confirm.")).waitFor();
      await page.getByRole("button", { name: say("Make a reset link") }).click();
      await again.getByLabel(say("Your password"), { exact: true }).fill(password);
      await page.keyboard.press("Enter");
      await page.getByLabel(say("Link"), { exact: true }).waitFor();
      assertEquals(await again.count(), 0);
    });
    await site.ask(admin, "DELETE", `/user/${login}`);
  },
);
