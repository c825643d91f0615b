/**
 * Challenges: what a browser must answer within five minutes. They are signed instead of stored, see README.md.
 *
 *     challenge := base64url(<time of issue, 6 bytes> <payload> <HMAC-SHA-256, 32 bytes>)
 *
 * The payload is random, or what the answer is about, such as a new TOTP secret. The signature covers the scope too.
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { cookieReader, hostCookie } from "../http/cookie.ts";
import { type Bytes, decodeBase64url } from "./encoding.ts";

/** Lifetime of a challenge, and of the cookie of the browser that asked for it. */
export const challengeMs = 5 * 60 * 1_000;
/** How far the clock of the instance that issued a challenge may be ahead. */
const maxAheadMs = 60 * 1_000;
/** In bytes. W3C WebAuthn Level 3, 13.4.3 asks for 16 random ones at least. */
const [timeLength, randomLength, maxPayloadLength, macLength] = [6, 16, 64, 32];

const cookieName = "__Host-gatehouse-ceremony";
const readCookie = cookieReader(cookieName);

export interface ChallengeScope {
  /** What an answer is good for. */
  readonly purpose: "passkey-registration" | "passkey-login" | "totp-setup" | "site-login";
  /** "" while the user is unknown. */
  readonly login: string;
  /** The browser: the id of its session, or its `ceremonyBinding`, followed by the origin of a site. */
  readonly binding: string;
}

/** Issues challenges, and checks those that come back. */
export class Challenges {
  readonly #key: string;
  readonly #now: () => number;

  /** @param key is the same for all instances */
  constructor(key: string, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  /** @param payload at most 64 bytes; by default random ones */
  issue(scope: ChallengeScope, payload: Uint8Array = randomBytes(randomLength)): string {
    const time = Buffer.alloc(timeLength);
    time.writeUIntBE(this.#now(), 0, timeLength);
    const signed = Buffer.concat([time, payload]);
    return Buffer.concat([signed, this.#sign(signed, scope)]).toString("base64url");
  }

  /** Returns what a challenge holds, or `undefined` if it is forged, expired or of another scope. */
  open(challenge: unknown, scope: ChallengeScope): { readonly issuedAt: number; readonly payload: Bytes } | undefined {
    const bytes = decodeBase64url(challenge, timeLength + maxPayloadLength + macLength);
    if (bytes === undefined || bytes.length < timeLength + macLength) return undefined;
    const signed = bytes.subarray(0, -macLength);
    if (!timingSafeEqual(this.#sign(signed, scope), bytes.subarray(-macLength))) return undefined;
    const issuedAt = signed.readUIntBE(0, timeLength);
    const now = this.#now();
    const isCurrent = issuedAt - maxAheadMs <= now && now < issuedAt + challengeMs;
    return isCurrent ? { issuedAt, payload: signed.subarray(timeLength) } : undefined;
  }

  #sign(signed: Uint8Array, { purpose, login, binding }: ChallengeScope): Buffer {
    // Unambiguous: the array ends where its bracket closes.
    const scope = JSON.stringify(["gatehouse challenge", purpose, login, binding]);
    return createHmac("sha256", this.#key).update(scope).update(signed).digest();
  }
}

/**
 * Binds challenges to a browser without a session: the value of its cookie, which no other host can set, or a new one.
 * A browser keeps its value, so that a second tab does not make the challenge of the first void.
 */
export function ceremonyBinding(headers: Headers): string {
  return presentedBinding(headers) ?? randomBytes(16).toString("base64url");
}

/** Returns the value of the cookie; `undefined` if the browser has none. */
export function presentedBinding(headers: Headers): string | undefined {
  const value = readCookie(headers) ?? "";
  return /^[A-Za-z0-9_-]{22}$/.test(value) ? value : undefined;
}

/** The Set-Cookie that comes with a challenge. @param maxAgeMs by default the lifetime of a challenge */
export function ceremonyCookie(binding: string, maxAgeMs = challengeMs): string {
  return hostCookie({ pair: `${cookieName}=${binding}`, maxAgeSeconds: maxAgeMs / 1_000 });
}
