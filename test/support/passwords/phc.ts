/** Hashes in PHC text that another implementation makes. */
import { Buffer } from "node:buffer";
import { pbkdf2Sync } from "node:crypto";
import type { PasswordScheme } from "../../../lib/passwords/password_hash.ts";

/** PHC text made by OpenSSL's PBKDF2 in Node, which shares no code with WebCrypto in Deno's use of it here. */
export function phcByNode(password: string, options: { salt: Buffer; iterations: number }): string {
  const { salt, iterations } = options;
  const hash = pbkdf2Sync(Buffer.from(password, "utf8"), salt, iterations, 32, "sha256");
  return `$pbkdf2-sha256$i=${iterations}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Base64 without its padding, as in PHC text. */
export function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

/** 16 bytes of zeros. */
export const zeroSalt = Buffer.alloc(16);

/** The bytes 0 to 15. */
export const countedSalt = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

/** The scheme of PBKDF2 with so many iterations. */
export function pbkdf2(iterations: number): PasswordScheme {
  return { kind: "pbkdf2", iterations };
}
