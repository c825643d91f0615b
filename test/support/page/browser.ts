/**
 * A real browser for tests of the page: Chromium that trusts the root certificates of the test's own Caddys, as a
 * person who has imported them does. No error of a certificate is ignored.
 *
 * It has a home of its own, with the NSS database that Chromium on Linux reads roots from, and is gone with it.
 */
// playwright-core: drives the Debian package's Chromium; it brings no browser of its own.
import { type Browser, type BrowserContext, chromium } from "npm:playwright-core@1.65.1";
import { ensureProgram } from "../packages.ts";

/** A host that the browser finds on this machine. */
export const plainHost = "plain.test";

/** Whether there is all that a browser needs; on Debian it is installed. */
export async function hasBrowser(): Promise<boolean> {
  const found = [
    await ensureProgram("caddy", "caddy"),
    await ensureProgram("chromium", "chromium"),
    await ensureProgram("certutil", "libnss3-tools"),
  ];
  return found.every(Boolean);
}

/** What is different from the defaults of Playwright. */
export interface BrowserOptions {
  readonly hasBackCache?: boolean;
  readonly hostRules?: string;
}

/** A browser that runs. */
export interface RunningBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/**
 * Starts Chromium.
 *
 * @param roots PEM of each root certificate that it is to trust
 * @param options `hasBackCache`: whether Back restores pages from memory, as for users; Playwright turns it off.
 * `hostRules`: further hosts that it finds on this machine, as `--host-resolver-rules` has them
 */
export async function startBrowser(
  roots: readonly string[],
  options: BrowserOptions = {},
): Promise<RunningBrowser> {
  await using cleanup = new AsyncDisposableStack();
  const home = await makeHome(roots, cleanup);
  const browser = await chromium.launch(launchOptions(home, options));
  cleanup.defer(() => browser.close());
  const owned = cleanup.move();
  return { browser, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Starts Chromium as a user who has blocked the cookies of a host. @param options `origin` is of the host */
export async function startWithoutCookies(
  roots: readonly string[],
  { origin, ...options }: BrowserOptions & { readonly origin: string },
): Promise<AsyncDisposable & { readonly context: BrowserContext }> {
  await using cleanup = new AsyncDisposableStack();
  const home = await makeHome(roots, cleanup);
  await Deno.mkdir(`${home}/profile/Default`, { recursive: true });
  const preferences = {
    profile: { content_settings: { exceptions: { cookies: { [`${origin}:443,*`]: { setting: 2 } } } } },
  };
  await Deno.writeTextFile(`${home}/profile/Default/Preferences`, JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(`${home}/profile`, launchOptions(home, options));
  cleanup.defer(() => context.close());
  const owned = cleanup.move();
  return { context, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function makeHome(roots: readonly string[], cleanup: AsyncDisposableStack): Promise<string> {
  const home = await Deno.makeTempDir({ prefix: "gatehouse-home-" });
  // Chromium's last writes may come after its end.
  cleanup.defer(() => Deno.remove(home, { recursive: true }).catch(() => {}));
  await trust(home, roots);
  return home;
}

function launchOptions(home: string, { hasBackCache = false, hostRules }: BrowserOptions) {
  // A name that is not the machine's own, for what a browser does without HTTPS.
  const hosts = [`MAP ${plainHost} 127.0.0.1`, ...hostRules === undefined ? [] : [hostRules]];
  return {
    executablePath: "/usr/bin/chromium",
    env: { HOME: home, PATH: Deno.env.get("PATH") ?? "" },
    ignoreDefaultArgs: hasBackCache ? ["--disable-back-forward-cache"] : [],
    args: [
      // Root, as which CI runs, has no sandbox; all pages are our own.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      // Tabs of one profile share a process, with the scripts that it has compiled.
      "--renderer-process-limit=1",
      `--host-resolver-rules=${hosts.join(", ")}`,
    ],
  };
}

async function trust(home: string, roots: readonly string[]): Promise<void> {
  const folder = `${home}/.pki/nssdb`;
  await Deno.mkdir(folder, { recursive: true });
  await certutil(["-d", `sql:${folder}`, "-N", "--empty-password"]);
  for (const [index, root] of roots.entries()) {
    const path = `${home}/root-${index}.crt`;
    await Deno.writeTextFile(path, root);
    await certutil(["-d", `sql:${folder}`, "-A", "-t", "C,,", "-n", `root-${index}`, "-i", path]);
  }
}

async function certutil(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("certutil", { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot trust the root certificate: ${new TextDecoder().decode(stderr)}`);
}
