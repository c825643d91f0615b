/** A home with guarded sites as it is run: the service, the proxy before it, and what users do in a browser. */
import type { BrowserContext, Page } from "npm:playwright-core@1.65.1";
import { home, type HomeProxy, type HomeProxyOptions, sites, startHomeProxy } from "./home_proxy.ts";
import { accountsOf, password, type Site } from "../page/site.ts";
import type { BrowserOptions } from "../page/browser.ts";
import { startService } from "../service.ts";

/** Settings of the service. */
export const homeSettings = { GATEHOUSE_HOME: home, GATEHOUSE_SITES: sites.join() };

/** How to run it. */
export interface HomeOptions extends Omit<HomeProxyOptions, "upstream">, Pick<BrowserOptions, "hasBackCache"> {
  /** Of the service; by default `homeSettings`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What runs. `url` is the page of the home. */
export interface Home extends Site, HomeProxy {
  readonly hasBackCache: boolean;
  /** Kills the service as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, by default with `homeSettings`. */
  restart(settings?: Readonly<Record<string, string>>): Promise<void>;
}

/** Starts all of it. */
export async function startHome({ settings = homeSettings, ...options }: HomeOptions = {}): Promise<Home> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const first = await startService({ env: { ...settings, GATEHOUSE_STORE: folder } });
  const running = { service: first };
  cleanup.defer(() => running.service[Symbol.asyncDispose]());
  const { host } = new URL(first.url);
  const proxy = cleanup.use(await startHomeProxy({ ...options, upstream: host }));
  const owned = cleanup.move();
  return {
    ...proxy,
    ...accountsOf(first),
    url: `${home}/`,
    hasBackCache: options.hasBackCache ?? false,
    kill: () => running.service.kill(),
    async restart(other = homeSettings) {
      await running.service.kill();
      running.service = await startService({ env: { ...other, GATEHOUSE_STORE: folder, GATEHOUSE_LISTEN: host } });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Fills in the login form, and sends it. */
export async function sendLogin(page: Page, login: string): Promise<void> {
  await page.getByLabel("Login", { exact: true }).fill(login);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

/** Opens a page that leads to the login, and logs in. */
export async function logInAt(page: Page, { url, login }: { readonly url: string; readonly login: string }) {
  await page.goto(url);
  await sendLogin(page, login);
  await page.waitForURL(url);
}

/** Waits for a page of an app, at this address. */
export async function seeSite(page: Page, url: string): Promise<void> {
  await page.getByRole("heading", { name: new URL(url).host, exact: true }).waitFor();
  if (page.url() !== url) throw new Error(`The page is ${page.url()} instead of ${url}`);
}

/** Waits for the form of the home that leads to a site. */
export async function seeLogin(page: Page, site: string): Promise<void> {
  await page.getByRole("heading", { name: `Log in to ${new URL(site).host}`, exact: true }).waitFor();
  if (new URL(page.url()).origin !== home) throw new Error(`The form is at ${page.url()}`);
}

/** The value of the session's cookie of a host; `undefined` without one. */
export async function tokenOf(context: BrowserContext, origin: string): Promise<string | undefined> {
  const cookies = await context.cookies(`${origin}/`);
  return cookies.find(({ name }) => name === "__Host-gatehouse")?.value;
}

/** Opens the same path of all sites, one after the other, and logs in once. */
export async function openEach(page: Page, { login, path }: { readonly login: string; readonly path: string }) {
  for (const [index, origin] of sites.entries()) {
    const url = origin + path;
    await page.goto(url);
    if (index === 0) {
      await seeLogin(page, origin);
      await sendLogin(page, login);
    }
    await seeSite(page, url);
  }
}

/** Holds the request that brings a code to a site. Playwright's own routes do not see redirects. */
export async function holdCode(page: Page) {
  const protocol = await page.context().newCDPSession(page);
  const held = Promise.withResolvers<{ readonly url: string; readonly requestId: string }>();
  const timer = setTimeout(() => held.reject(new Error("No code has come")), 15_000);
  protocol.once("Fetch.requestPaused", ({ request, requestId }) => {
    clearTimeout(timer);
    held.resolve({ url: request.url, requestId });
  });
  await protocol.send("Fetch.enable", { patterns: [{ urlPattern: "*/auth/site-session/*" }] });
  return {
    /** Resolves when it is there. */
    url: async () => (await held.promise).url,
    release: async () => {
      await held.promise;
      // It continues the request, and holds no further one.
      await protocol.send("Fetch.disable");
    },
    drop: async () => {
      const { requestId } = await held.promise;
      await protocol.send("Fetch.failRequest", { requestId, errorReason: "Aborted" });
      await protocol.send("Fetch.disable");
    },
  };
}
