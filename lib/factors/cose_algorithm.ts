/**
 * The signatures of passkeys, on WebCrypto: the COSE algorithms (RFC 9053, RFC 8812, RFC 9964) that the service offers.
 *
 * A key arrives as SubjectPublicKeyInfo (RFC 5280, 4.1), so no CBOR is read. Only one encoding of a key is accepted,
 * and only one of a signature.
 */

import { Buffer } from "node:buffer";
import type { Bytes } from "./encoding.ts";

/** By its id in the registry of IANA, the preferred first: the order in which browsers are offered them. */
const algorithms: ReadonlyMap<number, RsaHashedImportParams & EcKeyImportParams | Algorithm> = new Map([
  [-48, { name: "ML-DSA-44" }],
  // EdDSA with Ed25519 (W3C WebAuthn Level 3, 5.8.5).
  [-8, { name: "Ed25519" }],
  [-7, { name: "ECDSA", namedCurve: "P-256" }],
  [-257, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }],
]);
export const coseAlgorithmIds: readonly number[] = [...algorithms.keys()];

/** NIST SP 800-131A ends shorter ones; a longer one would let its owner choose the work of a login. */
const [minRsaBits, maxRsaBits] = [2_048, 4_096];
/** 65,537, as every authenticator has it: a long one would take seconds. */
const rsaExponent = "010001";
/** Bytes of each of the two numbers of an ES256 signature. */
const numberLength = 32;

/** Imports a public key. @returns `undefined` if the algorithm is not offered or the key is not one of it */
export async function importPublicKey(algorithmId: number, spki: Bytes): Promise<CryptoKey | undefined> {
  const parameters = algorithms.get(algorithmId);
  if (parameters === undefined) return undefined;
  try {
    const key = await crypto.subtle.importKey("spki", spki, parameters, true, ["verify"]);
    // The export checks that a point is on the curve, and that there is no other encoding of the key.
    const exported = new Uint8Array(await crypto.subtle.exportKey("spki", key));
    return spki.equals(exported) && hasModerateLength(key) ? key : undefined;
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

/** Whether the owner of a key has signed the data. */
export async function isSigned(
  data: Bytes,
  { key, signature }: { readonly key: CryptoKey; readonly signature: Bytes },
): Promise<boolean> {
  const { name } = key.algorithm;
  const raw = name === "ECDSA" ? rawFromDer(signature) : signature;
  return raw !== undefined && await crypto.subtle.verify({ name, hash: "SHA-256" }, key, raw, data);
}

/** Whether a key is strong enough, and cheap enough: only RSA leaves the choice to its owner. */
function hasModerateLength({ algorithm }: CryptoKey): boolean {
  if (!("modulusLength" in algorithm)) return true;
  const { modulusLength, publicExponent } = algorithm as RsaKeyAlgorithm;
  return modulusLength >= minRsaBits && modulusLength <= maxRsaBits && publicExponent.toHex() === rsaExponent;
}

/**
 * Rewrites the DER of an ES256 signature, a sequence of two numbers (RFC 3279, 2.2.3), as their 64 bytes. Only the DER
 * that these bytes have is accepted.
 */
function rawFromDer(der: Bytes): Bytes | undefined {
  const secondAt = 4 + (der[3] ?? 0);
  const numbers = [der.subarray(4, secondAt), der.subarray(secondAt + 2)];
  const raw = numbers.map((number) => Buffer.concat([Buffer.alloc(numberLength), number]).subarray(-numberLength));
  const encoded = Buffer.concat(raw.map(derInteger));
  return der.equals(Buffer.from([0x30, encoded.length, ...encoded])) ? Buffer.concat(raw) : undefined;
}

/** The shortest encoding of a number that is not negative (ITU-T X.690, 8.3). */
function derInteger(number: Bytes): Bytes {
  // -1, for zero, leaves its last byte.
  const digits = number.subarray(number.findIndex((byte) => byte !== 0));
  const sign = (digits[0] ?? 0) >= 0x80 ? [0] : [];
  return Buffer.from([0x02, sign.length + digits.length, ...sign, ...digits]);
}
