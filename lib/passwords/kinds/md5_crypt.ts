/**
 * md5_crypt: `$1$` of FreeBSD and Linux, and `$apr1$` of htpasswd. 1,000 rounds of MD5 at any time, so it is fast.
 *
 *     $apr1$<salt>$<digest>        a salt of up to 8 characters
 */

import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { ParsedHash } from "../parsed_hash.ts";
import { cryptBase64, type RoundMessage, roundMessageIndex, roundMessages } from "./crypt_rounds.ts";
import { type Bytes, fieldsOf, utf8 } from "./hash_text.ts";

const rounds = 1_000;
const pattern = /^\$(?:1|apr1)\$(?<salt>[!-#%-9;-~]{0,8})\$(?<digest>[./0-9A-Za-z]{22})?$/;
/** Of the digest, in the order of the text. */
const byteOrder = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

/** `$1$` and `$apr1$`. */
export function parseMd5Crypt(text: string): ParsedHash | undefined {
  const magic = ["$1$", "$apr1$"].find((each) => text.startsWith(each));
  if (magic === undefined) return undefined;
  const { salt = "", digest = "" } = fieldsOf(text, { pattern, form: `${magic}SALT$DIGEST` });
  return {
    work: magic === "$1$" ? "md5_crypt" : "apr1",
    settings: text.slice(0, text.length - digest.length),
    digest: utf8(digest),
    memoryBytes: 0,
    isFast: true,
    isSlowScript: true,
    derive: (password) => utf8(derive(password, { magic: utf8(magic), salt: utf8(salt) })),
  };
}

function derive(password: Bytes, { magic, salt }: { readonly magic: Bytes; readonly salt: Bytes }): string {
  const inner = md5(Buffer.concat([password, salt, password]));
  const bits = password.length === 0 ? "" : password.length.toString(2);
  // A slip of the first implementation: for a 1 a NUL, instead of the digest.
  const lengthPart = Array.from(bits, (bit) => bit === "1" ? 0 : password[0] ?? 0).toReversed();
  const first = [password, magic, salt, Buffer.alloc(password.length, inner), new Uint8Array(lengthPart)];
  let digest = md5(Buffer.concat(first));
  const messages = roundMessages({ password, salt, digestBytes: digest.length });
  for (let round = 0; round < rounds; round++) {
    const { bytes, digestAt } = messages[roundMessageIndex(round)] as RoundMessage;
    bytes.set(digest, digestAt);
    digest = md5(bytes);
  }
  return cryptBase64(byteOrder.map((index) => digest[index] ?? 0));
}

function md5(bytes: Uint8Array): Uint8Array {
  return hash("md5", bytes, "buffer");
}
