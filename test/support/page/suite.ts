/** Tests of the page that share a site and a browser, which are started before the first of them. */
import type { Browser } from "npm:playwright-core@1.65.1";
import { hasBrowser, startBrowser } from "./browser.ts";
import { type Site, startSite } from "./site.ts";
import { type Look, pairings } from "./visit.ts";

/** What the tests of a file have. */
export interface Scene {
  readonly site: Site;
  readonly browser: Browser;
}

export interface Suite {
  /** One test. */
  test(name: string, run: (scene: Scene) => Promise<void>): void;
  /** A test in both languages and at both widths; `login` is another one each time. */
  testLooks(name: string, run: (scene: Scene, look: Look & { readonly login: string }) => Promise<void>): void;
}

const ignore = !await hasBrowser();

/** The suite of a file. @param start what opens the site; by default the service with its defaults */
export function pageSuite(start: () => Promise<Site> = startSite): Suite {
  const running: { cleanup?: AsyncDisposableStack; scene?: Scene } = {};

  Deno.test.beforeAll(async () => {
    if (ignore) return;
    const cleanup = new AsyncDisposableStack();
    running.cleanup = cleanup;
    const site = cleanup.use(await start());
    const { browser } = cleanup.use(await startBrowser([site.rootCertificate]));
    running.scene = { site, browser };
  });
  Deno.test.afterAll(async () => await running.cleanup?.disposeAsync());

  const counted = { users: 0, tests: 0 };
  const test: Suite["test"] = (name, run) => {
    // Site and browser outlive the test.
    Deno.test({ name, ignore, sanitizeOps: false, sanitizeResources: false }, async () => {
      if (running.scene === undefined) throw new TypeError("The site is not started");
      await run(running.scene);
    });
  };
  const testLooks: Suite["testLooks"] = (name, run) => {
    for (const look of pairings[counted.tests++ % pairings.length] ?? []) {
      const login = `user-${++counted.users}`;
      test(`${name}, in ${look.language} at ${look.width} px`, (scene) => run(scene, { ...look, login }));
    }
  };
  return { test, testLooks };
}
