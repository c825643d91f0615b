/**
 * Hashes of LDAP servers and of `htpasswd -s`: one round of SHA or MD5 over the password and a salt.
 *
 *     {SSHA}<base64 of digest, then salt>        Settings: {SSHA}*<base64 of salt>
 */

import { createHash } from "node:crypto";
import type { ParsedHash } from "../parsed_hash.ts";
import { base64, bounded, type Bytes } from "./hash_text.ts";

interface Scheme {
  readonly hash: string;
  readonly digestBytes: number;
  readonly isSalted: boolean;
}

const schemes: ReadonlyMap<string, Scheme> = new Map([
  ["SHA", { hash: "sha1", digestBytes: 20, isSalted: false }],
  ["SSHA", { hash: "sha1", digestBytes: 20, isSalted: true }],
  ["SHA256", { hash: "sha256", digestBytes: 32, isSalted: false }],
  ["SSHA256", { hash: "sha256", digestBytes: 32, isSalted: true }],
  ["SHA384", { hash: "sha384", digestBytes: 48, isSalted: false }],
  ["SSHA384", { hash: "sha384", digestBytes: 48, isSalted: true }],
  ["SHA512", { hash: "sha512", digestBytes: 64, isSalted: false }],
  ["SSHA512", { hash: "sha512", digestBytes: 64, isSalted: true }],
  ["MD5", { hash: "md5", digestBytes: 16, isSalted: false }],
  ["SMD5", { hash: "md5", digestBytes: 16, isSalted: true }],
]);
/** Servers write 4 to 16. */
const saltBytes = [1, 64] as const;

/** `{SHA}`, `{SSHA}` and their like, in any case. */
export function parseLdapDigest(text: string): ParsedHash | undefined {
  const [, label = "", body = ""] = /^\{(S?(?:SHA(?:256|384|512)?|MD5))\}(.*)$/is.exec(text) ?? [];
  const name = label.toUpperCase();
  const scheme = schemes.get(name);
  if (scheme === undefined) return undefined;
  const { digest, salt } = split(body, scheme);
  return {
    work: `LDAP {${name}}`,
    settings: `{${label}}*${salt.toBase64()}`,
    digest,
    memoryBytes: 0,
    isFast: true,
    isSlowScript: false,
    derive: (password) => new Uint8Array(createHash(scheme.hash).update(password).update(salt).digest()),
  };
}

/** @throws {RangeError} it is no base64, or of the wrong length */
function split(body: string, { digestBytes, isSalted }: Scheme): { readonly digest: Bytes; readonly salt: Bytes } {
  const isSettings = body.startsWith("*");
  const bytes = base64(isSettings ? body.slice(1) : body);
  const end = isSettings ? 0 : digestBytes;
  const [minSaltBytes, maxSaltBytes] = isSalted ? saltBytes : [0, 0];
  bounded(bytes.length, { name: "digest and salt, in bytes,", min: end + minSaltBytes, max: end + maxSaltBytes });
  return { digest: bytes.slice(0, end), salt: bytes.slice(end) };
}
