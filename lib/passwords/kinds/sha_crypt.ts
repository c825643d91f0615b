/**
 * sha256_crypt and sha512_crypt: "Unix crypt using SHA-256 and SHA-512" (Ulrich Drepper, version 0.6), as /etc/shadow
 * and passlib have them.
 *
 *     $6$rounds=656000$<salt>$<digest>        without `rounds=…$` 5,000 rounds; a salt of up to 16 characters
 */

import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { HashParser } from "../parsed_hash.ts";
import { cryptBase64, type RoundMessage, roundMessageIndex, roundMessages } from "./crypt_rounds.ts";
import { boundedNumber, type Bytes, fieldsOf, utf8 } from "./hash_text.ts";
import { slowEnough } from "./slow_enough.ts";
import { blockWords, compileSha2, type Sha2Exports, type WordBits } from "./sha2_wasm.ts";

interface Variant {
  readonly name: string;
  readonly prefix: string;
  readonly algorithm: "sha256" | "sha512";
  readonly wordBits: WordBits;
  readonly pattern: RegExp;
  readonly form: string;
  /** By how many thirds the bytes of three digits turn from one to the next, see `encode`. */
  readonly turn: 1 | 2;
}

interface RoundsOptions {
  readonly messages: readonly RoundMessage[];
  readonly rounds: number;
  readonly wordBits: WordBits;
}

interface Job {
  readonly password: Bytes;
  readonly salt: Bytes;
  readonly rounds: number;
}

const defaultRounds = 5_000;
const minRounds = 1_000;
/** With a long password they take 3 s. crypt(3) allows a thousand times as many. */
const maxRounds = 1_000_000;

/** `$6$`. */
export const parseSha512Crypt = parserOf({
  name: "sha512_crypt",
  prefix: "$6$",
  algorithm: "sha512",
  wordBits: 64,
  pattern: /^\$6\$(?:rounds=(?<rounds>\d+)\$)?(?<salt>[!-#%-9;-~]{0,16})\$(?<digest>[./0-9A-Za-z]{86})?$/,
  form: "$6$[rounds=ROUNDS$]SALT$DIGEST",
  turn: 1,
});

/** `$5$`. */
export const parseSha256Crypt = parserOf({
  name: "sha256_crypt",
  prefix: "$5$",
  algorithm: "sha256",
  wordBits: 32,
  pattern: /^\$5\$(?:rounds=(?<rounds>\d+)\$)?(?<salt>[!-#%-9;-~]{0,16})\$(?<digest>[./0-9A-Za-z]{43})?$/,
  form: "$5$[rounds=ROUNDS$]SALT$DIGEST",
  turn: 2,
});

/** Compiled at the first use, as that takes 20 ms. */
const compiled = new Map<WordBits, Sha2Exports>();

function parserOf(variant: Variant): HashParser {
  const { name, prefix, pattern, form } = variant;
  return (text) => {
    if (!text.startsWith(prefix)) return undefined;
    const { rounds: roundsText = String(defaultRounds), salt = "", digest = "" } = fieldsOf(text, { pattern, form });
    const rounds = boundedNumber(roundsText, { name: "number of rounds", min: minRounds, max: maxRounds });
    return {
      // A longer salt makes some messages longer than a block: 16 bytes take twice the time of 8.
      work: `${name} rounds=${rounds},salt=${salt.length}`,
      settings: text.slice(0, text.length - digest.length),
      digest: utf8(digest),
      memoryBytes: 0,
      isFast: rounds < slowEnough.shaCrypt,
      isSlowScript: true,
      derive: (password) => utf8(derive({ password, salt: utf8(salt), rounds }, variant)),
    };
  };
}

/** Steps 1 to 20 of the specification; `runRounds` does 21, and `encode` 22. */
function derive(job: Job, variant: Variant): string {
  const { password, salt, rounds } = job;
  const digestOf = (...parts: readonly Uint8Array[]) => hash(variant.algorithm, Buffer.concat(parts), "buffer");
  const inner = digestOf(password, salt, password);
  const bits = password.length === 0 ? "" : password.length.toString(2);
  const first = digestOf(
    ...[password, salt, stretch(inner, password.length)],
    ...Array.from(bits, (bit) => bit === "1" ? inner : password).toReversed(),
  );
  const messages = roundMessages({
    password: stretch(digestOf(...Array.from(password, () => password)), password.length),
    salt: stretch(digestOf(...Array.from({ length: 16 + (first[0] ?? 0) }, () => salt)), salt.length),
    digestBytes: first.length,
  });
  return encode(runRounds(first, { messages, rounds, wordBits: variant.wordBits }), variant);
}

/** Hashes the message of each round to where the next one needs the digest. @returns the last digest */
function runRounds(first: Uint8Array, { messages, rounds, wordBits }: RoundsOptions): Uint8Array {
  const { memory, hash } = compiledSha2(wordBits);
  const bytes = new Uint8Array(memory.buffer);
  let size = 0;
  const places = messages.map((message) => {
    const padded = pad(message.bytes, wordBits);
    const start = size;
    bytes.set(padded, start);
    size += padded.length;
    return { start, end: size, digestAt: start + message.digestAt };
  });
  const placeOf = (round: number) => places[roundMessageIndex(round)] as typeof places[number];
  let place = placeOf(0);
  bytes.set(first, place.digestAt);
  for (let round = 0; round < rounds; round++) {
    const next = placeOf(round + 1);
    hash(place.start, place.end, next.digestAt);
    place = next;
  }
  const digest = bytes.slice(place.digestAt, place.digestAt + first.length);
  // The messages have the password.
  bytes.fill(0);
  return digest;
}

function compiledSha2(wordBits: WordBits): Sha2Exports {
  const known = compiled.get(wordBits) ?? compileSha2(wordBits);
  compiled.set(wordBits, known);
  return known;
}

/** FIPS 180-4, 5.1: a bit, zeros, and the length in bits as two words. */
function pad(message: Uint8Array, wordBits: WordBits): Uint8Array {
  const blockBytes = blockWords * wordBits / 8;
  const blockCount = Math.ceil((message.length + 1 + wordBits / 4) / blockBytes);
  const padded = new Uint8Array(blockCount * blockBytes);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, message.length * 8);
  return padded;
}

/** Repeats the bytes to a length. */
function stretch(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => bytes[index % bytes.length] ?? 0);
}

/** Step 22: three bytes at a time, one of each third of the digest, which take turns. */
function encode(digest: Uint8Array, { turn }: Variant): string {
  const third = Math.floor(digest.length / 3);
  const turned = Array.from({ length: 3 * third }, (_, index) => {
    const [group, place] = [Math.floor(index / 3), 2 - index % 3];
    return digest[group + third * ((place + turn * group) % 3)] ?? 0;
  });
  return cryptBase64([...turned, ...digest.subarray(3 * third)]);
}
