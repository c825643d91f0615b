/** The tests that every view of the page, and `/docs/`, has no barriers, see `barrier.ts`. */
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContext } from "npm:playwright-core@1.65.1";
import { barriersOf } from "./barrier.ts";
import { type Site, startSite } from "./site.ts";
import { pageSuite } from "./suite.ts";
import { settle, views } from "./views.ts";
import { type Look, openProfile, type View, type Visit, visit, visitWith } from "./visit.ts";

/** Registers the tests of a file, which share a profile and a session of each user. */
export function testViews(look: Look & { readonly colours: "light" | "dark" }): void {
  const shared: { profile?: Promise<BrowserContext>; ofAlice?: Promise<string> } = {};
  const { test } = pageSuite(async () => {
    const site = await startSite();
    await settle(site);
    return site;
  });
  const startProfile = async (browser: Browser) => {
    const profile = await openProfile(browser, look);
    // A tab that stays keeps the process of all tabs, with the scripts that it has compiled.
    await profile.newPage();
    return profile;
  };
  const profileOf = (browser: Browser) => shared.profile ??= startProfile(browser);
  const tokenOf = (who: View["who"], site: Site) => {
    if (who === undefined) return undefined;
    return who === "root" ? site.admin() : shared.ofAlice ??= site.logIn(who);
  };

  for (const { name, path, who, refused = [], setsClock, open } of views) {
    test(`axe finds nothing in ${name}`, async ({ site, browser }) => {
      const options = { ...look, url: site.url, path, refused, token: await tokenOf(who, site) };
      const act = async (one: Visit) => {
        await open?.(one);
        assertEquals(await barriersOf(one.page), []);
      };
      await (setsClock ? visit(browser, options, act) : visitWith(await profileOf(browser), options, act));
    });
  }

  test("axe finds nothing in /docs/, which has the colours of the page", async ({ site, browser }) => {
    await visitWith(await profileOf(browser), { ...look, url: site.url }, async ({ page }) => {
      const ofPage = await page.evaluate(groundColours);
      await page.goto(`${site.url}docs/`);
      assertEquals(await page.evaluate(groundColours), ofPage);
      // Examples scroll sideways by themselves, and links within text may be small (WCAG 2.2, 2.5.8).
      assertEquals((await barriersOf(page)).filter((text) => !/^((at|with) [^<]*: )?<(code|a)\b/.test(text)), []);
    });
  });
}

/** The colours of the page's ground and of its letters; runs in the page. */
function groundColours(): string[] {
  // deno-lint-ignore no-explicit-any -- of the browser
  const { document, getComputedStyle } = globalThis as any;
  const { backgroundColor, color } = getComputedStyle(document.body);
  return [backgroundColor, color];
}
