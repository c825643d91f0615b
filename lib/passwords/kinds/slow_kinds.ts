/** Parsers of the kinds that run for long in JavaScript or WebAssembly: `hash_worker.ts` computes them. */

import type { HashParser } from "../parsed_hash.ts";
import { parseBcrypt } from "./bcrypt.ts";
import { parseMd5Crypt } from "./md5_crypt.ts";
import { parsePhpass } from "./phpass.ts";
import { parseSha256Crypt, parseSha512Crypt } from "./sha_crypt.ts";

export const slowKinds: readonly HashParser[] = [
  parseBcrypt,
  parseSha512Crypt,
  parseSha256Crypt,
  parsePhpass,
  parseMd5Crypt,
];
