/**
 * What Caddy serves, seen from outside: its address, whom to trust for it, and whether it answers yet.
 *
 * Nothing is believed that the root certificate does not vouch for, not even while waiting. Where the root lies is
 * asked of Caddy itself, as its data folder differs from system to system.
 */

import { delay } from "@std/async/delay";
import { ConfigError } from "../lib/config/config.ts";
import { SiteClient } from "./doctor_client.ts";

const pollMs = 100;
const askTimeoutMs = 5 * 1_000;
const defaultNoticeMs = 30 * 1_000;
/** In Caddy's data folder. */
const rootFile = "pki/authorities/local/root.crt";
/** Where Debian's service keeps it, which runs as a user of its own. */
const serviceDataFolder = "/var/lib/caddy/.local/share/caddy";

/** Where Caddy serves and whom to trust for it. */
export interface Site {
  readonly url: URL;
  /** The file of the root certificate, or `undefined` when a public CA issues the certificate. */
  readonly rootPath: string | undefined;
}

/** When to end waiting, and how often to say that one still waits. */
export interface WaitOptions {
  readonly signal: AbortSignal;
  readonly onNotice: (text: string) => void;
  readonly noticeMs?: number;
}

/**
 * The site of the settings that `caddy/Caddyfile` documents, SITE and TLS.
 * @returns `undefined` when there is no Caddy on the PATH
 * @throws {ConfigError} SITE is no address of an HTTPS site
 */
export async function findSite(env: Readonly<Record<string, string>>): Promise<Site | undefined> {
  const dataFolder = await caddyDataFolder();
  if (dataFolder === undefined) return undefined;
  const isInternal = (env.TLS ?? "internal") === "internal";
  return {
    url: siteUrl(env.SITE ?? "https://localhost:8443"),
    rootPath: isInternal ? `${dataFolder}/${rootFile}` : undefined,
  };
}

/**
 * The first of the addresses that a site of a Caddyfile may have; the scheme may be missing there.
 * @throws {ConfigError} it is no address of an HTTPS site
 */
export function siteUrl(addresses: string): URL {
  const [address = ""] = addresses.trim().split(/[\s,]+/);
  const url = URL.parse(address.includes("://") ? address : `https://${address}`);
  if (url?.protocol === "https:") return url;
  throw new ConfigError([`SITE cannot be "${addresses}": use an address such as https://localhost:8443`]);
}

/** The root certificates of Caddy's own CAs on this machine, as far as they can be read. PEM. */
export async function caddyRoots(): Promise<string[]> {
  const folders = [await caddyDataFolder(), serviceDataFolder].filter((folder) => folder !== undefined);
  const reads = await Promise.allSettled(folders.map((folder) => Deno.readTextFile(`${folder}/${rootFile}`)));
  return reads.filter((read) => read.status === "fulfilled").map(({ value }) => value);
}

/**
 * Waits until the site answers that it is ready.
 * @returns `false` when `signal` was aborted before
 */
export async function waitForSite(site: Site, options: WaitOptions): Promise<boolean> {
  const { signal, onNotice, noticeMs = defaultNoticeMs } = options;
  let noticeAt = Date.now() + noticeMs;
  while (!signal.aborted) {
    const fault = await ask(site);
    if (fault === undefined) return true;
    if (Date.now() >= noticeAt) {
      onNotice(`${site.url.origin} does not answer yet: ${fault}`);
      noticeAt = Date.now() + noticeMs;
    }
    await delay(pollMs);
  }
  return false;
}

/** SHA-256 of the certificate's DER bytes, as `openssl x509 -noout -fingerprint -sha256` prints it. */
export async function fingerprint(pem: string): Promise<string> {
  const base64 = pem.replace(/-----(BEGIN|END) CERTIFICATE-----/g, "");
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.fromBase64(base64));
  return new Uint8Array(digest).toHex().toUpperCase().replace(/..(?=.)/g, "$&:");
}

/**
 * Asks the site whether it is ready, never through a proxy: it is on this machine, and `fetch` would ask the one that
 * `HTTPS_PROXY` names.
 *
 * @returns why not, or `undefined` when it is
 */
async function ask({ url, rootPath }: Site): Promise<string | undefined> {
  try {
    const caCerts = rootPath === undefined ? [] : [await Deno.readTextFile(rootPath)];
    const { status } = await new SiteClient(url, { caCerts, timeoutMs: askTimeoutMs }).get("/health/ready");
    return status === 200 ? undefined : `status ${status}`;
  } catch (error) {
    // No certificate yet, nobody listening, a certificate of someone else: it is asked again.
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
