/** Actions on the page that overlap, in real Chromium through real Caddy. */
import { assertEquals } from "@std/assert";
import { focusedId, focusedName } from "../../support/page/focus.ts";
import { password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test } = pageSuite();

test("a form that is sent twice in haste is sent once", async ({ site, browser }) => {
  await site.addUser("hasty");
  await visit(browser, { url: site.url }, async ({ page }) => {
    const sent: string[] = [];
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    await page.route("**/session/", async (route) => {
      sent.push(route.request().method());
      arrived.resolve();
      await goOn.promise;
      await route.fallback();
    });
    await page.getByLabel("Login", { exact: true }).fill("hasty");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await arrived.promise;
    assertEquals(await page.locator("form").getAttribute("aria-busy"), "true");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    goOn.resolve();
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    assertEquals(sent.filter((method) => method === "POST").length, 1);
  });
});

test("an earlier search that is answered later changes nothing", async ({ site, browser }) => {
  const token = await site.admin();
  await site.addUser("searched");
  await visit(browser, { url: site.url, path: "#users", token }, async ({ page }) => {
    const goOn = Promise.withResolvers<void>();
    await page.route(/contains=nobody/, async (route) => {
      await goOn.promise;
      await route.fallback();
    });
    const search = page.getByLabel("Login contains");
    await Promise.all([page.waitForRequest(/contains=nobody/), search.fill("nobody")]);
    const slow = page.waitForResponse(/contains=nobody/);
    await search.fill("searched");
    await page.getByText("1 user", { exact: true }).waitFor();
    goOn.resolve();
    await (await slow).finished();
    assertEquals(await page.getByRole("rowheader").allTextContents(), ["searched"]);
    assertEquals(await focusedId(page), "search-contains");
  });
});

test("more of the list is never mixed with the users of a search that is not answered yet", async (scene) => {
  const { site, browser } = scene;
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#users", token }, async ({ page }) => {
    const goOn = Promise.withResolvers<void>();
    const user = (login: string) => ({ login, registered_at: "2026-11-22T09:35:39.123Z", groups: [], disabled: false });
    await page.route("**/user/?*", async (route) => {
      const query = new URL(route.request().url()).searchParams;
      if (query.has("contains")) await goOn.promise;
      if (query.has("contains")) return await route.fulfill({ json: { users: [user("found")], total: 1, next: null } });
      const isFirst = !query.has("after");
      const users = [user(isFirst ? "first" : "second")];
      await route.fulfill({ json: { users, total: 2, next: isFirst ? "cursor" : null } });
    });
    await page.reload();
    await page.getByText("2 users", { exact: true }).waitFor();
    await Promise.all([page.waitForRequest(/contains=found/), page.getByLabel("Login contains").fill("found")]);
    const [more] = await Promise.all([
      page.waitForRequest(/after=cursor/),
      page.getByRole("button", { name: "Show more" }).click(),
    ]);
    assertEquals(new URL(more.url()).searchParams.get("contains"), null);
    await page.getByRole("rowheader", { name: "second" }).waitFor();
    assertEquals(await page.getByRole("rowheader").allTextContents(), ["first", "second"]);
    goOn.resolve();
    await page.getByText("1 user", { exact: true }).waitFor();
    assertEquals(await page.getByRole("rowheader").allTextContents(), ["found"]);
  });
});

test("what is done about a user is seen in the list, though a search was answered meanwhile", async (scene) => {
  const { site, browser } = scene;
  const token = await site.admin();
  await site.addUser("overtaken");
  await visit(browser, { url: site.url, path: "#users", token }, async ({ page }) => {
    const goOn = Promise.withResolvers<void>();
    await page.route(/contains=overtaken/, async (route) => {
      await goOn.promise;
      await route.fallback();
    });
    await page.getByLabel("Login contains").fill("overtaken");
    await page.getByRole("button", { name: "Manage overtaken" }).click();
    const dialog = page.getByRole("dialog", { name: "overtaken" });
    await dialog.locator(".sessions li").first().waitFor();
    const answered = page.waitForResponse(/contains=overtaken/);
    goOn.resolve();
    await (await answered).finished();
    await page.getByText("1 user", { exact: true }).waitFor();
    await dialog.getByRole("button", { name: "Disable", exact: true }).click();
    await dialog.getByText("The account is disabled, and its sessions have ended.").waitFor();
    await dialog.getByRole("button", { name: "Close", exact: true }).click();
    await page.getByRole("row").filter({ hasText: "overtaken" }).getByText("Disabled").waitFor();
    assertEquals(await focusedName(page), "Manage overtaken");
  });
});
