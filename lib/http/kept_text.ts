/**
 * Copies text that outlives its request.
 *
 * In V8 a substring of 13 or more characters (`slice`, `trim`, `split`, regular expressions) keeps the whole string
 * alive: 256 characters of a User-Agent of 60 kB take 60 kB as long as the session lasts. Encoding and decoding makes a
 * copy in 0.3 µs; `structuredClone` does not copy. Strings from `JSON.parse` are copies already (measured with Deno
 * 2.9.6, see `test/main/kept_memory_test.ts`).
 */

import { Buffer } from "node:buffer";

/** UTF-8 bytes per UTF-16 code unit, which is what `length` counts. */
const maxBytesPerUnit = 3;
/** C0, C1 and DEL, and characters that change the direction of text. */
const controls = /[\p{Cc}\p{Bidi_Control}]/gu;
/** The first half of a surrogate pair that was cut. */
const brokenEnd = /[\ud800-\udbff]$/;

/** Copies `text`. The caller bounds its length. */
export function copyText(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

/**
 * Copies the beginning of a header value, without control characters.
 *
 * Deno passes each byte of a header as one Latin-1 character (RFC 9110, 5.5). The value is decoded as UTF-8 if it is
 * valid, as most clients send UTF-8.
 *
 * @param maxLength of the result, in UTF-16 code units
 */
export function copyHeaderText(value: string, maxLength: number): string {
  const maxBytes = maxBytesPerUnit * (maxLength + 1);
  const bytes = Buffer.from(value.slice(0, maxBytes), "latin1");
  const text = decodeUtf8(bytes, { isCut: value.length > maxBytes }) ?? bytes.toString("latin1");
  return copyText(text.replace(controls, "").slice(0, maxLength).replace(brokenEnd, ""));
}

/** @param isCut whether the last character may be incomplete. @returns `undefined` if the bytes are not UTF-8 */
function decodeUtf8(bytes: Uint8Array<ArrayBuffer>, { isCut }: { isCut: boolean }): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut });
  } catch {
    return undefined;
  }
}
