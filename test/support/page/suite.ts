/** Tests of the page that share a site and a browser, which are started before the first of them. */
import type { Browser } from "npm:playwright-core@1.65.1";
import { type BrowserOptions, hasBrowser, startBrowser } from "./browser.ts";
import { type Site, startSite } from "./site.ts";
import { type Look, pairings } from "./visit.ts";

/** What the tests of a file have. */
export interface Scene<Started = Site> {
  readonly site: Started;
  readonly browser: Browser;
}

export interface Suite<Started = Site> {
  /** One test. */
  test(name: string, run: (scene: Scene<Started>) => Promise<void>): void;
  /** A test in both languages and at both widths; `login` is another one each time. */
  testLooks(name: string, run: (scene: Scene<Started>, look: Look & { readonly login: string }) => Promise<void>): void;
}

const ignore = !await hasBrowser();

/** What a suite starts, and what the browser must know of it. */
type Startable = AsyncDisposable & BrowserOptions & Pick<Site, "rootCertificate">;

/** The suite of a file, on the service with its defaults. */
export function pageSuite(): Suite;
/** The suite of a file. @param start what opens the site */
export function pageSuite<Started extends Startable>(start: () => Promise<Started>): Suite<Started>;
export function pageSuite(start: () => Promise<Startable> = startSite): Suite<Startable> {
  const running: { cleanup?: AsyncDisposableStack; scene?: Scene<Startable> } = {};

  Deno.test.beforeAll(async () => {
    if (ignore) return;
    const cleanup = new AsyncDisposableStack();
    running.cleanup = cleanup;
    const site = cleanup.use(await start());
    const { browser } = cleanup.use(await startBrowser([site.rootCertificate], site));
    running.scene = { site, browser };
  });
  Deno.test.afterAll(async () => await running.cleanup?.disposeAsync());

  const counted = { users: 0, tests: 0 };
  const test: Suite<Startable>["test"] = (name, run) => {
    // Site and browser outlive the test.
    Deno.test({ name, ignore, sanitizeOps: false, sanitizeResources: false }, async () => {
      if (running.scene === undefined) throw new TypeError("The site is not started");
      await run(running.scene);
    });
  };
  const testLooks: Suite<Startable>["testLooks"] = (name, run) => {
    for (const look of pairings[counted.tests++ % pairings.length] ?? []) {
      const login = `user-${++counted.users}`;
      test(`${name}, in ${look.language} at ${look.width} px`, (scene) => run(scene, { ...look, login }));
    }
  };
  return { test, testLooks };
}
