/**
 * Sessions: the token, the cookie that can carry it, and the lifetime.
 *
 *     token := <id of the session, a ULID, 26 characters> "." <secret, 32 random bytes as base64url, 43 characters>
 *
 * Only the SHA-256 of the secret is stored, so a reader of the data folder cannot log in. A fast hash suffices, as 256
 * random bits cannot be guessed. All invalid tokens have the same outcome.
 */

import { hash, randomBytes } from "node:crypto";
import { ulid } from "@std/ulid";
import type { Config } from "../config/config.ts";
import { cookieReader, hostCookie } from "../http/cookie.ts";
import { copyHeaderText, copyText } from "../http/kept_text.ts";
import { type Factor, maxSessionAheadMs, type Session, type Store, type UserSession } from "../store.ts";
import type { ExpiryLimits } from "../store/queries.ts";

/** `lastSeenAt` is updated at most this often, so that using a session rarely writes, */
const touchEveryMs = 60 * 60 * 1_000;
/** and this often in an idle lifetime, so that a session with a short one does not end while it is used. */
const touchesPerIdle = 10;
/** Length of a ULID. */
const idLength = 26;
/** Shared by all new sessions, which saves 16 bytes of memory a session. */
const noSites: Session["sites"] = Object.freeze([]);
/** Stored part of a User-Agent, in UTF-16 units: enough to recognize a browser. */
export const maxUserAgentLength = 256;
export const cookieName = "__Host-gatehouse";

export const tokenPattern = /^([0-9A-HJKMNP-TV-Z]{26})\.([A-Za-z0-9_-]{43})$/;

interface FindOptions {
  readonly store: Store;
  readonly lifetimes: Lifetimes;
  readonly now: number;
  /** The guarded site that the token is for; by default it is the session's own. */
  readonly origin?: string | undefined;
  /** Gets the error of a failed update. */
  readonly onError: (error: unknown) => void;
}

type Lifetimes = Pick<Config, "sessionIdleMs" | "sessionMaxMs">;

/**
 * Creates a session of a login; the caller stores it.
 *
 * @param options `userAgent` as in the header
 * @returns the session, and its token for the client
 */
export function createSession(
  login: string,
  options: { now: number; userAgent: string; address: string; factors: readonly Factor[] },
) {
  const { now, userAgent, address, factors } = options;
  const id = ulid(now);
  // OWASP ASVS 5.0, 7.2.3 asks for 16 bytes at least.
  const secret = randomBytes(32).toString("base64url");
  const session: Session = {
    id,
    login,
    secretHash: hashSecret(secret),
    createdAt: now,
    lastSeenAt: now,
    userAgent: copyHeaderText(userAgent, maxUserAgentLength),
    address: copyText(address),
    factors,
    authenticatedAt: now,
    sites: noSites,
  };
  return { session, token: `${id}.${secret}` };
}

/**
 * The token of a request: of `Authorization`, else of the cookie, which browsers also send for other sites. An
 * `Authorization` without a token may be meant for a proxy, as with HTTP Basic.
 */
export function presentedToken(headers: Headers): { token: string; isCookie: boolean } | undefined {
  const bearer = bearerToken(headers);
  if (bearer !== undefined) return { token: bearer, isCookie: false };
  const token = cookieToken(headers);
  return token === undefined ? undefined : { token, isCookie: true };
}

/** The token of `Authorization: Bearer` (RFC 6750, 2.1); `undefined` if it does not have the form of a token. */
export function bearerToken(headers: Headers): string | undefined {
  const token = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  return token !== undefined && tokenPattern.test(token) ? token : undefined;
}

/** The token of the cookie. */
export const cookieToken = cookieReader(cookieName);

/** Finds the valid session of a token, with its user. If its `lastSeenAt` is old, updates it without waiting for it. */
export async function findLiveSession(token: string, options: FindOptions): Promise<UserSession | undefined> {
  const { store, lifetimes, now, origin, onError } = options;
  if (!tokenPattern.test(token)) return undefined;
  const found = await store.findSession(token.slice(0, idLength));
  if (found === undefined) return undefined;
  const { session } = found;
  const { secretHash } = origin === undefined ? session : session.sites.find((site) => site.origin === origin) ?? {};
  if (secretHash === undefined || !isSecretOf(secretHash, token.slice(idLength + 1))) return undefined;
  if (now >= expiresAt(session, lifetimes)) return undefined;
  const touchAt = session.lastSeenAt + Math.min(touchEveryMs, lifetimes.sessionIdleMs / touchesPerIdle);
  // Made or seen before the clock was set back, it would live longer by that: the store brings it back to now.
  const isAhead = Math.max(session.createdAt, session.lastSeenAt, session.authenticatedAt) - now > maxSessionAheadMs;
  if (now >= touchAt || isAhead) store.touchSession(session.id, now).catch(onError);
  return found;
}

/** When a session expires unless it is used, in milliseconds since the epoch. */
export function expiresAt(session: Session, lifetimes: Lifetimes): number {
  return Math.min(session.lastSeenAt + lifetimes.sessionIdleMs, session.createdAt + lifetimes.sessionMaxMs);
}

/** The same as `expiresAt`, for all sessions at `now`. */
export function expiryLimits({ sessionIdleMs, sessionMaxMs }: Lifetimes, now: number): ExpiryLimits {
  return { lastSeenUntil: now - sessionIdleMs, createdUntil: now - sessionMaxMs };
}

/** The Set-Cookie that gives a browser the token. @param maxAgeSeconds 0 deletes the cookie */
export function sessionCookie(token: string, maxAgeSeconds: number): string {
  return hostCookie({ pair: `${cookieName}=${token}`, maxAgeSeconds });
}

/** Makes a browser whose session has ended forget the pages that it stores for Back and in its cache. */
export const forgetPages = { "clear-site-data": '"cache"' };

/** Compares in constant time, as text: encoding both would take half as long as the hash, for each guarded request. */
function isSecretOf(secretHash: string, secret: string): boolean {
  const given = hashSecret(secret);
  let difference = given.length ^ secretHash.length;
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ secretHash.charCodeAt(index);
  }
  return difference === 0;
}

/** Returns the SHA-256 in hex, which takes half the time of base64url. */
export function hashSecret(secret: string): string {
  return hash("sha256", secret, "hex");
}
