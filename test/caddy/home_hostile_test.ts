/**
 * A hostile script on a guarded site with a home, run in real Chromium, once on the domain of the home and once on
 * another one. It gets neither the session of the home, nor a form for a password, nor a code of another host.
 */
import { assert, assertEquals } from "@std/assert";
import type { BrowserContext } from "npm:playwright-core@1.65.1";
import { openEach, startHome, tokenOf } from "../support/caddy/home.ts";
import { files, home, shop, sites, wiki } from "../support/caddy/home_proxy.ts";
import { plunder } from "../support/caddy/hostile_page.ts";
import { password } from "../support/page/site.ts";
import { pageSuite } from "../support/page/suite.ts";
import { openProfile } from "../support/page/visit.ts";

const { test } = pageSuite(() => startHome());

/** Of the service, relative to where it is mounted. */
const operations = ["session/", "user/victim", "page/main.js", "metrics"];
/** A value that the cookie of a login may have, and a state. */
const planted = "A".repeat(22);

for (const [index, own] of [wiki, shop].entries()) {
  test(`a script of ${new URL(own).host} reads nothing of the home and of other sites`, async ({ site, browser }) => {
    const login = `victim-${index}`;
    await site.addUser(login);
    await using context = await openProfile(browser, {});
    const page = await context.newPage();
    await openEach(page, { login, path: "/" });
    const tokens = await tokensOf(context);
    assertEquals(new Set(tokens).size, 4);
    await page.goto(`${own}/hostile`);

    const lead = (to: string) => `${home}/?${new URLSearchParams({ site: to, state: planted, next: "/" })}`;
    const others = sites.filter((origin) => origin !== own);
    const windows = [
      `${home}/`,
      lead(own),
      lead(files),
      ...others.flatMap((origin) => [`${origin}/`, `${origin}/auth/`]),
    ];
    const paths = operations.flatMap((
      path,
    ) => [`${home}/${path}`, ...others.map((origin) => `${origin}/auth/${path}`)]);
    const loot = await page.evaluate(plunder, {
      foreign: [...windows, ...paths],
      windowCount: windows.length,
      own: operations.map((path) => `/auth/${path}`),
      login,
      password,
    });
    assertEquals(loot.cookie, "");
    assertEquals(new Set([...loot.documents, ...loot.responses]), new Set(["unreadable"]));
    const secret = loot.addresses.filter((url) => /[?&](code|state)=/.test(url) && !url.includes(planted));
    assertEquals(secret, []);
    const refusals = ["403 /problem/only-at-home", "404 about:blank", "405 /problem/method-not-allowed", "unreadable"];
    assertEquals([...new Set(loot.ownResponses)].sort(), refusals);
    // A window of its own shows the address of the home; a frame does not.
    for (const frame of page.frames()) {
      assertEquals(await frame.locator("input[type=password]").count(), 0, frame.url());
    }
    const all = JSON.stringify(loot);
    assert(tokens.every((token) => token !== undefined && !all.includes(token)));
    // Nor has it ended a session, or logged the browser in.
    assertEquals(await tokensOf(context), tokens);
    assertEquals(site.arrived.filter((line) => line.includes("gatehouse")), []);
  });
}

function tokensOf(context: BrowserContext): Promise<(string | undefined)[]> {
  return Promise.all([home, ...sites].map((origin) => tokenOf(context, origin)));
}
