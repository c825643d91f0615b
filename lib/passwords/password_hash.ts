/**
 * New password hashes, as PHC text. Salt and hash are base64 without padding, of 16 and 32 bytes.
 *
 *     $pbkdf2-sha256$i=600000$<salt>$<hash>            PBKDF2-HMAC-SHA256, the default
 *     $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>     Argon2id, by setting
 *
 * Every hash has its own salt, so equal passwords have different hashes, and names its cost, so old hashes verify after
 * a change of the setting (`stored_hash.ts`). WebCrypto computes them in threads next to the event loop.
 *
 * Passwords are normalized to NFC first (NIST SP 800-63B-4, 3.1.1.2): "é" is one code point on some systems and two on
 * others. Normalization is quadratic in the number of consecutive combining marks: 8 kB of them took 27 ms of the event
 * loop. So a text that is longer than any password, or has more marks in a row than any language, matches no password
 * and is not normalized.
 */

import { hash as digest, timingSafeEqual } from "node:crypto";
import type { Config } from "../config/config.ts";

/** Kind and cost of new hashes. `memory` is in KiB. */
export type PasswordScheme =
  | { readonly kind: "pbkdf2"; readonly iterations: number }
  | { readonly kind: "argon2id"; readonly memory: number; readonly passes: number; readonly parallelism: number };

/** What a digest is computed with, next to the password. */
export interface DeriveOptions {
  readonly scheme: PasswordScheme;
  readonly salt: Uint8Array<ArrayBuffer>;
}

/** Parameters of WebCrypto, and the length of the digest. */
export interface DeriveBitsOptions {
  readonly name: string;
  readonly digestBytes: number;
  readonly [parameter: string]: unknown;
}

/** The cost of new Argon2id hashes: OWASP Password Storage Cheat Sheet (2026). */
export const argon2id: PasswordScheme = Object.freeze({ kind: "argon2id", memory: 19_456, passes: 2, parallelism: 1 });

/** NIST SP 800-132, 5.1 asks for at least 16. */
const saltBytes = 16;
/** The output of one SHA-256: more would double the work of the defender and not that of an attacker. */
const hashLengthBytes = 32;
/** In UTF-8. The longest password has 1,024 bytes in NFC, and at most three times as many in NFD (UAX #15, 12). */
const maxNormalizedBytes = 4_096;
/** As in the Stream-Safe Text Format (UAX #15, 13): no language has more than a few on one letter. */
export const maxMarksInARow = 30;
/** Every character that NFC reorders is a mark. Each step looks at 31 characters at most. */
const tooManyMarks = new RegExp(`\\p{M}{${maxMarksInARow + 1}}`, "u");
/** HMAC pads its key with NUL (RFC 2104, 2): a password with NUL at its end would equal the one without. */
const nul = "\0";

const encoder = new TextEncoder();

/** The scheme that the settings select. */
export function passwordSchemeOf({ passwordHash, pbkdf2Iterations }: Config): PasswordScheme {
  return passwordHash === "argon2id" ? argon2id : { kind: "pbkdf2", iterations: pbkdf2Iterations };
}

/** Kind and cost in one text, such as "pbkdf2-sha256 i=600000": equal for hashes that take the same work. */
export function workOfScheme(scheme: PasswordScheme): string {
  if (scheme.kind === "pbkdf2") return `pbkdf2-sha256 i=${scheme.iterations}`;
  return `argon2id m=${scheme.memory},t=${scheme.passes},p=${scheme.parallelism}`;
}

/** Memory that one hash takes, in bytes; 0 if it is little. */
export function memoryBytesOf(scheme: PasswordScheme): number {
  return scheme.kind === "argon2id" ? scheme.memory * 1_024 : 0;
}

/**
 * Hashes a password with a new salt.
 *
 * @returns PHC text
 * @throws {TypeError} this cannot be a password, see `normalizePassword`
 */
export async function hashPassword(password: string, scheme: PasswordScheme): Promise<string> {
  const text = normalizePassword(password);
  if (text === undefined) throw new TypeError("Cannot hash a password that is too long, or has NUL or too many marks");
  return await hashBytes(encoder.encode(text), scheme);
}

/** Hashes bytes with a new salt. @returns PHC text */
export async function hashBytes(bytes: Uint8Array<ArrayBuffer>, scheme: PasswordScheme): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
  const hash = await deriveDigest(bytes, { scheme, salt });
  const head = scheme.kind === "pbkdf2" ? "pbkdf2-sha256$" : "argon2id$v=19$";
  const cost = workOfScheme(scheme).split(" ")[1];
  return `$${head}${cost}$${toBase64(salt)}$${toBase64(hash)}`;
}

/** Computes the digest of a hash. */
export function deriveDigest(
  bytes: Uint8Array<ArrayBuffer>,
  { scheme, salt }: DeriveOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const digestBytes = hashLengthBytes;
  if (scheme.kind === "pbkdf2") {
    return deriveBits(bytes, { name: "PBKDF2", hash: "SHA-256", salt, iterations: scheme.iterations, digestBytes });
  }
  const { memory, passes, parallelism } = scheme;
  return deriveBits(bytes, { name: "Argon2id", nonce: salt, memory, passes, parallelism, digestBytes });
}

/** Computes PBKDF2 or Argon2 with any parameters. */
export async function deriveBits(
  bytes: Uint8Array<ArrayBuffer>,
  { digestBytes, ...parameters }: DeriveBitsOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  // Not in TypeScript's library yet (WICG, "Modern Algorithms in the Web Cryptography API").
  const format: string = "raw-secret";
  const key = await crypto.subtle.importKey(format as "raw", bytes, parameters.name, false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, digestBytes * 8));
}

/** The password in UTF-8 as it was typed; `undefined` if it cannot be a password, see `normalizePassword`. */
export function passwordBytes(password: string): Uint8Array<ArrayBuffer> | undefined {
  return isPossible(password) ? encoder.encode(password) : undefined;
}

/** The NFC form, which is hashed and compared; `undefined` if it is too long, or has NUL or too many marks in a row. */
export function normalizePassword(password: string): string | undefined {
  return isPossible(password) ? password.normalize("NFC") : undefined;
}

function isPossible(password: string): boolean {
  return !isTooLong(password) && !password.includes(nul) && !tooManyMarks.test(password);
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

function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}
