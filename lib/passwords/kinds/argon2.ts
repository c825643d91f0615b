/**
 * Argon2i, Argon2d and Argon2id (RFC 9106) as PHC text, bare or with the prefix of Django or LDAP.
 *
 * New hashes of Gatehouse have the same form, at one cost: `password_hash.ts`.
 */

import type { ParsedHash } from "../parsed_hash.ts";
import { deriveBits } from "../password_hash.ts";
import { bounded, boundedNumber, fieldsOf, readDigest, unpaddedBase64 } from "./hash_text.ts";
import { slowEnough } from "./slow_enough.ts";

/** 1 GiB. */
const maxMemoryKib = 2 ** 20;
/** KiB times passes: about 5 s of a core. */
const maxWork = 2 ** 22;
const maxParallelism = 255;
/** RFC 9106, 3.1; WebCrypto computes no hash with a shorter salt. */
const [minSaltBytes, minDigestBytes, minKibPerLane] = [8, 4, 8];
const maxDigestBytes = 128;

const origins: ReadonlyMap<string, string> = new Map([["", "PHC"], ["argon2", "Django"], ["{argon2}", "LDAP"]]);
const start = /^(?<prefix>|argon2|\{argon2\})\$argon2(?:id|i|d)\$/i;
const versioned = {
  pattern: new RegExp(
    String.raw`^\$(?<type>argon2(?:id|i|d))\$(?:v=(?<version>\d+)\$)?m=(?<m>\d+),t=(?<t>\d+),p=(?<p>\d+)` +
      String.raw`\$(?<salt>[^$]+)\$(?<end>[^$]+)$`,
  ),
  form: "$argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$DIGEST",
};

/** Argon2 of every origin. */
export function parseArgon2(text: string): ParsedHash | undefined {
  const prefix = start.exec(text)?.groups?.prefix;
  return prefix === undefined ? undefined : parse(text, prefix);
}

function parse(text: string, prefix: string): ParsedHash {
  const { type = "", version, m = "", t = "", p = "", salt = "", end = "" } = fieldsOf(
    text.slice(prefix.length),
    versioned,
  );
  // WebCrypto computes version 19 (0x13) only. Version 16 is of 2015, and its text may omit the number.
  if (version !== "19") throw new RangeError("it is not of version 19 of Argon2: invite the user with a ticket");
  const parallelism = boundedNumber(p, { name: "parallelism", max: maxParallelism });
  const memory = boundedNumber(m, { name: "memory, in KiB,", min: minKibPerLane * parallelism, max: maxMemoryKib });
  const passes = boundedNumber(t, { name: "number of passes", max: maxWork });
  bounded(memory * passes, { name: "work (memory times passes)", max: maxWork });
  const nonce = unpaddedBase64(salt);
  bounded(nonce.length, { name: "salt, in bytes,", min: minSaltBytes, max: Infinity });
  const range = { min: minDigestBytes, max: maxDigestBytes };
  const { settings, digest, digestBytes } = readDigest(text, { end, decode: unpaddedBase64, ...range });
  const parameters = { name: `A${type.slice(1)}`, nonce, memory, passes, parallelism, digestBytes };
  return {
    work: `${origins.get(prefix.toLowerCase())} ${type} m=${memory},t=${passes},p=${parallelism}`,
    settings,
    digest,
    memoryBytes: memory * 1_024,
    isFast: memory * passes < slowEnough.argon2,
    isSlowScript: false,
    derive: (password) => deriveBits(password, parameters),
  };
}
