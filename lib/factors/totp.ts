/**
 * Time-based one-time passwords (RFC 6238): codes of an authenticator app. SHA-1, 6 digits and steps of 30 seconds are
 * what every app supports.
 *
 * A code is good for its step and for the one before and after it, as clocks differ. Each step is accepted once: the
 * credential has the last one, and the store replaces it by a later one in one change.
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { maxSessionAheadMs } from "../store.ts";
import { encodeBase32 } from "./encoding.ts";

const stepMs = 30_000;
/** RFC 4226, 4 asks for 16 bytes at least, and recommends these 20. */
const secretLength = 20;
export const totpPattern = /^\d{6}$/;

export function createTotpSecret(): Uint8Array {
  return randomBytes(secretLength);
}

/** For people and, as the `otpauth` URI of a QR code, for authenticator apps. */
export function shownTotpSecret(
  bytes: Uint8Array,
  { login, title }: { readonly login: string; readonly title: string },
): { readonly secret: string; readonly uri: string } {
  const secret = encodeBase32(bytes);
  const label = [title, login].map(encodeURIComponent).join(":");
  return { secret, uri: `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(title)}` };
}

/** The code of a time step (RFC 4226, 5.3). */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", secret).update(counter).digest();
  const number = digest.readUInt32BE(digest.readUInt8(digest.length - 1) & 0x0f) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Returns the step of a code, if it is a current one later than `lastStep`. @param options `code` has 6 digits */
export function acceptedStep(
  secret: Uint8Array,
  { code, lastStep, now }: { readonly code: string; readonly lastStep: number; readonly now: number },
): number | undefined {
  const current = Math.floor(now / stepMs);
  // A step in the future is that of a clock that was set back since.
  const after = lastStep * stepMs <= now + maxSessionAheadMs ? lastStep : 0;
  const isCode = (step: number) => timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(code));
  return [current - 1, current, current + 1].filter((step) => step > after).find(isCode);
}
