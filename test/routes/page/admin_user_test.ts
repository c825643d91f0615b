/** What an administrator changes of one user on the page, in real Chromium through real Caddy. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { focusedName } from "../../support/page/focus.ts";
import { newPassword } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

testLooks("an administrator changes groups, disables and enables", async ({ site, browser }, { login, ...look }) => {
  const admin = await site.admin();
  await site.addUser(login);
  await site.logIn(login);
  const refused = [`422 PATCH user/${login}`];
  await visit(browser, { url: site.url, path: "#users", ...look, token: admin, refused }, async ({ page, say }) => {
    await manage(page, say, login);
    const dialog = page.getByRole("dialog", { name: login });
    const groups = dialog.getByLabel(say("Add groups"));
    const chips = dialog.locator(".chip:visible:has(button)");
    await groups.fill("Staff!");
    await page.keyboard.press("Enter");
    await dialog.getByText(say("At most 32 groups of a–z, digits and . _ -, each of at most 32 characters.")).waitFor();
    // What is typed becomes chips behind commas and spaces, in small letters.
    await groups.fill("");
    await groups.pressSequentially("Staff, Family  STAFF wiki,Edi");
    assertEquals([await chips.allTextContents(), await groups.inputValue()], [["staff×", "family×", "wiki×"], "Edi"]);
    await dialog.getByRole("button", { name: say("Remove {group}", { group: "wiki" }) }).click();
    assertEquals(await focusedName(page), say("Remove {group}", { group: "family" }));
    await page.keyboard.press("Enter");
    assertEquals(await chips.allTextContents(), ["staff×"]);
    await groups.press("End");
    await groups.pressSequentially("tors");
    await page.keyboard.press("Enter");
    await dialog.getByRole("status").getByText(say("The groups are saved.")).waitFor();
    assertEquals([await chips.allTextContents(), await groups.inputValue()], [["staff×", "editors×"], ""]);

    assertEquals(await dialog.locator(".sessions strong").allTextContents(), ["curl"]);
    await dialog.getByRole("button", { name: say("Disable"), exact: true }).click();
    await dialog.getByText(say("The account is disabled, and its sessions have ended.")).waitFor();
    assertEquals(await focusedName(page), say("Enable"));
    assertEquals(await dialog.locator(".sessions li").allTextContents(), [say("None.")]);
    await assertRejects(() => site.logIn(login));
    await dialog.getByRole("button", { name: say("Close"), exact: true }).click();
    const row = page.getByRole("row").filter({ hasText: login });
    await row.getByText(say("Disabled")).waitFor();
    assertEquals(await focusedName(page), say("Manage {login}", { login }));
    assertEquals((await row.getByRole("cell").allInnerTexts()).slice(1, 3), ["staff\neditors", say("Disabled")]);

    await manage(page, say, login);
    await dialog.getByRole("button", { name: say("Enable"), exact: true }).click();
    await dialog.getByText(say("The account is enabled.")).waitFor();
    await page.keyboard.press("Escape");
    await row.getByText(say("Active")).waitFor();
  });
  const user = await site.ask(admin, "GET", `/user/${login}`);
  assertEquals([user.groups, user.disabled], [["staff", "editors"], false]);
});

testLooks("an administrator ends sessions, and deletes an account", async ({ site, browser }, { login, ...look }) => {
  const admin = await site.admin();
  await site.addUser(login);
  const tokens = [await site.logIn(login), await site.logIn(login, "Wget/1.21"), await site.logIn(login)];
  await visit(browser, { url: site.url, path: "#users", ...look, token: admin }, async ({ page, say }) => {
    await manage(page, say, login);
    const dialog = page.getByRole("dialog", { name: login, exact: true });
    await dialog.getByRole("button", { name: say("End session: {device}, {created}", { device: "Wget", created: "" }) })
      .click();
    await dialog.getByText(say("The session has ended.")).waitFor();
    await assertRejects(() => site.ask(tokens[1] ?? "", "GET", "/session/"));
    assertEquals((await site.ask(tokens[0] ?? "", "GET", "/session/")).login, login);
    await dialog.getByRole("button", { name: say("End all sessions") }).click();
    await dialog.getByText(say("All sessions have ended.")).waitFor();
    await assertRejects(() => site.ask(tokens[0] ?? "", "GET", "/session/"));

    await dialog.getByRole("button", { name: say("Delete…") }).click();
    const confirmation = page.getByRole("dialog", { name: say("Delete {login}?", { login }) });
    await confirmation.waitFor();
    assertEquals(await focusedName(page), say("Cancel"));
    await page.keyboard.press("Enter");
    await confirmation.waitFor({ state: "detached" });
    assertEquals((await site.ask(admin, "GET", `/user/${login}`)).login, login);
    await dialog.getByRole("button", { name: say("Delete…") }).click();
    await confirmation.getByRole("button", { name: say("Delete"), exact: true }).click();
    await page.getByRole("status").getByText(say("{login} is deleted.", { login })).waitFor();
    assertEquals(await page.getByRole("row").filter({ hasText: login }).count(), 0);
  });
  await assertRejects(() => site.ask(admin, "GET", `/user/${login}`));
});

testLooks("an administrator makes a reset link, which is copied and works", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  const admin = await site.admin();
  await site.addUser(login);
  const link = await visit(browser, { url: site.url, path: "#users", ...look, token: admin }, async (one) => {
    const { page, say, context } = one;
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(site.url).origin });
    await manage(page, say, login);
    await page.getByRole("button", { name: say("Make a reset link") }).click();
    await page.getByRole("button", { name: say("Copy link") }).click();
    await page.getByText(say("Copied."), { exact: true }).waitFor();
    const copied = await readClipboard(page);
    assertEquals(await page.getByLabel(say("Link"), { exact: true }).inputValue(), copied);
    return copied;
  });
  assert(link.startsWith(`${site.url}#reset=`));
  await visit(browser, { url: site.url, path: link.slice(site.url.length), ...look }, async (one) => {
    await one.page.getByLabel(one.say("New password"), { exact: true }).fill(newPassword);
    await one.page.getByRole("button", { name: one.say("Set password") }).click();
    await one.page.getByRole("heading", { name: one.say("Your account"), exact: true }).waitFor();
  });
});

test("where the browser does not copy, the link is ready to be copied", async ({ site, browser }) => {
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#users", token }, async ({ page }) => {
    await page.evaluate(() => {
      // deno-lint-ignore no-explicit-any -- of the browser
      (globalThis as any).navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
    });
    await page.getByRole("button", { name: "Invite someone…" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("status").getByText("Press Ctrl+C to copy.").waitFor();
    const link = await page.getByLabel("Link", { exact: true }).inputValue();
    // deno-lint-ignore no-explicit-any -- of the browser
    assertEquals(await page.evaluate(() => (globalThis as any).getSelection().toString()), link);
  });
});

testLooks("the last administrator cannot go", async ({ site, browser }, { language, width }) => {
  const admin = await site.admin();
  const refused = ["409 PATCH user/root", "409 DELETE user/root"];
  const options = { url: site.url, path: "#users", language, width, token: admin, refused };
  await visit(browser, options, async ({ page, say }) => {
    await manage(page, say, "root");
    const problem = say("This is the last administrator. Make another user an administrator first.");
    await page.getByRole("button", { name: say("Disable"), exact: true }).click();
    await page.getByRole("dialog").getByText(problem).waitFor();
    await page.getByRole("button", { name: say("Delete…") }).click();
    await page.getByRole("button", { name: say("Delete"), exact: true }).click();
    await page.getByRole("alert").getByText(problem).waitFor();
  });
});

test("what another administrator changed meanwhile is not overwritten", async ({ site, browser }) => {
  const admin = await site.admin();
  await site.addUser("shared");
  const refused = ["412 PATCH user/shared"];
  await visit(browser, { url: site.url, path: "#users", token: admin, refused }, async ({ page, say }) => {
    await manage(page, say, "shared");
    const groups = page.getByLabel("Add groups");
    await site.ask(admin, "PATCH", "/user/shared", { groups: ["theirs"] });
    await groups.fill("ours");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("Someone else has changed this user. Check the changes and try again.")
      .waitFor();
    assertEquals([await page.locator("dialog .chip button").count(), await groups.inputValue()], [1, ""]);
    await page.getByRole("button", { name: "Remove theirs" }).waitFor();
    await groups.fill("ours");
    await page.keyboard.press("Enter");
    await page.getByText("The groups are saved.").waitFor();
  });
  assertEquals((await site.ask(admin, "GET", "/user/shared")).groups, ["theirs", "ours"]);
});

test("a change that fails clears the message of the last one", async ({ site, browser }) => {
  const token = await site.admin();
  await site.addUser("twice");
  const refused = ["422 PATCH user/twice"];
  await visit(browser, { url: site.url, path: "#users", token, refused }, async ({ page, say }) => {
    await manage(page, say, "twice");
    const groups = page.getByLabel("Add groups");
    await groups.fill("staff");
    await page.keyboard.press("Enter");
    await page.getByText("The groups are saved.").waitFor();
    await groups.fill("staff!");
    await page.keyboard.press("Enter");
    await page.locator("dialog .error").getByText("At most 32 groups").waitFor();
    assertEquals(await page.locator("dialog .message").textContent(), "");
  });
});

/** Finds a user, and opens the dialog about them. */
async function manage(page: Page, say: (text: string, values?: Record<string, string>) => string, login: string) {
  const search = page.getByLabel(say("Login contains"));
  if (await search.inputValue() !== login) await search.fill(login);
  await page.getByRole("button", { name: say("Manage {login}", { login }), exact: true }).click();
  await page.locator("dialog .sessions li").first().waitFor();
}

function readClipboard(page: Page): Promise<string> {
  // deno-lint-ignore no-explicit-any -- of the browser, whose types a test on Deno lacks
  return page.evaluate(() => (globalThis as any).navigator.clipboard.readText());
}
