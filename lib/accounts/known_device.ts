/**
 * Known devices: a cookie by which a browser shows that the owner of a login has logged in from it before.
 *
 *     value := <id, 16 random bytes as base64url> "." <HMAC-SHA256 of id and login, under the user's password hash>
 *
 * It lets nobody in. It makes wrong passwords count for this device alone (see `lib/limits/login_throttle.ts`), so that guesses from
 * elsewhere do not lock the owner out, and gives its passwords every second turn (see `lib/passwords/hash_queue.ts`). As the key is the
 * password hash there is nothing to keep, any process on the same store knows it, and a new password or cost voids it.
 */

import { createHmac } from "node:crypto";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { cookieReader } from "../http/cookie.ts";
import type { User } from "../store.ts";

/** Beside `cookieName` in `lib/accounts/session.ts`. */
export const deviceCookieName = "__Host-gatehouse-device";
const idBytes = 16;
/** RFC 6265bis, 5.5: browsers keep no cookie for longer than 400 days. */
const maxAgeSeconds = 400 * 24 * 60 * 60;

const readCookie = cookieReader(deviceCookieName);
const valuePattern = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

/** The Set-Cookie that makes a browser known as one of `user`. */
export function deviceCookie(user: User): string {
  const id = crypto.getRandomValues(new Uint8Array(idBytes)).toBase64({ alphabet: "base64url", omitPadding: true });
  const value = `${id}.${signature(id, user)}`;
  return `${deviceCookieName}=${value}; Max-Age=${maxAgeSeconds}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}

/** Whether a request comes from a device that says to be a known one. */
export function showsDevice(headers: Headers): boolean {
  return valuePattern.test(readCookie(headers) ?? "");
}

/** The id of the device that a request comes from, if `user` has logged in from it. */
export function knownDeviceId(headers: Headers, user: User | undefined): string | undefined {
  const [, id, signed] = valuePattern.exec(readCookie(headers) ?? "") ?? [];
  if (id === undefined || signed === undefined) return undefined;
  const encoder = new TextEncoder();
  // Also without a user, as the time it takes would tell.
  const isSigned = timingSafeEqual(encoder.encode(signature(id, user)), encoder.encode(signed));
  return isSigned && user !== undefined ? id : undefined;
}

function signature(id: string, user: User | undefined): string {
  const { passwordHash = "", login = "" } = user ?? {};
  return createHmac("sha256", passwordHash).update(`gatehouse device ${id} ${login}`).digest("base64url");
}
