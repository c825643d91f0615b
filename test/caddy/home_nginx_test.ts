/** A home with sites of two domains, in real Chromium through real nginx: one login, one logout, a form, a group. */
import { home, sites, wiki } from "../support/caddy/home_proxy.ts";
import { openEach, seeLogin, startHome } from "../support/caddy/home.ts";
import { ensureProgram } from "../support/packages.ts";
import { pageSuite } from "../support/page/suite.ts";
import { openProfile } from "../support/page/visit.ts";

const { test } = pageSuite(async () => {
  await ensureProgram("nginx", "nginx-light");
  return await startHome({ proxy: "nginx" });
});

test("nginx opens all sites after one login, and closes them after one logout", async ({ site, browser }) => {
  await site.addUser("alice");
  await using context = await openProfile(browser, {});
  const page = await context.newPage();
  await openEach(page, { login: "alice", path: `/notes/a%20b?q=${"1".repeat(5_000)}&next=%2Fx#part` });
  await page.goto(`${wiki}/staff`);
  await page.getByRole("heading", { name: "You do not have access to this page" }).waitFor();
  await page.goto(`${home}/`);
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await page.getByRole("status").getByText("You are logged out.").waitFor();
  for (const origin of sites) {
    await page.goto(`${origin}/again`);
    await seeLogin(page, origin);
  }
});
