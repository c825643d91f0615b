/**
 * Passwords as they are kept: PBKDF2-HMAC-SHA256 in PHC text.
 *
 *     $pbkdf2-sha256$i=600000$<salt>$<hash>        16-byte salt and 32-byte hash in base64 without padding
 *
 * Every hash has a salt of its own, so equal passwords are not seen to be equal, and carries its cost, so the cost can
 * be raised while old hashes still verify. Passwords are normalized to NFC first (NIST SP 800-63B-4, 3.1.1.2): an "é"
 * typed on another system may be two code points, and is the same letter. WebCrypto does the work, in threads beside
 * the event loop.
 *
 * Normalizing takes time by the square of the combining marks in a row: 8 kB of them took 27 ms of the event loop. So
 * what is longer than any password, or has more marks in a row than any text, is not normalized, and is nobody's
 * password.
 */

import { hash as digest } from "node:crypto";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { maxIterations } from "../config/settings.ts";

/** NIST SP 800-132, 5.1 asks for at least 16. */
const saltBytes = 16;
/** The output of one SHA-256: more would double the defender's work and not the attacker's. */
const hashBytes = 32;

/** Bytes of UTF-8: 1,024 in NFC, the longest password, are at most three times as many in NFD (UAX #15, 12). */
export const maxNormalizedBytes = 4_096;
/** As in the Stream-Safe Text Format (UAX #15, 13): no language has more than a few on one letter. */
export const maxMarksInARow = 30;
/** Every character that NFC reorders is a mark. Each step looks at no more than 31 characters. */
const tooManyMarks = new RegExp(`\\p{M}{${maxMarksInARow + 1}}`, "u");
/** HMAC pads its key with NUL (RFC 2104, 2), so that a password would be the same with some at its end. */
const nul = "\0";

const encoder = new TextEncoder();
const phcPattern = /^\$pbkdf2-sha256\$i=([1-9]\d{0,8})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/**
 * Hashes a password with a new salt.
 *
 * @param iterations 1…10,000,000; see `recommendedIterations`
 * @returns PHC text
 * @throws {TypeError} no password can be this one, see `normalizePassword`
 */
export async function hashPassword(password: string, iterations: number): Promise<string> {
  const text = normalizePassword(password);
  if (text === undefined) throw new TypeError("Cannot hash a password that is too long, or has NUL or too many marks");
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
  const hash = await derive(text, { salt, iterations });
  return `$pbkdf2-sha256$i=${iterations}$${toBase64(salt)}$${toBase64(hash)}`;
}

/**
 * Whether `password` is the one that `passwordHash` was made of, at the cost that the hash names.
 *
 * @throws {TypeError} the hash is not PHC text of this kind
 */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const { iterations, salt, hash } = parseHash(passwordHash);
  const text = normalizePassword(password);
  // What is nobody's password takes the same work.
  const isRight = timingSafeEqual(await derive(text ?? "", { salt, iterations }), hash);
  return isRight && text !== undefined;
}

/** The cost at which the hash was made; 0 when it is none that can be verified, or dearer than any setting. */
export function iterationsOf(passwordHash: string): number {
  const iterations = Number(phcPattern.exec(passwordHash)?.[1] ?? 0);
  return iterations > maxIterations ? 0 : iterations;
}

/**
 * A password as it is hashed and compared, in NFC; `undefined` when it is nobody's: longer than any password, with more
 * marks in a row than any text, or with NUL.
 */
export function normalizePassword(password: string): string | undefined {
  if (isTooLong(password) || password.includes(nul) || tooManyMarks.test(password)) return undefined;
  return password.normalize("NFC");
}

/** Whether it is longer than any password in any form, in bytes. */
export function isTooLong(password: string): boolean {
  // A UTF-16 unit has at least one byte.
  return password.length > maxNormalizedBytes || encoder.encode(password).length > maxNormalizedBytes;
}

/** Whether both are the same password. The time it takes does not tell how much of them is the same. */
export function isSamePassword(one: string, other: string): boolean {
  const [a, b] = [normalizePassword(one), normalizePassword(other)];
  if (a === undefined || b === undefined) return false;
  return timingSafeEqual(digest("sha256", a, "buffer"), digest("sha256", b, "buffer"));
}

interface ParsedHash {
  readonly iterations: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly hash: Uint8Array<ArrayBuffer>;
}

function parseHash(passwordHash: string): ParsedHash {
  const [, iterations, salt, hash] = phcPattern.exec(passwordHash) ?? [];
  if (iterations === undefined || salt === undefined || hash === undefined || Number(iterations) > maxIterations) {
    // Without the text: a hash in a log is a hash to be guessed at.
    throw new TypeError(
      `Cannot parse a password hash: it is not $pbkdf2-sha256$i=…$salt$hash of at most ${maxIterations} iterations`,
    );
  }
  return {
    iterations: Number(iterations),
    salt: Uint8Array.fromBase64(salt),
    hash: Uint8Array.fromBase64(hash),
  };
}

async function derive(
  password: string,
  options: { salt: Uint8Array<ArrayBuffer>; iterations: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { salt, iterations } = options;
  const key = await crypto.subtle.importKey("raw", encoder.encode(password), "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, hashBytes * 8));
}

function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}
