/**
 * Password hashes: PBKDF2-HMAC-SHA256 as PHC text.
 *
 *     $pbkdf2-sha256$i=600000$<salt>$<hash>        16-byte salt and 32-byte hash in base64 without padding
 *
 * Every hash has its own salt, so equal passwords have different hashes, and names its cost, so old hashes verify after
 * a change of the setting. WebCrypto computes them in threads next to the event loop.
 *
 * Passwords are normalized to NFC first (NIST SP 800-63B-4, 3.1.1.2): "é" is one code point on some systems and two on
 * others. Normalization is quadratic in the number of consecutive combining marks: 8 kB of them took 27 ms of the event
 * loop. So a text that is longer than any password, or has more marks in a row than any language, matches no password
 * and is not normalized.
 */

import { hash as digest, timingSafeEqual } from "node:crypto";
import { maxIterations } from "../config/settings.ts";

/** NIST SP 800-132, 5.1 asks for at least 16. */
const saltBytes = 16;
/** The output of one SHA-256: more would double the work of the defender and not that of an attacker. */
const hashBytes = 32;
/** In UTF-8. The longest password has 1,024 bytes in NFC, and at most three times as many in NFD (UAX #15, 12). */
const maxNormalizedBytes = 4_096;
/** As in the Stream-Safe Text Format (UAX #15, 13): no language has more than a few on one letter. */
export const maxMarksInARow = 30;
/** Every character that NFC reorders is a mark. Each step looks at 31 characters at most. */
const tooManyMarks = new RegExp(`\\p{M}{${maxMarksInARow + 1}}`, "u");
/** HMAC pads its key with NUL (RFC 2104, 2): a password with NUL at its end would equal the one without. */
const nul = "\0";

const encoder = new TextEncoder();
const headPattern = /^\$(?:pbkdf2-sha256\$i=\d+|argon2id\$v=19\$m=\d+,t=\d+,p=\d+)\$/;
const phcPattern = /^\$pbkdf2-sha256\$i=([1-9]\d{0,8})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/**
 * Hashes a password with a new salt.
 *
 * @param iterations 1…10,000,000
 * @returns PHC text
 * @throws {TypeError} this cannot be a password, see `normalizePassword`
 */
export async function hashPassword(password: string, iterations: number): Promise<string> {
  const text = normalizePassword(password);
  if (text === undefined) throw new TypeError("Cannot hash a password that is too long, or has NUL or too many marks");
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
  const hash = await derive(text, { salt, iterations });
  return `$pbkdf2-sha256$i=${iterations}$${toBase64(salt)}$${toBase64(hash)}`;
}

/**
 * Whether `passwordHash` is a hash of the password.
 *
 * @throws {TypeError} it is not PHC text of this kind
 */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const [, , salt, hash] = phcPattern.exec(passwordHash) ?? [];
  const iterations = iterationsOf(passwordHash);
  if (iterations === 0 || salt === undefined || hash === undefined) {
    // Without the text: a logged hash can be guessed at.
    throw new TypeError(
      `Cannot parse a password hash: it is not $pbkdf2-sha256$i=…$salt$hash of at most ${maxIterations} iterations`,
    );
  }
  const text = normalizePassword(password);
  // A text that cannot be a password takes the same work.
  const derived = await derive(text ?? "", { salt: Uint8Array.fromBase64(salt), iterations });
  return timingSafeEqual(derived, Uint8Array.fromBase64(hash)) && text !== undefined;
}

/** Iterations that the hash names; 0 if it cannot be verified or they are more than any setting. */
export function iterationsOf(passwordHash: string): number {
  const iterations = Number(phcPattern.exec(passwordHash)?.[1] ?? 0);
  return iterations > maxIterations ? 0 : iterations;
}

/** Kind and cost of a hash, the same for all that take the same work; `undefined` if it cannot be verified. */
export function workOf(passwordHash: string): string | undefined {
  const iterations = iterationsOf(passwordHash);
  return iterations === 0 ? undefined : `pbkdf2-sha256 i=${iterations}`;
}

/** The start of a hash, if hashes of the same length that begin so take the same work; otherwise "". */
export function workHeadOf(passwordHash: string): string {
  return headPattern.exec(passwordHash)?.[0] ?? "";
}

/** The NFC form, which is hashed and compared; `undefined` if it is too long, or has NUL or too many marks in a row. */
export function normalizePassword(password: string): string | undefined {
  if (isTooLong(password) || password.includes(nul) || tooManyMarks.test(password)) return undefined;
  return password.normalize("NFC");
}

/** Whether the text has more bytes than any form of any password. */
export function isTooLong(password: string): boolean {
  // A UTF-16 unit has at least one byte in UTF-8.
  return password.length > maxNormalizedBytes || encoder.encode(password).length > maxNormalizedBytes;
}

/** Whether both are the same password, in constant time. */
export function isSamePassword(one: string, other: string): boolean {
  const [a, b] = [normalizePassword(one), normalizePassword(other)];
  if (a === undefined || b === undefined) return false;
  return timingSafeEqual(digest("sha256", a, "buffer"), digest("sha256", b, "buffer"));
}

async function derive(
  password: string,
  options: { readonly salt: Uint8Array<ArrayBuffer>; readonly iterations: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", encoder.encode(password), "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", ...options };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, hashBytes * 8));
}

function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}
