/**
 * PBKDF2 of Werkzeug, Django, passlib (and Keycloak, which is imported as passlib writes it), LDAP servers, and in PHC
 * text. New hashes of Gatehouse are PHC text of one form: `password_hash.ts`.
 */

import { maxIterations } from "../../config/settings.ts";
import type { ParsedHash } from "../parsed_hash.ts";
import { deriveBits } from "../password_hash.ts";
import {
  adaptedBase64,
  base64,
  bounded,
  boundedNumber,
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
  readonly start: RegExp;
  /** With the groups sha (SHA-1 if absent), iterations, salt and end. */
  readonly pattern: RegExp;
  /** The pattern for a person. */
  readonly form: string;
  readonly salt: Decoder;
  readonly digest: Decoder;
  /** Whether digests are always as long as the output of the hash function. */
  readonly isFixedLength: boolean;
}

const shas: Partial<Record<string, { readonly name: string; readonly bytes: number }>> = {
  1: { name: "SHA-1", bytes: 20 },
  256: { name: "SHA-256", bytes: 32 },
  384: { name: "SHA-384", bytes: 48 },
  512: { name: "SHA-512", bytes: 64 },
};
/** A shorter digest would match wrong passwords. */
const minDigestBytes = 16;
/** Keycloak writes 64 bytes of every hash function, Ory Kratos up to 128. */
const maxDigestBytes = 128;

const origins: readonly Origin[] = [
  {
    name: "Werkzeug",
    start: /^pbkdf2:/,
    // Every version writes the number of iterations: the default of the version that made the hash is never needed.
    pattern: /^pbkdf2:sha(?<sha>1|256|384|512):(?<iterations>\d+)\$(?<salt>[!-#%-~]+)\$(?<end>[^$]+)$/,
    form: "pbkdf2:sha256:ITERATIONS$SALT$HEX",
    salt: utf8,
    digest: hex,
    isFixedLength: true,
  },
  {
    name: "Django",
    start: /^pbkdf2_/,
    pattern: /^pbkdf2_sha(?<sha>1|256)\$(?<iterations>\d+)\$(?<salt>[!-#%-~]+)\$(?<end>[^$]+)$/,
    form: "pbkdf2_sha256$ITERATIONS$SALT$BASE64",
    salt: utf8,
    digest: base64,
    isFixedLength: true,
  },
  {
    name: "passlib",
    start: /^\$pbkdf2(?:-[^$]*)?\$(?!i=)/,
    pattern: /^\$pbkdf2(?:-sha(?<sha>256|384|512))?\$(?<iterations>\d+)\$(?<salt>[^$]*)\$(?<end>[^$]+)$/,
    form: "$pbkdf2-sha256$ITERATIONS$SALT$DIGEST",
    salt: adaptedBase64,
    digest: adaptedBase64,
    isFixedLength: false,
  },
  {
    name: "PHC",
    start: /^\$pbkdf2-[^$]*\$i=/,
    pattern: /^\$pbkdf2-sha(?<sha>256|384|512)\$i=(?<iterations>\d+)(?:,l=\d+)?\$(?<salt>[^$]*)\$(?<end>[^$]+)$/,
    form: "$pbkdf2-sha256$i=ITERATIONS$SALT$DIGEST",
    salt: unpaddedBase64,
    digest: unpaddedBase64,
    isFixedLength: false,
  },
  {
    name: "LDAP",
    start: /^\{PBKDF2/i,
    pattern: /^\{PBKDF2(?:-SHA(?<sha>1|256|384|512))?\}(?<iterations>\d+)\$(?<salt>[^$]*)\$(?<end>[^$]+)$/i,
    form: "{PBKDF2-SHA256}ITERATIONS$SALT$DIGEST",
    salt: adaptedBase64,
    digest: adaptedBase64,
    isFixedLength: false,
  },
];

/** PBKDF2 of every origin. */
export function parsePbkdf2(text: string): ParsedHash | undefined {
  const origin = origins.find(({ start }) => start.test(text));
  return origin && parse(text, origin);
}

function parse(text: string, origin: Origin): ParsedHash {
  const { sha: number = "1", end = "", salt: saltText = "", ...fields } = fieldsOf(text, origin);
  const sha = shas[number];
  if (sha === undefined) throw new RangeError("its hash function is unknown");
  const iterations = boundedNumber(fields.iterations ?? "", { name: "number of iterations", max: maxIterations });
  const salt = origin.salt(saltText);
  const [min, max] = origin.isFixedLength ? [sha.bytes, sha.bytes] : [minDigestBytes, maxDigestBytes];
  const { settings, digest, digestBytes } = readDigest(text, { end, decode: origin.digest, min, max });
  // Each takes all iterations. One is enough for an attacker.
  const blocks = Math.ceil(digestBytes / sha.bytes);
  bounded(iterations * blocks, { name: "number of iterations, for all parts of its digest,", max: maxIterations });
  const cost = `i=${iterations}${blocks > 1 ? `,blocks=${blocks}` : ""}`;
  return {
    work: `${origin.name} pbkdf2-sha${number} ${cost}`,
    settings,
    digest,
    memoryBytes: 0,
    isFast: iterations < slowEnough.pbkdf2,
    isSlowScript: false,
    derive: (password) => deriveBits(password, { name: "PBKDF2", hash: sha.name, salt, iterations, digestBytes }),
  };
}
