/**
 * Reads foreign files, which may be hostile, of any size and damaged: by lines, with a bounded amount of memory.
 *
 * A line ends with LF or CRLF. A byte order mark at the start of the file is passed over.
 */

import { Buffer } from "node:buffer";
import { ForeignFileError, type RefusedRecord } from "./foreign_format.ts";

/** Longer than any line of a user, with photos and all. */
export const maxLineBytes = 1024 * 1024;
const chunkBytes = 256 * 1024;
const [lf, cr, nul] = [0x0a, 0x0d, 0x00];
/** A mark within the file is text. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Mark = Buffer.from([0xef, 0xbb, 0xbf]);
const utf16Marks = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/** A line without its end. */
export interface TextLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/**
 * Opens a file.
 *
 * @throws {ForeignFileError} it is missing, may not be read, or is no regular file: reading a pipe would wait for ever
 */
export async function openForeignFile(path: string): Promise<Deno.FsFile> {
  try {
    if ((await Deno.stat(path)).isFile) return await Deno.open(path);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    // Deno appends the call and the path.
    const reason = /^[^:]+\(os error \d+\)/.exec(text)?.[0] ?? text;
    throw new ForeignFileError(`Cannot read "${path}": ${reason}`, { cause });
  }
  throw new ForeignFileError(`Cannot read "${path}" as it is not a file: name a regular file`);
}

/**
 * Reads a whole file as text, without a byte order mark.
 *
 * @throws {ForeignFileError} it cannot be opened, has more than `maxBytes`, or is not UTF-8
 */
export async function readForeignText(path: string, maxBytes: number): Promise<string> {
  using file = await openForeignFile(path);
  const { size } = await file.stat();
  if (size > maxBytes) {
    throw new ForeignFileError(`Cannot read "${path}" as it has ${size} bytes: at most ${maxBytes} are read at once`);
  }
  const bytes = Buffer.from(await new Response(file.readable).arrayBuffer());
  requireUtf8(bytes, path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ForeignFileError(`Cannot read "${path}" as it is not UTF-8: convert it to UTF-8`, { cause });
  }
}

/**
 * Reads the lines of a file. A line that is too long, not UTF-8 or has NUL is refused, and the next one is read.
 *
 * @throws {ForeignFileError} the file cannot be read
 */
export async function* readLines(path: string): AsyncGenerator<TextLine | RefusedRecord> {
  let line = 0;
  for await (const { bytes, isCut } of splitLines(path)) yield decodeLine(bytes, { line: ++line, isCut });
}

/** The bytes of each line, of which more than `maxLineBytes` are cut. They are valid until the next is asked for. */
async function* splitLines(path: string): AsyncGenerator<{ bytes: Buffer; isCut: boolean }> {
  using file = await openForeignFile(path);
  const chunk = Buffer.alloc(chunkBytes);
  let rest = Buffer.alloc(0);
  let isCut = false;
  for (let isFirst = true;; isFirst = false) {
    const count = await file.read(chunk);
    if (count === null) break;
    let start = isFirst ? startOf(chunk.subarray(0, count), path) : 0;
    for (let end; (end = chunk.indexOf(lf, start)) !== -1 && end < count; start = end + 1) {
      const bytes = chunk.subarray(start, end);
      yield { bytes: rest.length === 0 ? bytes : Buffer.concat([rest, bytes]), isCut };
      [rest, isCut] = [Buffer.alloc(0), false];
    }
    // No more than this is kept of a line without an end.
    isCut ||= rest.length + count - start > maxLineBytes + 1;
    if (!isCut) rest = Buffer.concat([rest, chunk.subarray(start, count)]);
  }
  if (rest.length > 0 || isCut) yield { bytes: rest, isCut };
}

/** Where the text starts in the first bytes of a file. */
function startOf(bytes: Buffer, path: string): number {
  requireUtf8(bytes, path);
  return bytes.subarray(0, utf8Mark.length).equals(utf8Mark) ? utf8Mark.length : 0;
}

function requireUtf8(bytes: Buffer, path: string): void {
  if (!utf16Marks.some((mark) => bytes.subarray(0, mark.length).equals(mark))) return;
  throw new ForeignFileError(`Cannot read "${path}" as it is UTF-16: convert it to UTF-8`);
}

function decodeLine(bytes: Buffer, { line, isCut }: { line: number; isCut: boolean }): TextLine | RefusedRecord {
  const text = bytes.at(-1) === cr ? bytes.subarray(0, -1) : bytes;
  if (isCut || text.length > maxLineBytes) return { line, reason: `the line has more than ${maxLineBytes} bytes` };
  if (text.includes(nul)) return { line, reason: "the line has a NUL character" };
  try {
    return { line, text: decoder.decode(text) };
  } catch {
    return { line, reason: "the line is not UTF-8: convert the file to UTF-8" };
  }
}
