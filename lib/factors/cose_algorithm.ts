/**
 * The signatures of passkeys, on WebCrypto: the COSE algorithms (RFC 9053, RFC 8812, RFC 9964) that the service offers.
 *
 * A key arrives as SubjectPublicKeyInfo (RFC 5280, 4.1), so no CBOR is read. Only one encoding of a key is accepted,
 * and only one of a signature.
 */

import { Buffer } from "node:buffer";
import type { Bytes } from "./encoding.ts";

interface CoseAlgorithm {
  readonly parameters: RsaHashedImportParams & EcKeyImportParams & EcdsaParams | Algorithm;
  /** Whether a key is strong enough, and cheap enough. */
  readonly accepts?: (key: CryptoKey) => boolean;
  /** Rewrites a signature as WebCrypto reads it; `undefined` if it is malformed. */
  readonly convert?: (signature: Bytes) => Bytes | undefined;
}

/** A public key that signatures are verified with. */
export interface PublicKey {
  verify(signature: Bytes, data: Bytes): Promise<boolean>;
}

/** NIST SP 800-131A ends shorter ones; a longer one would let its owner choose the work of a login. */
const [minRsaBits, maxRsaBits] = [2_048, 4_096];
/** 65,537, as every authenticator has it: a long one would take seconds. */
const rsaExponent = "010001";
/** Bytes of each of the two numbers of an ES256 signature. */
const numberLength = 32;

/** The preferred first: the order in which browsers are offered them. */
const algorithms: ReadonlyMap<number, CoseAlgorithm> = new Map<number, CoseAlgorithm>([
  [-48, { parameters: { name: "ML-DSA-44" } }],
  // EdDSA with Ed25519 (W3C WebAuthn Level 3, 5.8.5).
  [-8, { parameters: { name: "Ed25519" } }],
  [-7, { parameters: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, convert: rawFromDer }],
  [-257, { parameters: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, accepts: isModerateRsaKey }],
]);

/** The ids of the algorithms in the registry of IANA, the preferred first. */
export const coseAlgorithmIds: readonly number[] = [...algorithms.keys()];

/** Imports a public key. @returns `undefined` if the algorithm is not offered or the key is not one of it */
export async function importPublicKey(algorithmId: number, spki: Bytes): Promise<PublicKey | undefined> {
  const algorithm = algorithms.get(algorithmId);
  const key = algorithm && await importKey(spki, algorithm);
  if (algorithm === undefined || key === undefined) return undefined;
  const { parameters, convert = (signature) => signature } = algorithm;
  return {
    async verify(signature, data) {
      const converted = convert(signature);
      return converted !== undefined && await crypto.subtle.verify(parameters, key, converted, data);
    },
  };
}

async function importKey(spki: Bytes, { parameters, accepts }: CoseAlgorithm): Promise<CryptoKey | undefined> {
  try {
    const key = await crypto.subtle.importKey("spki", spki, parameters, true, ["verify"]);
    // The export checks that a point is on the curve, and that there is no other encoding of the key.
    const exported = new Uint8Array(await crypto.subtle.exportKey("spki", key));
    return spki.equals(exported) && (accepts?.(key) ?? true) ? key : undefined;
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

function isModerateRsaKey({ algorithm }: CryptoKey): boolean {
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
