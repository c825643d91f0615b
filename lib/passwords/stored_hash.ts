/**
 * Stored password hashes: a text whose form names its kind.
 *
 * Hashes of other programs stay as they came until their user logs in. A fast one is wrapped: the new hash of its
 * digest is stored in its place, so that a stolen register is no cheaper to guess at.
 *
 *     $apr1$salt$~$pbkdf2-sha256$i=600000$<salt>$<hash>      settings of the fast hash, "~", hash of its digest
 */

import { maxIterations } from "../config/settings.ts";
import { parseArgon2 } from "./kinds/argon2.ts";
import { parseLdapDigest } from "./kinds/ldap_digest.ts";
import { parsePbkdf2 } from "./kinds/pbkdf2.ts";
import { parseScrypt } from "./kinds/scrypt.ts";
import { slowKinds } from "./kinds/slow_kinds.ts";
import { parseUnusable } from "./kinds/unusable.ts";
import type { HashParser, ParsedHash } from "./parsed_hash.ts";
import {
  argon2id,
  deriveDigest,
  type DeriveOptions,
  hashBytes,
  memoryBytesOf,
  normalizePassword,
  type PasswordScheme,
  workOfScheme,
} from "./password_hash.ts";

/** A stored hash. */
export interface StoredHash extends Pick<ParsedHash, "work" | "digest" | "memoryBytes" | "isFast"> {
  /**
   * Settings of the hash that `hash_worker.ts` computes first, if one is a slow script: its parser makes of
   * them the `derive` to call.
   */
  readonly script: string | undefined;
  /**
   * Computes the digest from the password in UTF-8 as it was typed, or from the digest that the script returned.
   * `undefined` if the latter is the digest.
   */
  readonly derive: ((bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>) | undefined;
}

/** A hash of `password_hash.ts` in its parts. */
interface NativeHash extends DeriveOptions {
  readonly digest: Uint8Array<ArrayBuffer>;
}

/** The longest text of any kind. */
const maxLength = 2_048;
const separator = "~";
/** Keeps U+FEFF at the start of a password. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const pbkdf2Pattern = /^\$pbkdf2-sha256\$i=([1-9]\d{0,8})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;
/** Of this cost only: other programs write the same form, and most of them another cost; they do not normalize. */
const argon2idPattern = /^\$argon2id\$v=19\$m=19456,t=2,p=1()\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;
const nativeHead = String.raw`\$pbkdf2-sha256\$i=\d+|\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+`;
/** The cost of kinds of which a register may have many. */
const headPattern = new RegExp(
  String.raw`^(${nativeHead}|(?:argon2)?\$argon2(?:id|i|d)\$v=19\$m=\d+,t=\d+,p=\d+|\$2[aby]\$\d\d|` +
    String.raw`pbkdf2_sha\d+\$\d+|pbkdf2:sha\d+:\d+|scrypt:\d+:\d+:\d+)\$`,
);
/** The same of wrapped kinds: of the wrapped hash, and of the new one. */
const wrappedPattern = new RegExp(
  String.raw`^(\{(?:S?SHA\d*|S?MD5)\}|\$apr1\$|\$1\$|\$[PH]\$.)[^~]*~(${nativeHead})\$`,
);

/** All kinds, the most frequent first. */
const kinds: readonly HashParser[] = [
  parseNew,
  parseArgon2,
  parsePbkdf2,
  parseScrypt,
  ...slowKinds,
  parseLdapDigest,
  parseUnusable,
];

/**
 * Parses a stored hash.
 *
 * @throws {RangeError} it cannot be verified: why, without the text, because a logged hash can be guessed at
 */
export function parseStoredHash(text: string): StoredHash {
  if (text.length > maxLength) throw new RangeError(`it has more than ${maxLength} characters`);
  const end = text.lastIndexOf(separator);
  // A salt may contain the separator: then what follows is no hash.
  const outer = end === -1 ? undefined : parseNative(text.slice(end + 1));
  return outer === undefined ? parseBare(text) : parseWrapped(text.slice(0, end), outer);
}

/** The stored hash; `undefined` if it cannot be verified. */
export function usableHash(text: string): StoredHash | undefined {
  try {
    return parseStoredHash(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Kind and cost of a hash, the same for all that take the same work; `undefined` if it cannot be verified. */
export function workOf(text: string): string | undefined {
  return usableHash(text)?.work;
}

/** Iterations of a new hash by PBKDF2; 0 of every other, and of one that has more than any setting. */
export function iterationsOf(text: string): number {
  const iterations = Number(pbkdf2Pattern.exec(text)?.[1] ?? 0);
  return iterations > maxIterations ? 0 : iterations;
}

/** A text that is equal only for hashes of the same work, made faster than by parsing; "" if only parsing can tell. */
export function workKeyOf(text: string): string {
  const [, head = "", outer = ""] = (text.includes(separator) ? wrappedPattern : headPattern).exec(text) ?? [];
  return head === "" ? "" : `${text.length} ${head}${outer}`;
}

/**
 * Wraps a fast hash: hashes its digest.
 *
 * @throws {RangeError} it cannot be verified, or is wrapped already
 */
export async function wrapHash(text: string, scheme: PasswordScheme): Promise<string> {
  const { settings, digest } = parseWhole(text);
  return `${settings}${separator}${await hashBytes(digest, scheme)}`;
}

function parseBare(text: string): StoredHash {
  const { work, digest, memoryBytes, isFast, isSlowScript, settings, derive } = parseWhole(text);
  return {
    work,
    digest,
    memoryBytes,
    isFast,
    script: isSlowScript ? settings : undefined,
    derive: isSlowScript ? undefined : async (bytes) => await derive(bytes),
  };
}

function parseWrapped(settings: string, outer: NativeHash): StoredHash {
  const inner = parseKind(settings);
  if (inner.digest.length > 0) throw new RangeError("it is wrapped and has the digest of the wrapped hash");
  const deriveOuter = (digest: Uint8Array<ArrayBuffer>) => deriveDigest(digest, outer);
  return {
    work: `${inner.work} > ${workOfScheme(outer.scheme)}`,
    digest: outer.digest,
    memoryBytes: Math.max(inner.memoryBytes, memoryBytesOf(outer.scheme)),
    isFast: false,
    script: inner.isSlowScript ? settings : undefined,
    derive: inner.isSlowScript ? deriveOuter : async (bytes) => deriveOuter(await inner.derive(bytes)),
  };
}

function parseWhole(text: string): ParsedHash {
  const parsed = parseKind(text);
  if (parsed.digest.length === 0) throw new RangeError("it has no digest");
  return parsed;
}

/** Parses a hash, or the settings of one. */
function parseKind(text: string): ParsedHash {
  for (const parse of kinds) {
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
  }
  throw new RangeError("it is of no known kind: invite the user with a ticket");
}

/** New hashes. Not fast at any cost, as an exported register is imported as it was. */
function parseNew(text: string): ParsedHash | undefined {
  const hash = parseNative(text);
  if (hash === undefined) return undefined;
  return {
    work: workOfScheme(hash.scheme),
    settings: text.slice(0, text.lastIndexOf("$") + 1),
    digest: hash.digest,
    memoryBytes: memoryBytesOf(hash.scheme),
    isFast: false,
    isSlowScript: false,
    // What cannot be a password takes the same work.
    derive: (bytes) => deriveDigest(encoder.encode(normalizePassword(decoder.decode(bytes)) ?? ""), hash),
  };
}

function parseNative(text: string): NativeHash | undefined {
  const [, iterations, salt = "", digest = ""] = pbkdf2Pattern.exec(text) ?? argon2idPattern.exec(text) ?? [];
  if (iterations === undefined) return undefined;
  if (Number(iterations) > maxIterations) throw new RangeError(`it has more than ${maxIterations} iterations`);
  return {
    scheme: iterations === "" ? argon2id : { kind: "pbkdf2", iterations: Number(iterations) },
    salt: Uint8Array.fromBase64(salt),
    digest: Uint8Array.fromBase64(digest),
  };
}
