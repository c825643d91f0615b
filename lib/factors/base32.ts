/** Base32 (RFC 4648, 6), as authenticator apps read secrets: letters and digits that people can tell apart. */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** @param bytes as many as fill whole characters: a multiple of 5 */
export function encodeBase32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replace(/.{5}/g, (group) => alphabet.charAt(parseInt(group, 2)));
}
