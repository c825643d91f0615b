/**
 * Passwords as they are kept: PBKDF2-HMAC-SHA256 in PHC text.
 *
 *     $pbkdf2-sha256$i=600000$<salt>$<hash>        16-byte salt and 32-byte hash in base64 without padding
 *
 * Every hash has a salt of its own, so equal passwords are not seen to be equal, and carries its cost, so the cost can
 * be raised while old hashes still verify. Passwords are normalized to NFC first (NIST SP 800-63B-4, 3.1.1.2): an "é"
 * typed on another system may be two code points, and is the same letter. WebCrypto does the work, in threads beside
 * the event loop.
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";

/** OWASP Password Storage Cheat Sheet (2026) for PBKDF2-HMAC-SHA256. */
export const recommendedIterations = 600_000;
/** NIST SP 800-132, 5.1 asks for at least 16. */
const saltBytes = 16;
/** The output of one SHA-256: more would double the defender's work and not the attacker's. */
const hashBytes = 32;

/** 1,024 bytes in NFC, the longest password, are at most four times as many UTF-16 units in NFD (UAX #15, 12). */
export const maxNormalizedLength = 4 * 1_024;

const phcPattern = /^\$pbkdf2-sha256\$i=([1-9]\d{0,8})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/**
 * Hashes a password with a new salt.
 *
 * @param iterations 1…999,999,999; see `recommendedIterations`
 * @returns PHC text
 */
export async function hashPassword(password: string, iterations: number): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
  const hash = await derive(password, { salt, iterations });
  return `$pbkdf2-sha256$i=${iterations}$${toBase64(salt)}$${toBase64(hash)}`;
}

/**
 * Whether `password` is the one that `passwordHash` was made of, at the cost that the hash names.
 *
 * @throws {TypeError} the hash is not PHC text of this kind
 */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const { iterations, salt, hash } = parseHash(passwordHash);
  return timingSafeEqual(await derive(password, { salt, iterations }), hash);
}

/**
 * The cost at which the hash was made.
 *
 * @throws {TypeError} as `verifyPassword`
 */
export function iterationsOf(passwordHash: string): number {
  return parseHash(passwordHash).iterations;
}

/**
 * A password as it is hashed and compared: NFC, but for texts longer than any password, of which it would take time that
 * grows with the square of their length (40 ms for 16 KiB of accents).
 */
export function normalizePassword(password: string): string {
  return password.length > maxNormalizedLength ? password : password.normalize("NFC");
}

interface ParsedHash {
  readonly iterations: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly hash: Uint8Array<ArrayBuffer>;
}

function parseHash(passwordHash: string): ParsedHash {
  const [, iterations, salt, hash] = phcPattern.exec(passwordHash) ?? [];
  if (iterations === undefined || salt === undefined || hash === undefined) {
    // Without the text: a hash in a log is a hash to be guessed at.
    throw new TypeError("Cannot parse a password hash: it is not $pbkdf2-sha256$i=…$salt$hash");
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
  const secret = new TextEncoder().encode(normalizePassword(password));
  const key = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, hashBytes * 8));
}

function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}
