/** The page by its settings: who may register, how long passwords are, title and logo, and a home. */
import { assertEquals } from "@std/assert";
import { Browser, files, home, homeSettings, wiki } from "../../support/home.ts";
import { barriersOf } from "../../support/page/barrier.ts";
import { password, type Site, startSite } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const byTicket = pageSuite(() => startSite({ GATEHOUSE_REGISTRATION: "ticket", GATEHOUSE_PASSWORD_MIN_LENGTH: "20" }));
const closed = pageSuite(() => startSite({ GATEHOUSE_REGISTRATION: "closed" }));

const logoFolder = await Deno.makeTempDir({ prefix: "gatehouse-logo-" });
addEventListener("unload", () => Deno.removeSync(logoFolder, { recursive: true }));
await Deno.writeTextFile(
  `${logoFolder}/logo.svg`,
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 20"><path d="M0 0h60v20H0z" style="fill: teal"/></svg>',
);
const titled = pageSuite(() =>
  startSite({ GATEHOUSE_TITLE: "Вики «Ёлка» & Co", GATEHOUSE_LOGO: `${logoFolder}/logo.svg` })
);

/** Without a proxy: the host of the home is not on this machine. */
const atHome = pageSuite(async () => {
  const site = await startSite(homeSettings);
  return { ...site, url: `${site.service.url}/` };
});

atHome.testLooks("at a home, the login names the site that it leads to", async ({ site, browser }, look) => {
  const path = `?${new URLSearchParams({ site: wiki, state: "x", next: "/" })}`;
  await visit(browser, { url: site.url, path, ...look }, async ({ page, say }) => {
    assertEquals(await page.title(), `${say("Log in to {site}", { site: "wiki.example.org" })} · Gatehouse`);
    await page.goto(site.url);
    // The title is set when the view is there.
    await page.locator("h1").waitFor();
    assertEquals(await page.title(), `${say("Log in to {site}")} · Gatehouse`);
  });
});

atHome.testLooks("a user sees the sites of each session", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const token = await site.logIn(login);
  await openSites(site, token);
  await site.logIn(login);
  await visit(browser, { url: site.url, token, ...look }, async ({ page, say }) => {
    const items = page.locator(".sessions li");
    await items.nth(1).waitFor();
    const shown = await items.locator("[data-name=sites]").allTextContents();
    assertEquals(shown, [say("Sites: {sites}", { sites: "wiki.example.org, files.example.net" })]);
    // Of the session that the list begins with.
    assertEquals(await items.first().locator("[data-name=sites]").count(), 1);
    assertEquals(await barriersOf(page), []);
  });
});

titled.testLooks("the page has the title and the logo of the settings", async ({ site, browser }, look) => {
  await visit(browser, { url: site.url, ...look }, async ({ page, say }) => {
    assertEquals(await page.title(), `${say("Log in to {site}")} · Вики «Ёлка» & Co`);
    assertEquals(await page.locator(".brand").innerText(), "Вики «Ёлка» & Co");
    const [width, height] = await page.locator(".brand img").evaluate((image) => [image.width, image.height]);
    assertEquals([width, height], [84, 28]);
    assertEquals(await barriersOf(page), []);
  });
});

byTicket.testLooks(
  "in mode `ticket`, a registration requires a ticket",
  async ({ site, browser }, { login, ...look }) => {
    const { ticket } = await site.ask(await site.admin(), "POST", "/ticket/", { purpose: "register" });
    const refused = ["403 POST user/"];
    await visit(browser, { url: site.url, path: "#register", ...look, refused }, async ({ page, say }) => {
      await page.getByText({ en: "At least 20 characters", ru: "Не менее 20 любых символов" }[look.language]).waitFor();
      assertEquals(await page.getByRole("button", { name: say("I have a ticket") }).isVisible(), false);
      await page.getByLabel(say("Login"), { exact: true }).fill(login);
      await page.getByLabel(say("Password"), { exact: true }).fill(password);
      const field = page.getByLabel(say("Ticket"), { exact: true });
      const register = page.getByRole("button", { name: say("Register"), exact: true });
      await register.click();
      await page.locator("#register-ticket-error").getByText(say("Required.")).waitFor();
      await field.fill("none");
      await register.click();
      const text = say("This ticket is not valid: it is used, expired, or for another login.");
      await page.locator("#register-ticket-error").getByText(text).waitFor();
      await field.fill(String(ticket));
      await register.click();
      await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
    });
  },
);

closed.testLooks(
  "in mode `closed`, the page says so, and accepts a ticket",
  async ({ site, browser }, { login, ...look }) => {
    const refused = ["403 POST user/"];
    await visit(browser, { url: site.url, path: "#register", ...look, refused }, async ({ page, say }) => {
      await page.getByRole("heading", { name: say("Registration is closed") }).waitFor();
      await page.getByRole("button", { name: say("I have a ticket") }).click();
      await page.getByLabel(say("Login"), { exact: true }).fill(login);
      await page.getByLabel(say("Password"), { exact: true }).fill(password);
      await page.getByLabel(say("Ticket"), { exact: true }).fill("none");
      await page.keyboard.press("Enter");
      await page.getByText(say("This ticket is not valid: it is used, expired, or for another login.")).waitFor();
    });
  },
);

for (const colours of ["light", "dark"] as const) {
  closed.test(`in mode "closed", the page is accessible, ${colours}`, async ({ site, browser }) => {
    await visit(browser, { url: site.url, path: "#register", colours }, async ({ page }) => {
      await page.getByRole("heading", { name: "Registration is closed" }).waitFor();
      assertEquals(await barriersOf(page), []);
    });
  });
}

closed.test("in mode `closed`, the first administrator can register, and cannot invite", async (scene) => {
  const { site, browser } = scene;
  await visit(browser, { url: site.url, path: "#users", token: await site.admin() }, async ({ page }) => {
    await page.getByText("1 user", { exact: true }).waitFor();
    assertEquals(await page.getByRole("button", { name: "Invite someone…" }).count(), 0);
  });
});

/** Logs a session of the home in at its sites, as a browser does. */
async function openSites({ service }: Site, token: string): Promise<void> {
  const browser = new Browser({
    async send(method, path, { headers = {} } = {}) {
      const response = await fetch(service.url + path, { method, headers, redirect: "manual" });
      return { status: response.status, headers: response.headers, text: await response.text(), json: {} };
    },
  });
  browser.cookies.set(new URL(home).host, new Map([["__Host-gatehouse", token]]));
  for (const site of [wiki, files]) assertEquals((await browser.load(`${site}/`)).url, `${site}/`);
}
