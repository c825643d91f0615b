/**
 * Reads the text of a foreign hash strictly: what its program cannot have written is refused, so that a hash has one
 * text, and no number is used before it is bounded.
 *
 * The settings of a hash are its text with `*` and the length of the digest in place of the digest:
 *
 *     $pbkdf2-sha256$29000$<salt>$<digest>
 *     $pbkdf2-sha256$29000$<salt>$*32
 */

/** Bytes as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The bytes of a part of a text. @throws {RangeError} it is not in this encoding */
export type Decoder = (text: string) => Bytes;

/** A digest that was read from the end of a text. */
export interface TextDigest {
  /** See `ParsedHash.settings`. */
  readonly settings: string;
  /** Empty if the text is that of settings. */
  readonly digest: Bytes;
  /** Length of a digest in bytes. */
  readonly digestBytes: number;
}

const absent = "*";
const encoder = new TextEncoder();

/** Matches a text, and returns the named groups. @throws {RangeError} it does not match: `form` is shown instead */
export function fieldsOf(
  text: string,
  { pattern, form }: { readonly pattern: RegExp; readonly form: string },
): Partial<Record<string, string>> {
  const groups = pattern.exec(text)?.groups;
  if (groups === undefined) throw new RangeError(`it is not of the form ${form}`);
  return groups;
}

/** A decimal number without signs and leading zeros. @throws {RangeError} it is another text, or out of the range */
export function boundedNumber(
  digits: string,
  { name, min = 1, max }: { readonly name: string; readonly min?: number; readonly max: number },
): number {
  if (!/^(?:0|[1-9]\d*)$/.test(digits)) throw new RangeError(`its ${name} is not a decimal number`);
  return bounded(Number(digits), { name, min, max });
}

/** @returns the value @throws {RangeError} it is out of the range */
export function bounded(
  value: number,
  { name, min = 1, max }: { readonly name: string; readonly min?: number; readonly max: number },
): number {
  if (value < min) throw new RangeError(`its ${name} is less than ${min}`);
  if (value > max) throw new RangeError(`its ${name} is more than ${max}`);
  return value;
}

/**
 * Reads the digest, which ends the text, or the length that settings have in its place.
 *
 * @throws {RangeError} it is damaged, or of another length
 */
export function readDigest(
  text: string,
  { end, decode, min, max }: {
    /** The digest as it is written. */
    readonly end: string;
    readonly decode: Decoder;
    readonly min: number;
    readonly max: number;
  },
): TextDigest {
  const isAbsent = end.startsWith(absent);
  const range = { name: "digest, in bytes,", min, max };
  const digest = isAbsent ? new Uint8Array() : decode(end);
  const digestBytes = isAbsent ? boundedNumber(end.slice(1), range) : bounded(digest.length, range);
  return { settings: `${text.slice(0, text.length - end.length)}${absent}${digestBytes}`, digest, digestBytes };
}

/** UTF-8: salts that are text. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Hexadecimal in lower case. */
export function hex(text: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new RangeError("a part of it is not hexadecimal in lower case");
  return Uint8Array.fromHex(text);
}

/** Base64 with padding. */
export function base64(text: string): Bytes {
  try {
    // Strict: the unused bits at the end are 0, so that no two texts have the same bytes.
    if (!/\s/.test(text)) return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    // A SyntaxError: as white space, which it would pass over.
  }
  throw new RangeError("a part of it is not base64");
}

/** Base64 without padding. */
export function unpaddedBase64(text: string): Bytes {
  if (text.includes("=")) throw new RangeError("a part of it is base64 with padding");
  return base64(text + "=".repeat(-text.length & 3));
}

/** The "adapted base64" of passlib and of OpenLDAP: without padding, and "." in place of "+". */
export function adaptedBase64(text: string): Bytes {
  if (text.includes("+")) throw new RangeError("a part of it has + where its program writes .");
  return unpaddedBase64(text.replaceAll(".", "+"));
}
