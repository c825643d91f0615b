/** The page at /auth/ of a guarded site, as caddy/guarded.Caddyfile mounts it. */
import { assert, assertEquals } from "@std/assert";
import { impatience, startGuarded } from "../../support/caddy/guarded.ts";
import { startService } from "../../support/service.ts";
import { seeFailedLogin } from "../../support/page/figure.ts";
import { focusedName } from "../../support/page/focus.ts";
import { newPassword, password, type Site, siteAt } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const icon = '<!DOCTYPE html><link rel="icon" href="data:,">';

/** A guarded folder with two pages. The service can be started again where it was. */
async function startMounted(): Promise<Site> {
  await using cleanup = new AsyncDisposableStack();
  const store = await Deno.makeTempDir({ prefix: "gatehouse-guarded-store-" });
  cleanup.defer(() => Deno.remove(store, { recursive: true }));
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-guarded-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.writeTextFile(`${folder}/wiki.html`, `${icon}<h1>The wiki</h1>`);
  await Deno.writeTextFile(`${folder}/index.html`, `${icon}<h1>The site</h1>`);
  const { caddy, service, ...guarded } = cleanup.use(
    await startGuarded({ edits: [impatience], env: { ROOT: folder }, settings: { GATEHOUSE_STORE: store } }),
  );
  assert(guarded.arrived.length === 0);
  return siteAt("/auth/", { caddy, service, owned: cleanup.move() });
}

const { test, testLooks } = pageSuite(startMounted);

testLooks("a visitor of a guarded page registers and continues there", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  const wiki = new URL("/wiki.html?tab=2", site.url).href;
  await visit(browser, { url: site.url, ...look }, async ({ page, say }) => {
    await page.goto(wiki);
    assertEquals(page.url(), `${site.url}?next=${encodeURIComponent("/wiki.html?tab=2")}`);
    await page.getByRole("link", { name: say("Register") }).click();
    await page.getByLabel(say("Login"), { exact: true }).fill(login);
    await page.getByLabel(say("Password"), { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "The wiki" }).waitFor();
    assertEquals(page.url(), wiki);
    await page.goto(site.url);
    await page.getByRole("button", { name: say("Log out"), exact: true }).click();
    await page.getByRole("status").getByText(say("You are logged out.")).waitFor();
    assertEquals(await focusedName(page), say("Log in to {site}"));
  });
});

testLooks("a login, an invitation and a reset lead to the site", async ({ site, browser }, { login, ...look }) => {
  const admin = await site.admin();
  await site.addUser(login);
  const invited = `${login}-2`;
  const invitation = await site.ask(admin, "POST", "/ticket/", { purpose: "register", login: invited });
  const reset = await site.ask(admin, "POST", "/ticket/", { purpose: "reset", login });
  const rows = [
    ["", { login, password }],
    [`#${new URLSearchParams({ ticket: String(invitation.ticket), login: invited })}`, { password }],
    [`#${new URLSearchParams({ reset: String(reset.ticket), login })}`, { password: newPassword }],
  ] as const;
  for (const [path, fields] of rows) {
    await visit(browser, { url: site.url, path, ...look }, async ({ page, say }) => {
      for (const [name, value] of Object.entries(fields)) await page.locator(`main [name=${name}]`).fill(value);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "The site" }).waitFor();
      assertEquals(page.url(), new URL("/", site.url).href);
      await page.goto(site.url);
      await page.getByRole("link", { name: say("To the site") }).click();
      await page.getByRole("heading", { name: "The site" }).waitFor();
    });
  }
});

testLooks(
  "a login leads to the view that was requested, or where the session ended",
  async (scene, { login, ...look }) => {
    const { site, browser } = scene;
    await site.addUser(login);
    const token = await site.logIn(login);
    const refused = [`401 PUT user/${login}/password`];
    await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, context, say }) => {
      const heading = page.getByRole("heading", { name: say("Your account"), exact: true });
      const logIn = async () => {
        await page.getByLabel(say("Login"), { exact: true }).fill(login);
        await page.getByLabel(say("Password"), { exact: true }).fill(password);
        await page.keyboard.press("Enter");
        await heading.waitFor();
      };
      await site.ask(token, "DELETE", "/session/");
      await page.getByLabel(say("Current password"), { exact: true }).fill(password);
      await page.getByLabel(say("New password"), { exact: true }).fill(newPassword);
      await page.keyboard.press("Enter");
      await page.getByRole("status").getByText(say("Your session has ended. Log in again.")).waitFor();
      await logIn();

      await page.waitForLoadState("networkidle");
      await context.clearCookies();
      await page.goto("about:blank");
      await page.goto(`${site.url}#account`);
      await logIn();
      assertEquals(page.url(), `${site.url}#account`);
    });
  },
);

test("a fragment of a guarded page is kept, even if the login has a view of that name", async ({ site, browser }) => {
  await site.addUser("fragment");
  for (const fragment of ["#register", "#ticket=q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA&login=x", "#/a/b?c=d"]) {
    await visit(browser, { url: site.url }, async ({ page }) => {
      const wiki = new URL(`/wiki.html?file=C:\\x&tab=2${fragment}`, site.url).href;
      await page.goto(wiki);
      await page.getByRole("heading", { name: "Log in" }).waitFor();
      assertEquals(await page.locator("input").count(), 2);
      // The page's own fragments work as ever.
      await page.getByRole("link", { name: "Register" }).click();
      await page.getByRole("heading", { name: "Create an account" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Create an account" }).waitFor();
      await page.goBack();
      await page.getByLabel("Login", { exact: true }).fill("fragment");
      await page.getByLabel("Password", { exact: true }).fill(password);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "The wiki" }).waitFor();
      assertEquals(page.url(), wiki.replaceAll("\\", "%5C"));
    });
  }
});

test("a fragment is kept when the guarded page is reloaded after the session has ended", async ({ site, browser }) => {
  await site.addUser("reloading");
  const token = await site.logIn("reloading");
  await visit(browser, { url: site.url, token }, async ({ page }) => {
    await page.goto(new URL("/wiki.html#part", site.url).href);
    await page.getByRole("heading", { name: "The wiki" }).waitFor();
    await site.ask(token, "DELETE", "/session/");
    await page.reload();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.getByRole("status").getByText("Your session has ended. Log in again.").waitFor();
    assertEquals(new URL(page.url()).searchParams.get("next"), "/wiki.html#part");
    assertEquals(new URL(page.url()).hash, "");
  });
});

test("an administrator of a guarded site makes links that lead to its page", async ({ site, browser }) => {
  const token = await site.admin();
  await site.addUser("alice");
  await visit(browser, { url: site.url, path: "#users", token }, async ({ page }) => {
    await page.getByRole("button", { name: "Manage alice" }).click();
    await page.getByRole("button", { name: "Make a reset link" }).click();
    const link = await page.getByLabel("Link", { exact: true }).inputValue();
    assert(link.startsWith(`${site.url}#reset=`), link);
  });
});

test("an administrator of a guarded site sees its status live", async ({ site, browser }) => {
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#status", token }, async ({ page }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await seeFailedLogin(page, site);
    assertEquals(asked.filter((url) => !url.startsWith(site.url)), []);
  });
});

// The last, as all others need the service that is there at first.
test("the page survives a stop of the service, and continues after its restart", async ({ site, browser }) => {
  const token = await site.admin();
  const refused = ["503 GET page/users.js", "503 GET session/"];
  await visit(browser, { url: site.url, path: "#account", token, refused }, async ({ page }) => {
    await site.service.stop();
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByRole("heading", { name: "Something went wrong" }).waitFor();
    const alert = page.getByRole("alert").getByText("The service cannot be reached.");
    await alert.waitFor();
    const again = page.getByRole("button", { name: "Try again" });
    await Promise.all([page.waitForResponse("**/session/"), again.click()]);
    await alert.waitFor();
    const env = { GATEHOUSE_STORE: site.service.folder, GATEHOUSE_LISTEN: new URL(site.service.url).host };
    await using _back = await startService({ env });
    await again.click();
    await page.getByRole("rowheader", { name: "root", exact: true }).waitFor();
  });
});
