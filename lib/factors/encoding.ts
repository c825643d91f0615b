/** Bytes as text (RFC 4648): in the JSON of WebAuthn, in challenges, and in what people type. */

import { Buffer } from "node:buffer";

export type Bytes = Buffer<ArrayBuffer>;

/**
 * Reads the only base64url of some bytes: no padding, no white space, no bits that count for nothing.
 *
 * @returns `undefined` for another text, and for one of no bytes or of more than `maxBytes`
 */
export function decodeBase64url(text: unknown, maxBytes: number): Bytes | undefined {
  if (typeof text !== "string" || text === "" || text.length > Math.ceil(maxBytes * 4 / 3)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** Base32, of letters and digits that people can tell apart. @param bytes a multiple of 5, which fill the characters */
export function encodeBase32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replace(/.{5}/g, (group) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".charAt(parseInt(group, 2)));
}
