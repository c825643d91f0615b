/**
 * The site that Caddy serves, seen from outside: its address, its root certificate, and whether it responds yet.
 *
 * Nothing is trusted that the root certificate does not vouch for, not even while waiting. Caddy itself reports its
 * data folder, which differs between systems.
 */

import { setTimeout as delay } from "node:timers/promises";
import { ConfigError } from "../lib/config/config.ts";
import type { Environment } from "../lib/config/settings.ts";
import { TaskError } from "../lib/tasks/task.ts";
import { SiteClient } from "./doctor_client.ts";

const pollMs = 100;
const requestTimeoutMs = 5 * 1_000;
const defaultNoticeMs = 30 * 1_000;
/** In Caddy's data folder. */
const rootFile = "pki/authorities/local/root.crt";
/** The data folder of Debian's service, which runs as its own user. */
const serviceDataFolder = "/var/lib/caddy/.local/share/caddy";

/** A site and its root certificate. */
export interface Site {
  readonly url: URL;
  /** The file of the root certificate; `undefined` when a public CA issues the certificate. */
  readonly rootPath: string | undefined;
}

/**
 * The site of the settings SITE and TLS, which `caddy/Caddyfile` documents.
 * @throws {TaskError} there is no Caddy on the PATH
 * @throws {ConfigError} SITE is not an address of an HTTPS site
 */
export async function findSite({ SITE = "https://localhost:8443", TLS = "internal" }: Environment): Promise<Site> {
  const dataFolder = await caddyDataFolder();
  if (dataFolder === undefined) {
    throw new TaskError(
      "Cannot serve HTTPS as there is no caddy on the PATH. To install it: apt-get install caddy (Debian), " +
        "brew install caddy (macOS), https://caddyserver.com/docs/install (others)",
    );
  }
  return { url: siteUrl(SITE), rootPath: TLS === "internal" ? `${dataFolder}/${rootFile}` : undefined };
}

/**
 * The first address of a site block; its scheme may be missing.
 * @throws {ConfigError} it is not an address of an HTTPS site
 */
export function siteUrl(addresses: string): URL {
  const [address = ""] = addresses.trim().split(/[\s,]+/);
  const url = URL.parse(address.includes("://") ? address : `https://${address}`);
  if (url?.protocol === "https:") return url;
  throw new ConfigError([`SITE cannot be "${addresses}": use an address such as https://localhost:8443`]);
}

/** The readable root certificates of Caddy's own CAs on this machine, as PEM. */
export async function caddyRoots(): Promise<string[]> {
  const folders = [await caddyDataFolder(), serviceDataFolder].filter((folder) => folder !== undefined);
  const reads = await Promise.allSettled(folders.map((folder) => Deno.readTextFile(`${folder}/${rootFile}`)));
  return reads.filter((read) => read.status === "fulfilled").map(({ value }) => value);
}

/** Waits until the site responds that it is ready. @returns `false` if `signal` was aborted before */
export async function waitForSite(
  site: Site,
  options: { signal: AbortSignal; onNotice: (text: string) => void; noticeMs?: number },
): Promise<boolean> {
  const { signal, onNotice, noticeMs = defaultNoticeMs } = options;
  for (let noticeAt = Date.now() + noticeMs; !signal.aborted; await delay(pollMs)) {
    const reason = await whyNotReady(site);
    if (reason === undefined) return true;
    if (Date.now() < noticeAt) continue;
    onNotice(`${site.url.origin} does not respond yet: ${reason}`);
    noticeAt = Date.now() + noticeMs;
  }
  return false;
}

/** Requests the site directly: `fetch` would use the proxy that `HTTPS_PROXY` names. */
async function whyNotReady({ url, rootPath }: Site): Promise<string | undefined> {
  try {
    const caCerts = rootPath === undefined ? [] : [await Deno.readTextFile(rootPath)];
    const { status } = await new SiteClient(url, { caCerts, timeoutMs: requestTimeoutMs }).get("/health/ready");
    return status === 200 ? undefined : `status ${status}`;
  } catch (error) {
    // No certificate yet, no listener, or another site's certificate: the next try may succeed.
    return String(error);
  }
}

async function caddyDataFolder(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("caddy", { args: ["environ"], stderr: "null" }).output();
    return /^caddy\.AppDataDir=(.+)$/m.exec(new TextDecoder().decode(stdout))?.[1];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
