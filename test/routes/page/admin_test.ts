/** What an administrator does on the page, in real Chromium through real Caddy. */
import { assert, assertEquals } from "@std/assert";
import { texts } from "../../../routes/page/russian_settings.js";
import { focusedName } from "../../support/page/focus.ts";
import { password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();
const russianMeanings: Readonly<Record<string, string>> = texts;

testLooks("an administrator searches the users and turns the pages", async ({ site, browser }, options) => {
  const { login: prefix, ...look } = options;
  const admin = await site.admin();
  for (let count = 0; count < 52; count++) await site.addUser(`${prefix}-${count}`);
  await site.ask(admin, "PATCH", `/user/${prefix}-0`, { groups: ["staff"], disabled: true });
  await visit(browser, { url: site.url, path: "#users", ...look, token: admin }, async ({ page, say }) => {
    const rows = page.locator("tbody tr");
    assertEquals(await rows.count(), 50);
    await page.getByLabel(say("Login contains")).fill(prefix.toUpperCase());
    await page.getByText({ en: "52 users", ru: "52 пользователя" }[look.language], { exact: true }).waitFor();
    assertEquals(await rows.count(), 50);
    const first = rows.first();
    assertEquals(await first.getByRole("rowheader").textContent(), `${prefix}-0`);
    const today = new Intl.DateTimeFormat({ en: "en-GB", ru: "ru-RU" }[look.language], { dateStyle: "medium" });
    assertEquals(await first.getByRole("cell").allInnerTexts(), [
      today.format(new Date()),
      "staff",
      say("Disabled"),
      say("Manage"),
    ]);
    await page.getByRole("button", { name: say("Show more") }).click();
    await rows.nth(51).waitFor();
    assertEquals(await page.getByRole("button", { name: say("Show more") }).isVisible(), false);
    assertEquals(await focusedName(page), say("Manage {login}", { login: `${prefix}-50` }));
    await page.getByLabel(say("Login contains")).fill("nobody-");
    await page.getByText({ en: "0 users", ru: "0 пользователей" }[look.language], { exact: true }).waitFor();
    assertEquals(await rows.count(), 0);
  });
});

testLooks(
  "an administrator finds users by any part of the login and by group, in each order",
  async (scene, options) => {
    const { site, browser } = scene;
    const { login: unique, ...look } = options;
    const admin = await site.admin();
    for (const name of ["zoe", "bob", "al"]) await site.addUser(`${name}-${unique}`);
    for (const name of ["zoe", "bob"]) {
      await site.ask(admin, "PATCH", `/user/${name}-${unique}`, { groups: [`group-${unique}`] });
    }
    const refused = ["422 GET user/?limit=50&contains=user-&group=a+b&sort=login"];
    await visit(browser, { url: site.url, path: "#users", ...look, token: admin, refused }, async ({ page, say }) => {
      const shown = async (...names: string[]) => {
        const wanted = names.map((name) => `${name}-${unique}`);
        const cells = page.locator("tbody th");
        for (let turn = 0; turn < 50 && `${await cells.allTextContents()}` !== `${wanted}`; turn++) {
          await page.waitForTimeout(100);
        }
        assertEquals(await cells.allTextContents(), wanted);
      };
      const logins = page.getByLabel(say("Login contains"));
      await logins.fill(` -${unique.toUpperCase()} `);
      await shown("zoe", "bob", "al");
      const order = page.getByLabel(say("Order"));
      await order.selectOption(say("By login"));
      await shown("al", "bob", "zoe");
      await order.selectOption(say("Newest first"));
      await shown("al", "bob", "zoe");
      const group = page.getByLabel(say("Group"), { exact: true });
      await group.fill(`Group-${unique}`);
      await shown("bob", "zoe");
      await order.selectOption(say("Oldest first"));
      await shown("zoe", "bob");
      await logins.fill(`o-${unique}`);
      await shown();
      await logins.fill(`e-${unique}`);
      await shown("zoe");
      // What is wrong is said at its field.
      await order.selectOption(say("By login"));
      await logins.fill("user-");
      await page.waitForResponse(/contains=user-/);
      await group.fill("a b");
      await page.getByText(say("Only a–z, digits and . _ -, at most 32 characters.")).waitFor();
      assertEquals(await group.getAttribute("aria-invalid"), "true");
      await group.fill("");
      await page.waitForResponse(/contains=user-&sort/);
      assertEquals(await group.getAttribute("aria-invalid"), null);
    });
  },
);

testLooks("an administrator invites somebody", async ({ site, browser }, { login, ...look }) => {
  const admin = await site.admin();
  const refused = ["422 POST ticket/"];
  const options = { url: site.url, path: "#users", ...look, token: admin, refused };
  const link = await visit(browser, options, async ({ page, say }) => {
    await page.getByRole("button", { name: say("Invite someone…") }).click();
    const dialog = page.getByRole("dialog", { name: say("Invite someone") });
    await dialog.getByLabel(say("Only for this login (optional)")).fill("b:ob");
    await page.keyboard.press("Enter");
    const wrong = say("Only a–z, digits and . _ - @ +; the first is a letter or digit.");
    await dialog.getByText(wrong).waitFor();
    await dialog.getByLabel(say("Only for this login (optional)")).fill(login);
    await page.keyboard.press("Enter");
    await dialog.getByLabel(say("Link"), { exact: true }).waitFor();
    const made = await dialog.getByLabel(say("Link"), { exact: true }).inputValue();
    await page.keyboard.press("Escape");
    assertEquals(await focusedName(page), say("Invite someone…"));
    return made;
  });
  assert(link.startsWith(`${site.url}#ticket=`));
  await visit(browser, { url: site.url, path: link.slice(site.url.length), ...look }, async (one) => {
    assertEquals(await one.page.getByLabel(one.say("Login"), { exact: true }).inputValue(), login);
    await one.page.getByLabel(one.say("Password"), { exact: true }).fill(password);
    await one.page.keyboard.press("Enter");
    await one.page.getByRole("heading", { name: one.say("Your account"), exact: true }).waitFor();
  });
});

testLooks("an administrator sees the settings in effect", async ({ site, browser }, { language, width }) => {
  const token = await site.admin();
  const { settings } = await site.ask(token, "GET", "/setting/") as { settings: Record<string, string>[] };
  await visit(browser, { url: site.url, language, width, token }, async ({ page, say }) => {
    await page.getByRole("link", { name: say("Settings") }).click();
    await page.getByRole("heading", { name: say("Settings") }).waitFor();
    const cells = page.locator("tbody tr:first-child code");
    assertEquals(await cells.allTextContents(), settings.flatMap((one) => [one.name, one.value, one.default]));
    const changed = settings.filter((one) => one.value !== one.default).map((one) => one.name);
    assert(changed.includes("GATEHOUSE_PBKDF2_ITERATIONS") && changed.length < settings.length, changed.join());
    assertEquals(await page.locator(".changed th").allTextContents(), changed);
    const meanings = settings.map(({ name = "", meaning = "" }) => language === "ru" ? russianMeanings[name] : meaning);
    const shown = await page.locator("tbody .hint").allTextContents();
    assertEquals(shown, meanings.map((text) => text?.replaceAll("`", "")));
    assertEquals(await page.getByRole("link", { name: say("Settings") }).getAttribute("aria-current"), "page");
  });
});

test("an administrator whose session has ended is told so at the next view", async ({ site, browser }) => {
  await site.admin();
  const token = await site.logIn("root");
  const refused = ["401 GET user/?limit=50&sort=registered_at"];
  await visit(browser, { url: site.url, token, refused }, async ({ page }) => {
    await site.ask(token, "DELETE", "/session/");
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByRole("status").getByText("Your session has ended. Log in again.").waitFor();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    assertEquals(await page.getByRole("navigation").count(), 0);
  });
});
