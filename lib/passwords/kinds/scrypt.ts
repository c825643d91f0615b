/**
 * scrypt (RFC 7914) of Werkzeug, of passlib and other programs that write PHC text, of Django, and of Firebase.
 *
 * `node:crypto` computes it in a thread next to the event loop.
 */

import { createCipheriv, scrypt } from "node:crypto";
import type { ParsedHash } from "../parsed_hash.ts";
import {
  base64,
  bounded,
  boundedNumber,
  type Bytes,
  type Decoder,
  fieldsOf,
  hex,
  readDigest,
  unpaddedBase64,
  utf8,
} from "./hash_text.ts";
import { slowEnough } from "./slow_enough.ts";

/** How a program writes a hash. */
interface Origin {
  readonly name: string;
  readonly start: string;
  /** With the groups n or log2n, r, p, salt and end. */
  readonly pattern: RegExp;
  /** The pattern for a person. */
  readonly form: string;
  readonly salt: Decoder;
  readonly digest: Decoder;
  /** Shortest and longest digest. */
  readonly digestBytes: readonly [min: number, max: number];
}

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** N·r·p. At p=1 this is 1 GiB of memory; the time is about 5 s of a core. */
const maxWork = 2 ** 23;
/** Programs write r=8 and p up to 16. */
const maxFactor = 64;
/** AES-256 takes the first half of what scrypt derives. */
const cipherKeyBytes = 32;

const origins: readonly Origin[] = [
  {
    name: "Werkzeug",
    start: "scrypt:",
    pattern: /^scrypt:(?<n>\d+):(?<r>\d+):(?<p>\d+)\$(?<salt>[!-#%-~]+)\$(?<end>[^$]+)$/,
    form: "scrypt:N:R:P$SALT$HEX",
    salt: utf8,
    digest: hex,
    digestBytes: [64, 64],
  },
  {
    name: "Django",
    start: "scrypt$",
    pattern: /^scrypt\$(?<n>\d+)\$(?<salt>[!-#%-~]+)\$(?<r>\d+)\$(?<p>\d+)\$(?<end>[^$]+)$/,
    form: "scrypt$N$SALT$R$P$BASE64",
    salt: utf8,
    digest: base64,
    digestBytes: [64, 64],
  },
  {
    name: "PHC",
    start: "$scrypt$",
    pattern: /^\$scrypt\$ln=(?<log2n>\d+),r=(?<r>\d+),p=(?<p>\d+)\$(?<salt>[^$]*)\$(?<end>[^$]+)$/,
    form: "$scrypt$ln=LN,r=R,p=P$SALT$DIGEST",
    salt: unpaddedBase64,
    digest: unpaddedBase64,
    digestBytes: [16, 64],
  },
];

/**
 * Firebase's hash, in the text of Supabase: scrypt gives a key, and what is compared is the project's signer key
 * encrypted with it.
 */
const firebase = {
  start: "$fbscrypt$",
  pattern: new RegExp(
    String.raw`^\$fbscrypt\$v=1,n=(?<log2n>\d+),r=(?<r>\d+),p=(?<p>\d+),` +
      String.raw`ss=(?<separator>[^$,]*),sk=(?<key>[^$,]+)\$(?<salt>[^$]*)\$(?<end>[^$]+)$`,
  ),
  form: "$fbscrypt$v=1,n=N,r=R,p=P,ss=SEPARATOR,sk=KEY$SALT$DIGEST",
};

/** scrypt of every origin. */
export function parseScrypt(text: string): ParsedHash | undefined {
  if (text.startsWith(firebase.start)) return parseFirebase(text);
  const origin = origins.find(({ start }) => text.startsWith(start));
  return origin && parse(text, origin);
}

function parse(text: string, origin: Origin): ParsedHash {
  const fields = fieldsOf(text, origin);
  const cost = costOf(fields);
  const salt = origin.salt(fields.salt ?? "");
  const [min, max] = origin.digestBytes;
  const read = readDigest(text, { end: fields.end ?? "", decode: origin.digest, min, max });
  return {
    ...parsedHash(cost, { name: origin.name, ...read }),
    derive: (password) => derive(password, { salt, digestBytes: read.digestBytes, ...cost }),
  };
}

function parseFirebase(text: string): ParsedHash {
  const { salt = "", separator = "", key = "", end = "", ...fields } = fieldsOf(text, firebase);
  const cost = costOf(fields);
  const wholeSalt = new Uint8Array([...base64(salt), ...base64(separator)]);
  const signerKey = base64(key);
  bounded(signerKey.length, { name: "signer key, in bytes,", min: 32, max: 128 });
  const range = { min: signerKey.length, max: signerKey.length };
  return {
    ...parsedHash(cost, { name: "Firebase", ...readDigest(text, { end, decode: base64, ...range }) }),
    async derive(password) {
      const cipherKey = await derive(password, { salt: wholeSalt, digestBytes: cipherKeyBytes, ...cost });
      return new Uint8Array(createCipheriv("aes-256-ctr", cipherKey, new Uint8Array(16)).update(signerKey));
    },
  };
}

/** @throws {RangeError} RFC 7914 does not allow the cost, or it takes too much memory or time */
function costOf({ n, log2n, r: rText = "", p: pText = "" }: Partial<Record<string, string>>): Cost {
  const r = boundedNumber(rText, { name: "r", max: maxFactor });
  const p = boundedNumber(pText, { name: "p", max: maxFactor });
  const N = log2n === undefined
    ? boundedNumber(n ?? "", { name: "N", min: 2, max: maxWork })
    : 2 ** boundedNumber(log2n, { name: "N, as a power of 2,", max: Math.log2(maxWork) });
  if (!Number.isInteger(Math.log2(N))) throw new RangeError("its N is not a power of 2");
  // RFC 7914, 2: N is less than 2^(128·r/8).
  if (Math.log2(N) >= 16 * r) throw new RangeError("its N is too large for its r");
  bounded(N * r * p, { name: "work (N·r·p)", max: maxWork });
  return { N, r, p };
}

function parsedHash(
  cost: Cost,
  { name, settings, digest }: { readonly name: string; readonly settings: string; readonly digest: Bytes },
): Omit<ParsedHash, "derive"> {
  const { N, r, p } = cost;
  return {
    work: `${name} scrypt N=${N},r=${r},p=${p}`,
    settings,
    digest,
    memoryBytes: memoryBytesOf(cost),
    isFast: N * r * p < slowEnough.scrypt,
    isSlowScript: false,
  };
}

function memoryBytesOf({ N, r, p }: Cost): number {
  return 128 * r * (N + p);
}

function derive(
  password: Bytes,
  { salt, digestBytes, ...cost }: Cost & { readonly salt: Bytes; readonly digestBytes: number },
): Promise<Bytes> {
  // Its own count adds a few blocks of working memory.
  const options = { ...cost, maxmem: memoryBytesOf(cost) + 1_024 * cost.r };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, digestBytes, options, (error, key) => error ? reject(error) : resolve(new Uint8Array(key)));
  });
}
