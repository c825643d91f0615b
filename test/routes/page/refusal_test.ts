/** Error pages of a guarded app: a form after the session has ended, a missing group, a stopped service. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { app, impatience, startGuarded } from "../../support/caddy/guarded.ts";
import { serveUpstream } from "../../support/upstream.ts";
import { barriersOf } from "../../support/page/barrier.ts";
import { password, type Site, siteAt } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const sent: string[] = [];
const form = `<!DOCTYPE html><html lang="en"><title>Edit</title><link rel="icon" href="data:,"><h1>Edit</h1>
<form method="post" action="/save"><textarea name="text" aria-label="Text"></textarea><button>Save</button></form>`;

/** A guarded app with a form at /edit, and pages for `staff` alone. */
async function startForms(): Promise<Site> {
  await using cleanup = new AsyncDisposableStack();
  const upstream = cleanup.use(serveUpstream(async (request) => {
    const isForm = request.method === "GET";
    if (!isForm) sent.push(await request.text());
    const headers = { "content-type": "text/html" };
    return new Response(isForm ? form : '<link rel="icon" href="data:,"><h1>Saved</h1>', { headers });
  }));
  const everybody = "\troute {\n\t\timport guard users";
  const staff = "\troute /staff* {\n\t\timport guard staff\n\t\treverse_proxy {$APP}\n\t}\n";
  const { caddy, service, arrived, ...guarded } = cleanup.use(
    await startGuarded({ edits: [app, impatience, [everybody, staff + everybody]], env: { APP: upstream.address } }),
  );
  assertEquals(arrived, []);
  assert(guarded.rootPath !== "");
  return siteAt("/auth/", { caddy, service, owned: cleanup.move() });
}

const { test, testLooks } = pageSuite(startForms);

async function submit(page: Page, heading: string): Promise<void> {
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: heading }).waitFor();
}

const words = {
  en: {
    notSent: "The form was not sent",
    logIn: "Log in in a new tab",
    noAccess: "You do not have access to this page",
    account: "Your account",
    logOut: "Log out and use another account",
  },
  ru: {
    notSent: "Форма не отправлена",
    logIn: "Войти в новой вкладке",
    noAccess: "У вас нет доступа к этой странице",
    account: "Моя учётная запись",
    logOut: "Выйти и сменить учётную запись",
  },
} as const;

testLooks(
  "a form that was sent after the session ended comes through after a login",
  async ({ site, browser }, options) => {
    const { login, ...look } = options;
    await site.addUser(login);
    const token = await site.logIn(login);
    const { notSent, logIn } = words[look.language];
    const edit = new URL("/edit?page=2", site.url).href;
    const refused = [`401 POST ${new URL("/save", site.url).href}`];
    await visit(browser, { url: site.url, token, ...look, refused }, async ({ page, context, say }) => {
      await page.goto(edit);
      await page.getByLabel("Text").fill(`written by ${login}`);
      await site.ask(token, "DELETE", "/session/");
      await submit(page, notSent);
      assertEquals(await page.locator("html").getAttribute("lang"), look.language);
      assertEquals(await barriersOf(page), []);

      const [tab] = await Promise.all([context.waitForEvent("page"), page.getByRole("link", { name: logIn }).click()]);
      await tab.getByLabel(say("Login"), { exact: true }).fill(login);
      await tab.getByLabel(say("Password"), { exact: true }).fill(password);
      await tab.keyboard.press("Enter");
      await tab.getByRole("heading", { name: "Edit" }).waitFor();
      assertEquals(tab.url(), edit);

      await page.goBack();
      assertEquals(await page.getByLabel("Text").inputValue(), `written by ${login}`);
      await submit(page, "Saved");
      assertEquals(sent.at(-1), `text=written+by+${login}`);
    });
  },
);

testLooks(
  "a user without the group sees why, and a link to the account",
  async ({ site, browser }, { login, ...look }) => {
    await site.addUser(login);
    const token = await site.logIn(login);
    const staff = new URL("/staff/", site.url).href;
    for (const colours of ["light", "dark"] as const) {
      await visit(
        browser,
        { url: site.url, token, ...look, colours, refused: [`403 GET ${staff}`] },
        async ({ page, say }) => {
          await page.goto(staff);
          await page.getByRole("heading", { name: words[look.language].noAccess }).waitFor();
          assertEquals(await barriersOf(page), []);
          const ground = await page.locator("body").evaluate((body) => {
            // deno-lint-ignore no-explicit-any -- of the browser, whose types a test on Deno lacks
            return (globalThis as any).getComputedStyle(body).backgroundColor;
          });
          assertEquals(ground, colours === "light" ? "rgb(245, 244, 239)" : "rgb(20, 24, 26)");
          await page.getByRole("link", { name: words[look.language].account }).click();
          await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
        },
      );
    }
  },
);

testLooks("a user without the group logs out there, and a member continues at the page", async (scene, options) => {
  const { site, browser } = scene;
  const { login, ...look } = options;
  const member = `${login}-staff`;
  for (const name of [login, member]) await site.addUser(name);
  await site.ask(await site.admin(), "PATCH", `/user/${member}`, { groups: ["staff"] });
  const staff = new URL("/staff/?tab=2", site.url).href;
  const token = await site.logIn(login);
  await visit(browser, { url: site.url, token, ...look, refused: [`403 GET ${staff}`] }, async ({ page, say }) => {
    await page.goto(staff);
    await page.getByRole("link", { name: words[look.language].logOut }).click();
    await page.getByText(say("You are logged in as {login}. To continue, log out first.", { login })).waitFor();
    assertEquals((await site.ask(token, "GET", "/session/")).login, login);
    await page.getByRole("button", { name: say("Log out and continue") }).click();
    await page.getByRole("heading", { name: say("Log in to {site}") }).waitFor();
    await page.getByLabel(say("Login"), { exact: true }).fill(member);
    await page.getByLabel(say("Password"), { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Edit" }).waitFor();
    assertEquals(page.url(), staff);
  });
});

// The last test, as the others need the service.
test("while the service is stopped, Caddy shows a page of its own", async ({ site, browser }) => {
  await site.addUser("late");
  const token = await site.logIn("late");
  const edit = new URL("/edit", site.url).href;
  const refused = [`503 GET ${edit}`, `503 POST ${new URL("/save", site.url).href}`];
  await visit(browser, { url: site.url, token, refused }, async ({ page }) => {
    await page.goto(edit);
    await page.getByLabel("Text").fill("too late");
    await site.service.stop();
    const opened = await page.context().newPage();
    await opened.goto(edit);
    assertMatch(await opened.locator("body").innerText(), /^Service Unavailable\s+Try again in a moment\.\s+Служба/);
    assertEquals(await barriersOf(opened), []);
    await submit(page, "Service Unavailable");
  });
});
