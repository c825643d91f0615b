/**
 * Known devices: a cookie shows that the owner of a login has logged in from this browser before.
 *
 *     value := <id, 16 random bytes as base64url> "." <HMAC-SHA256 of id and login, keyed by the user's password hash>
 *
 * It cannot log anyone in. The device has its own count of wrong passwords (`lib/limits/login_throttle.ts`), so guesses
 * from elsewhere do not lock the owner out, and its own turns in the hash queue (`lib/passwords/hash_queue.ts`). As the
 * password hash is the key, nothing is stored, every instance knows the device, and a new password or cost ends it.
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { cookieReader, hostCookie } from "../http/cookie.ts";
import type { User } from "../store.ts";

const cookieName = "__Host-gatehouse-device";
/** RFC 6265bis, 5.5: browsers keep no cookie for longer than 400 days. */
const maxAgeSeconds = 400 * 24 * 60 * 60;
const readCookie = cookieReader(cookieName);
const valuePattern = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

/** The Set-Cookie that makes a browser a known device of `user`. */
export function deviceCookie(user: User): string {
  const id = randomBytes(16).toString("base64url");
  return hostCookie({ pair: `${cookieName}=${id}.${signature(id, user)}`, maxAgeSeconds });
}

/** Whether a request has the cookie of a known device. It may be forged. */
export function showsDevice(headers: Headers): boolean {
  return valuePattern.test(readCookie(headers) ?? "");
}

/** The id of the device that sends a request, if `user` has logged in from it. */
export function knownDeviceId(headers: Headers, user: User | undefined): string | undefined {
  const [, id, signed] = valuePattern.exec(readCookie(headers) ?? "") ?? [];
  if (id === undefined || signed === undefined) return undefined;
  // Without a user too, as the time would reveal that there is none. Both have 43 characters.
  const isSigned = timingSafeEqual(Buffer.from(signature(id, user)), Buffer.from(signed));
  return isSigned && user !== undefined ? id : undefined;
}

function signature(id: string, user: User | undefined): string {
  const { passwordHash = "", login = "" } = user ?? {};
  return createHmac("sha256", passwordHash).update(`gatehouse device ${id} ${login}`).digest("base64url");
}
