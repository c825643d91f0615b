/**
 * phpass, the "portable hashes" of PHP programs: `$P$` of WordPress before version 6.8, `$H$` of phpBB 3. Fast, as MD5.
 *
 *     $P$B<salt><digest>        a digit for the logarithm of the rounds, a salt of 8 characters
 */

import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { ParsedHash } from "../parsed_hash.ts";
import { cryptBase64, cryptDigits } from "./crypt_rounds.ts";
import { bounded, type Bytes, fieldsOf, utf8 } from "./hash_text.ts";

const [minLogRounds, maxLogRounds] = [7, 20];
const pattern = /^\$[PH]\$(?<digit>[./0-9A-Za-z])(?<salt>[!-9;-~]{8})(?<digest>[./0-9A-Za-z]{22})?$/;

/** `$P$` and `$H$`. */
export function parsePhpass(text: string): ParsedHash | undefined {
  if (!/^\$[PH]\$/.test(text)) return undefined;
  const { digit = "", salt = "", digest = "" } = fieldsOf(text, { pattern, form: "$P$ROUNDS SALT DIGEST" });
  const range = { name: "logarithm of rounds", min: minLogRounds, max: maxLogRounds };
  const rounds = 2 ** bounded(cryptDigits.indexOf(digit), range);
  return {
    work: `phpass rounds=${rounds}`,
    settings: text.slice(0, text.length - digest.length),
    digest: utf8(digest),
    memoryBytes: 0,
    isFast: true,
    isSlowScript: true,
    derive: (password) => utf8(derive(password, { salt: utf8(salt), rounds })),
  };
}

function derive(password: Bytes, { salt, rounds }: { readonly salt: Bytes; readonly rounds: number }): string {
  let digest = hash("md5", Buffer.concat([salt, password]), "buffer");
  // The digest of each round replaces that of the round before.
  const message = Buffer.concat([digest, password]);
  for (let round = 0; round < rounds; round++) {
    message.set(digest);
    digest = hash("md5", message, "buffer");
  }
  return cryptBase64([...digest]);
}
