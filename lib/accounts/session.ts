/**
 * Sessions: the token, the cookie that can carry it, and how long it is good for.
 *
 *     token := <id of the session, a ULID, 26 characters> "." <secret, 32 random bytes as base64url, 43 characters>
 *
 * Only the SHA-256 of the secret is kept, so whoever reads the data folder cannot act as anyone. A fast hash will do,
 * unlike for passwords, as nobody guesses 256 random bits. Every way in which a token is bad has one outcome: none.
 */

import { hash } from "node:crypto";
import { ulid } from "@std/ulid";
import type { Config } from "../config/config.ts";
import { cookieReader } from "../http/cookie.ts";
import { copyHeaderText, copyText } from "../http/kept_text.ts";
import {
  type ExpiryLimits,
  maxSessionAheadMs,
  type Session,
  type SessionPage,
  type SessionQuery,
  type Store,
  type UserSession,
} from "../store.ts";

/** OWASP ASVS 5.0, 7.2.3 asks for 128 bits at least. */
const secretBytes = 32;
/** A session is noted as seen at most this often, so that using it hardly ever writes. */
const touchEveryMs = 60 * 60 * 1_000;
/** And as often as this in a short idle lifetime: one of an hour would end in spite of being used. */
const touchesPerIdle = 10;
/** Of a token, characters: a ULID. */
const idLength = 26;
/** Longest User-Agent that is kept, in units of UTF-16: enough to recognize one's own browser. */
export const maxUserAgentLength = 256;
/** `__Host-`: only this very host can set it, over HTTPS, for all its paths (RFC 6265bis, 4.1.3.2). */
export const cookieName = "__Host-gatehouse";
/** Longest origin that is looked at, characters: a scheme, the longest host and a port. */
const maxOriginLength = 300;

export const tokenPattern = /^([0-9A-HJKMNP-TV-Z]{26})\.([A-Za-z0-9_-]{43})$/;

/** How long sessions are good for; part of `Config`. */
export type Lifetimes = Pick<Config, "sessionIdleMs" | "sessionMaxMs">;

export interface NewSession {
  readonly session: Session;
  /** Given to the client, once, and kept on no disk. */
  readonly token: string;
}

/** A token as a request carries it. */
export interface Presented {
  readonly token: string;
  /** Browsers send a cookie by themselves, also when another site asks them to. */
  readonly isCookie: boolean;
}

/** Makes a session of `login`; it is not stored yet. @param options `userAgent` as the header has it */
export function createSession(
  login: string,
  options: { now: number; userAgent: string; address: string },
): NewSession {
  const { now, userAgent, address } = options;
  const id = ulid(now);
  const secret = crypto.getRandomValues(new Uint8Array(secretBytes))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  const session = {
    id,
    login,
    secretHash: hashSecret(secret),
    createdAt: now,
    lastSeenAt: now,
    userAgent: copyHeaderText(userAgent, maxUserAgentLength),
    address: copyText(address),
  };
  return { session, token: `${id}.${secret}` };
}

/**
 * The token of a request: of `Authorization`, else of the cookie. A header that carries no token of ours says nothing:
 * a proxy in front may want one for itself, as for HTTP Basic.
 */
export function presentedToken(headers: Headers): Presented | undefined {
  const bearer = bearerToken(headers);
  if (bearer !== undefined) return { token: bearer, isCookie: false };
  const token = cookieToken(headers);
  return token === undefined ? undefined : { token, isCookie: true };
}

/** The token of `Authorization: Bearer` (RFC 6750, 2.1); `undefined` when it does not look like one of ours. */
export function bearerToken(headers: Headers): string | undefined {
  const token = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  return token !== undefined && tokenPattern.test(token) ? token : undefined;
}

/** The token of the cookie. */
export const cookieToken = cookieReader(cookieName);

/**
 * The session that a token stands for, with its user, if it is one and good at `now`. Now and then it is noted as seen,
 * which is not waited for: `onFault` is told when that fails.
 */
export async function findLiveSession(
  token: string,
  options: { store: Store; lifetimes: Lifetimes; now: number; onFault: (error: unknown) => void },
): Promise<UserSession | undefined> {
  const { store, lifetimes, now, onFault } = options;
  if (!tokenPattern.test(token)) return undefined;
  const found = await store.findSession(token.slice(0, idLength));
  if (found === undefined || !isSecretOf(found.session, token.slice(idLength + 1))) return undefined;
  const { session } = found;
  if (now >= expiresAt(session, lifetimes)) return undefined;
  if (now >= touchedAt(session, lifetimes) || isAhead(session, now)) store.touchSession(session.id, now).catch(onFault);
  return found;
}

/** When a session that is in use is to be noted as seen again, in milliseconds since the epoch. */
function touchedAt(session: Session, lifetimes: Lifetimes): number {
  return session.lastSeenAt + Math.min(touchEveryMs, lifetimes.sessionIdleMs / touchesPerIdle);
}

/** Whether it was made or seen before the clock was set back: it would live for so much longer, and is brought back. */
function isAhead({ createdAt, lastSeenAt }: Session, now: number): boolean {
  return Math.max(createdAt, lastSeenAt) - now > maxSessionAheadMs;
}

/** When a session that is not used again expires, in milliseconds since the epoch. */
export function expiresAt(session: Session, lifetimes: Lifetimes): number {
  return Math.min(session.lastSeenAt + lifetimes.sessionIdleMs, session.createdAt + lifetimes.sessionMaxMs);
}

/** A page of the sessions of a user that are good at `now`. */
export function listLiveSessions(
  login: string,
  options: { store: Store; lifetimes: Lifetimes; now: number; page: Pick<SessionQuery, "limit" | "after"> },
): Promise<SessionPage> {
  const { store, page } = options;
  const { lastSeenUntil, createdUntil } = expiryLimits(options);
  return store.listSessions(login, { ...page, seenAfter: lastSeenUntil, createdAfter: createdUntil });
}

/** Deletes the sessions that have expired by `now`. @returns how many */
export function deleteExpiredSessions(
  store: Store,
  options: { lifetimes: Lifetimes; now: number },
): Promise<number> {
  return store.deleteExpiredSessions(expiryLimits(options));
}

/** What has expired by `now`: as `expiresAt`, of all sessions. */
function expiryLimits({ lifetimes, now }: { lifetimes: Lifetimes; now: number }): ExpiryLimits {
  return { lastSeenUntil: now - lifetimes.sessionIdleMs, createdUntil: now - lifetimes.sessionMaxMs };
}

/** The Set-Cookie that gives a browser the token. @param maxAgeSeconds for how long; 0 takes it away */
export function sessionCookie(token: string, maxAgeSeconds: number): string {
  return `${cookieName}=${token}; Max-Age=${maxAgeSeconds}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}

/** For a browser whose session has ended: it forgets the pages that it keeps, in its cache and for Back. */
export const forgetPages = { "clear-site-data": '"cache"' };

/**
 * Whether a browser sent the request for a page of this very origin: by `Sec-Fetch-Site`, which pages cannot forge,
 * else by `Origin`. Without either it is taken for another's.
 */
export function isSameOrigin({ headers, url }: Pick<Request, "headers" | "url">): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = headers.get("origin");
  // The scheme is not compared, as only the proxy knows it: the cookie is sent over HTTPS alone.
  if (origin === null || origin.length > maxOriginLength) return false;
  const host = URL.parse(origin)?.host ?? "";
  return host !== "" && host === (headers.get("host") ?? authorityOf(url));
}

/** Where HTTP/2 has it, and the absolute form of HTTP/1.1: those have no Host header (RFC 9113, 8.3.1). */
function authorityOf(url: string): string | undefined {
  return /^[^/]*\/\/([^/?#]*)/.exec(url)?.[1];
}

/**
 * Takes the same time wherever the two differ. As text: to encode both takes half as long as the hash, for each request
 * to a guarded site.
 */
function isSecretOf({ secretHash }: Session, secret: string): boolean {
  const given = hashSecret(secret);
  let difference = given.length ^ secretHash.length;
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ secretHash.charCodeAt(index);
  }
  return difference === 0;
}

/** Hex, as it is made in half the time of base64url and looked at for each request. */
function hashSecret(secret: string): string {
  return hash("sha256", secret, "hex");
}
