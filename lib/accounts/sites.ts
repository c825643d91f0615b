/**
 * The home, where users log in, and the guarded sites that it logs them in to: `GATEHOUSE_HOME` and `GATEHOUSE_SITES`.
 *
 * A browser has a token for each site, of the form of a session's token. Its secret is good for `/guard/` at that site
 * only; the session of the home has its SHA-256, so that the token ends with the session:
 *
 *     secret := HMAC-SHA-256(key of the register, binding, id of the session, origin), as base64url
 *
 * The binding is a random value of the browser, which is not stored. So all tabs of a browser get the same token, and a
 * reader of the register cannot make one.
 */

import { createHmac, hash } from "node:crypto";
import { HttpError } from "../http/http_error.ts";
import type { Session, SiteLogin } from "../store.ts";
import { hashSecret } from "./session.ts";

/** Lifetime of a code that leads a browser from the home to a site. */
export const siteCodeMs = 60 * 1_000;

/** Characters of a host with its port; more belong to no site. */
export const maxHostLength = 300;

export interface SitesOptions {
  /** Origin, as those of `sites`. */
  readonly home: string;
  readonly sites: readonly string[];
  /** Is the same for all instances. */
  readonly key: string;
}

/** What a code was made for: the site, the state of the browser, and the page wanted there. */
export interface CodeScope {
  readonly origin: string;
  readonly state: string;
  readonly next: string;
}

/** The home and its sites. */
export class Sites {
  readonly home: string;
  readonly origins: readonly string[];
  readonly #key: string;
  /** The home and the sites, by host and port. */
  readonly #byHost: ReadonlyMap<string, string>;

  constructor({ home, sites, key }: SitesOptions) {
    this.home = home;
    this.origins = sites;
    this.#key = key;
    this.#byHost = new Map([home, ...sites].map((origin) => [new URL(origin).host, origin]));
  }

  /**
   * Returns the site that a request was sent to; `undefined` is the home, or a program that uses no proxy.
   *
   * @throws {HttpError} `unknown-site`: a proxy serves another host
   */
  originOf({ headers }: Request): string | undefined {
    const forwarded = headers.get("x-forwarded-host");
    const host = forwarded ?? headers.get("host") ?? "";
    const origin = host.length > maxHostLength ? undefined : this.#byHost.get(host.toLowerCase());
    if (origin === undefined && forwarded !== null) throw new HttpError("unknown-site");
    return origin === this.home ? undefined : origin;
  }

  /** Makes the token of a site for a browser, and what the session stores of it. */
  logInAt(origin: string, { session, binding }: { readonly session: Session; readonly binding: string }) {
    // Unambiguous: the array ends where its bracket closes.
    const scope = JSON.stringify(["gatehouse site", binding, session.id, origin]);
    const secret = createHmac("sha256", this.#key).update(scope).digest("base64url");
    const site: SiteLogin = { origin, secretHash: hashSecret(secret) };
    return { site, token: `${session.id}.${secret}` };
  }
}

/** Returns the code of the ticket that is stored for a code: it proves what the code was made for. */
export function boundCode(code: string, { origin, state, next }: CodeScope): string {
  return hash("sha256", JSON.stringify([code, origin, state, withoutFragment(next)]), "base64url");
}

/** Returns a path without its fragment, which the page of the home adds to `next`: see `routes/page/link.js`. */
export function withoutFragment(path: string): string {
  return path.replace(/#.*$/s, "");
}
