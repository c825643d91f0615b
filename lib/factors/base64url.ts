/** Base64url without padding (RFC 4648, 5), as WebAuthn writes bytes in JSON. */

import { Buffer } from "node:buffer";

export type Bytes = Buffer<ArrayBuffer>;

/**
 * Reads the only text of some bytes: no padding, no white space, no bits that count for nothing.
 *
 * @returns `undefined` for another text, and for one of no bytes or of more than `maxBytes`
 */
export function decodeBase64url(text: unknown, maxBytes: number): Bytes | undefined {
  if (typeof text !== "string" || text === "" || text.length > Math.ceil(maxBytes * 4 / 3)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}
