/** Sessions by pages, where a user has more than fit on one, in real Chromium through real Caddy. */
import { assert, assertEquals } from "@std/assert";
import { focusedName } from "../../support/page/focus.ts";
import { type Site, startSite } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { testLooks } = pageSuite(() => startSite({ GATEHOUSE_MAX_SESSIONS: "60" }));

/** Gives a user 60 sessions, of which `device` names the last ten. @returns the token of the last */
async function addSessions(site: Site, login: string, userAgent: string): Promise<string> {
  await site.addUser(login);
  for (let index = 0; index < 50; index++) await site.logIn(login);
  for (let index = 0; index < 9; index++) await site.logIn(login, userAgent);
  return await site.logIn(login, userAgent);
}

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

testLooks("a user sees all sessions, page by page", async ({ site, browser }, { login, ...look }) => {
  const token = await addSessions(site, login, firefox);
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    const names = page.locator(".sessions strong");
    const more = page.getByRole("button", { name: say("Show more"), exact: true });
    await more.waitFor();
    assertEquals(await names.allTextContents(), Array(50).fill("curl"));
    await more.click();
    await more.waitFor({ state: "hidden" });
    assertEquals((await names.allTextContents()).slice(50), Array(10).fill("Firefox · Windows"));
    // The button is gone. The present session cannot be ended here, so the focus is not at its button.
    await page.locator(".sessions:focus").waitFor();
    assertEquals(await page.locator(".sessions .chip:visible").count(), 1);
    const end = page.getByRole("button", {
      name: say("End session: {device}, {created}", { device: "Firefox · Windows", created: "" }),
    });
    await end.last().click();
    await page.getByRole("status").getByText(say("The session has ended.")).waitFor();
    assertEquals(await names.count(), 59);
  });
});

testLooks("an administrator sees all sessions of a user, and ends them", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  await addSessions(site, login, firefox);
  await visit(browser, { url: site.url, ...look, token: await site.admin() }, async ({ page, say }) => {
    await page.getByRole("link", { name: say("Users") }).click();
    await page.getByRole("button", { name: say("Manage {login}", { login }), exact: true }).click();
    const dialog = page.getByRole("dialog", { name: login });
    const more = dialog.getByRole("button", { name: say("Show more"), exact: true });
    await more.click();
    await more.waitFor({ state: "hidden" });
    assertEquals(await dialog.locator(".sessions li").count(), 60);
    const next = say("End session: {device}, {created}", { device: "Firefox · Windows", created: "" });
    assert((await focusedName(page)).startsWith(next), next);
    await dialog.getByRole("button", { name: say("End all sessions") }).click();
    await dialog.getByText(say("All sessions have ended.")).waitFor();
    assertEquals(await dialog.locator(".sessions li").allTextContents(), [say("None.")]);
  });
});

testLooks(
  "the next page is loaded when all sessions of one are ended",
  async ({ site, browser }, { login, ...look }) => {
    await addSessions(site, login, firefox);
    await visit(browser, { url: site.url, ...look, token: await site.admin() }, async ({ page, say }) => {
      await page.getByRole("link", { name: say("Users") }).click();
      await page.getByRole("button", { name: say("Manage {login}", { login }), exact: true }).click();
      const dialog = page.getByRole("dialog", { name: login });
      const names = dialog.locator(".sessions strong");
      await names.first().waitFor();
      // All but one of the page have ended elsewhere.
      await dialog.locator(".sessions li:not(:first-child)").evaluateAll((items) =>
        items.forEach((item) => item.remove())
      );
      await dialog.getByRole("button", {
        name: say("End session: {device}, {created}", { device: "curl", created: "" }),
      })
        .click();
      await dialog.getByText(say("The session has ended.")).waitFor();
      assertEquals(await names.allTextContents(), Array(10).fill("Firefox · Windows"));
    });
  },
);
