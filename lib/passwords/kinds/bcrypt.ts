/**
 * bcrypt, bare, and as Django and passlib use it for passwords of any length.
 *
 *     $2b$12$<salt><digest>                           the first 72 bytes of the password; also $2a$ and $2y$
 *     bcrypt$$2b$12$<salt><digest>                    Django: the same
 *     bcrypt_sha256$$2b$12$<salt><digest>             Django: SHA-256 of the password, in hexadecimal
 *     $bcrypt-sha256$v=2,t=2b,r=12$<salt>$<digest>    passlib: HMAC-SHA-256 with the salt as key, in base64
 *     $bcrypt-sha256$2b,12$<salt>$<digest>            passlib before 1.7.3: SHA-256 in base64
 */

import { createHmac, hash } from "node:crypto";
import type { ParsedHash } from "../parsed_hash.ts";
import { boundedNumber, type Bytes, fieldsOf, utf8 } from "./hash_text.ts";

/** A text around the settings of bcrypt, and what its program hashes. */
interface Form {
  readonly name: string;
  readonly start: string;
  /** With the groups `version`, `cost`, `salt` and `digest`. */
  readonly pattern: RegExp;
  readonly form: string;
  /** What bcrypt gets in place of the password. */
  readonly prepare: (password: Bytes, salt: string) => string;
}

const minCost = 4;
/** Takes 3 s. */
const maxCost = 15;
const version = "2(?<version>[abxy]?)";
const salt = "(?<salt>[./A-Za-z0-9]{22})";
const digest = "(?<digest>[./A-Za-z0-9]{31})?";
/** Keeps U+FEFF at the start of a password. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const forms: readonly Form[] = [
  {
    name: "bcrypt",
    start: "$2",
    pattern: new RegExp(String.raw`^\$${version}\$(?<cost>\d\d)\$${salt}${digest}$`),
    form: "$2b$COST$SALT DIGEST",
    // The package encodes it in UTF-8 again.
    prepare: (password) => decoder.decode(password),
  },
  {
    name: "bcrypt",
    start: "bcrypt$",
    pattern: new RegExp(String.raw`^bcrypt\$\$${version}\$(?<cost>\d\d)\$${salt}${digest}$`),
    form: "bcrypt$$2b$COST$SALT DIGEST",
    prepare: (password) => decoder.decode(password),
  },
  {
    name: "Django bcrypt_sha256",
    start: "bcrypt_sha256$",
    pattern: new RegExp(String.raw`^bcrypt_sha256\$\$${version}\$(?<cost>\d\d)\$${salt}${digest}$`),
    form: "bcrypt_sha256$$2b$COST$SALT DIGEST",
    prepare: (password) => hash("sha256", password),
  },
  {
    name: "passlib bcrypt_sha256 v=2",
    start: "$bcrypt-sha256$v=",
    pattern: new RegExp(String.raw`^\$bcrypt-sha256\$v=2,t=${version},r=(?<cost>\d+)\$${salt}\$${digest}$`),
    form: "$bcrypt-sha256$v=2,t=2b,r=COST$SALT$DIGEST",
    prepare: (password, salt) => createHmac("sha256", salt).update(password).digest("base64"),
  },
  {
    name: "passlib bcrypt_sha256 v=1",
    start: "$bcrypt-sha256$",
    pattern: new RegExp(String.raw`^\$bcrypt-sha256\$${version},(?<cost>\d+)\$${salt}\$${digest}$`),
    form: "$bcrypt-sha256$2b,COST$SALT$DIGEST",
    prepare: (password) => hash("sha256", password, "base64"),
  },
];

/** bcrypt of every origin. */
export function parseBcrypt(text: string): ParsedHash | undefined {
  const form = forms.find(({ start }) => text.startsWith(start));
  if (form === undefined) return undefined;
  const { version = "", cost: costText = "", salt = "", digest = "" } = fieldsOf(text, form);
  // "$2$" hashed without the NUL at the end of a password, "$2x$" marks wrong hashes of letters beyond ASCII.
  if (!/[aby]/.test(version)) {
    throw new RangeError(`it is bcrypt of a faulty program ($2${version}$): invite the user with a ticket`);
  }
  const cost = boundedNumber(costText.replace(/^0/, ""), { name: "cost", min: minCost, max: maxCost });
  return {
    work: `${form.name} cost=${cost}`,
    settings: text.slice(0, text.length - digest.length),
    digest: utf8(digest),
    memoryBytes: 0,
    isFast: false,
    isSlowScript: true,
    derive: (password) => derive(form.prepare(password, salt), { version, cost, salt }),
  };
}

async function derive(
  password: string,
  { version, cost, salt }: { readonly version: string; readonly cost: number; readonly salt: string },
): Promise<Bytes> {
  // Loaded when the first hash of this kind is verified. One file without dependencies, and as fast as hash-wasm, which
  // has 2 MB: 90 ms at cost 10. Deno and WebCrypto have no bcrypt.
  const { default: bcrypt } = await import("bcryptjs");
  const settings = `$2${version}$${String(cost).padStart(2, "0")}$${salt}`;
  return utf8(bcrypt.hashSync(password, settings).slice(settings.length));
}
