/**
 * The objects of a list in a JSON file of any size, one by one.
 *
 * Programs export all their users as one JSON array. `JSON.parse` of the whole would take several times the size of the
 * file, so this scanner looks only for strings and brackets, and hands the bytes of one object at a time to
 * `JSON.parse`. It is linear, and keeps at most one object.
 */

import { Buffer } from "node:buffer";
import { openForeignFile } from "./foreign_file.ts";
import { ForeignFileError } from "./foreign_format.ts";

/** Of one object, in bytes: a user has under 10 kB, and a client of Keycloak that has many permissions 1 MB. */
const maxObjectBytes = 4 * 1024 * 1024;
/** Of the file. JSON of this kind has at most 10. */
const maxDepth = 64;

const quote = 0x22;
const backslash = 0x5c;
const braceOpen = 0x7b;
const braceClose = 0x7d;
const bracketOpen = 0x5b;
const bracketClose = 0x5d;

/**
 * Reads the objects of lists, one by one.
 *
 * @param within the brackets that are open around such an object, such as "[" for a list, or "{[" for one in an object
 * @throws {ForeignFileError} the file is not JSON
 */
export async function* readJsonObjects(
  path: string,
  within: readonly string[],
): AsyncGenerator<Record<string, unknown>> {
  using file = await openForeignFile(path);
  const scanner = new ObjectScanner(within);
  let count = 0;
  try {
    for await (const chunk of file.readable) {
      for (const bytes of scanner.push(chunk)) {
        yield parseObject(bytes);
        count++;
      }
    }
    scanner.end();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const place = `after ${count} records: ${cause.message}`;
    throw new ForeignFileError(`Cannot read "${path}" as JSON ${place}`, { cause });
  }
}

/** The value of a field, if the value is an object. */
export function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : undefined;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    // Without the message of V8: it quotes the text, which has hashes.
    throw new SyntaxError("the next one is not JSON in UTF-8", { cause });
  }
}

class ObjectScanner {
  readonly #within: readonly string[];
  /** The open brackets. */
  #open = "";
  /** How many are open around the object that is read; -1 between objects. */
  #outside = -1;
  #isInString = false;
  #isEscaped = false;
  #isStarted = false;
  /** The object so far, from earlier chunks. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  constructor(within: readonly string[]) {
    this.#within = within;
  }

  /** @returns the objects that are complete. @throws {SyntaxError} */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      if (this.#isInString) this.#takeString(byte);
      else if (byte === quote) this.#isInString = true;
      else if (byte === braceOpen || byte === bracketOpen) {
        if (this.#opens(byte)) start = index;
      } else if (byte === braceClose || byte === bracketClose) {
        if (this.#closes(byte)) yield this.#take(chunk.subarray(start, index + 1));
      } else if (this.#open === "") this.#assertBlank(byte);
    }
    if (this.#outside >= 0) this.#keep(chunk.slice(start));
  }

  /** @throws {SyntaxError} the file is empty or cut */
  end(): void {
    if (!this.#isStarted) throw new SyntaxError("the file is empty");
    if (this.#open !== "") throw new SyntaxError("the file ends within a value: is it whole?");
  }

  #takeString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === backslash) this.#isEscaped = true;
    else if (byte === quote) this.#isInString = false;
  }

  /** @returns whether an object begins */
  #opens(byte: number): boolean {
    const begins = this.#outside < 0 && byte === braceOpen && this.#within.includes(this.#open);
    if (begins) this.#outside = this.#open.length;
    if (this.#open.length === maxDepth) throw new SyntaxError(`its values are nested deeper than ${maxDepth}`);
    this.#open += String.fromCharCode(byte);
    this.#isStarted = true;
    return begins;
  }

  /** @returns whether an object ends */
  #closes(byte: number): boolean {
    const opened = byte === braceClose ? "{" : "[";
    if (!this.#open.endsWith(opened)) throw new SyntaxError("its brackets do not match");
    this.#open = this.#open.slice(0, -1);
    return this.#open.length === this.#outside;
  }

  #take(last: Uint8Array): Uint8Array {
    this.#keep(last);
    const whole = Buffer.concat(this.#parts);
    [this.#outside, this.#parts, this.#partBytes] = [-1, [], 0];
    return whole;
  }

  #keep(part: Uint8Array): void {
    this.#parts.push(part);
    this.#partBytes += part.length;
    if (this.#partBytes > maxObjectBytes) throw new SyntaxError(`the next one has more than ${maxObjectBytes} bytes`);
  }

  /** Outside of all values there is white space only; PowerShell begins a file with a byte order mark. */
  #assertBlank(byte: number): void {
    const isMark = !this.#isStarted && (byte === 0xef || byte === 0xbb || byte === 0xbf);
    if (byte > 0x20 && !isMark) throw new SyntaxError("it is another format");
  }
}
