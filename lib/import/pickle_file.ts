/**
 * The bytes of a pickle, read as its opcodes ask for them, with a buffer of a fixed size.
 *
 * A pickle states lengths of up to 2^64 bytes: no length is believed before it is compared with the bounds here.
 */

import { Buffer } from "node:buffer";
import { ForeignFileError } from "./foreign_format.ts";

/** Of a file: opcodes of one byte each then take seconds. 100,000 users of Werkzeug have 22 to 36 MB. */
const maxFileBytes = 64 * 1024 * 1024;
/** Of one value: longer than any field of a user but a photo. */
const maxValueBytes = 1024 * 1024;
/** Of a name of a class, or the digits of a number. */
const maxLineBytes = 255;
const lineFeed = 0x0a;

/** A pickle, read from its start. */
export class PickleFile {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #size: number;
  readonly #buffer = Buffer.alloc(2 * maxValueBytes);
  #start = 0;
  #end = 0;
  /** Of the buffer's end in the file. */
  #offset = 0;

  /** @throws {ForeignFileError} the file is too large */
  constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
    this.#size = file.statSync().size;
    if (this.#size > maxFileBytes) {
      this.fail(`it has more than ${maxFileBytes} bytes: write its users to several files`);
    }
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#offset - (this.#end - this.#start);
  }

  /** How many bytes are left. */
  get rest(): number {
    return this.#size - this.position;
  }

  /** @param reason why the file is refused: a clause @throws {ForeignFileError} always */
  fail(reason: string): never {
    throw new ForeignFileError(`Cannot read the pickle "${this.#path}" at byte ${this.position}: ${reason}`);
  }

  /** Goes back to where it has been. */
  seek(position: number): void {
    const back = this.position - position;
    if (back <= this.#start) {
      this.#start -= back;
      return;
    }
    this.#offset = this.#file.seekSync(position, Deno.SeekMode.Start);
    [this.#start, this.#end] = [0, 0];
  }

  byte(): number {
    this.#require(1);
    return this.#buffer[this.#start++] ?? 0;
  }

  /** @returns bytes that are valid until the next call. @throws {ForeignFileError} they are too many, or not there */
  bytes(count: number): Buffer {
    if (count > maxValueBytes) this.fail(`it has a value of ${count} bytes: at most ${maxValueBytes}`);
    this.#require(count);
    this.#start += count;
    return this.#buffer.subarray(this.#start - count, this.#start);
  }

  /** An unsigned number, the lowest byte first. A large one is rounded, which does not make it small. */
  uint(byteCount: 1 | 2 | 4 | 8): number {
    const bytes = this.bytes(byteCount);
    if (byteCount === 8) return bytes.readUInt32LE(0) + bytes.readUInt32LE(4) * 2 ** 32;
    return bytes.readUIntLE(0, byteCount);
  }

  /** A line without its end. */
  line(): string {
    const count = Math.min(this.rest, maxLineBytes + 1);
    this.#require(count);
    const [start, end] = [this.#start, this.#buffer.indexOf(lineFeed, this.#start)];
    if (end === -1 || end >= start + count) this.fail(`it has a line that is longer than ${maxLineBytes} bytes`);
    this.#start = end + 1;
    return this.#buffer.toString("utf8", start, end);
  }

  /** Fills the buffer. @throws {ForeignFileError} the file ends before */
  #require(count: number): void {
    if (this.#end - this.#start >= count) return;
    if (count > this.rest) this.fail(`it ends within a value: it is cut, or no pickle`);
    this.#buffer.copyWithin(0, this.#start, this.#end);
    [this.#start, this.#end] = [0, this.#end - this.#start];
    while (this.#end < count) {
      const read = this.#file.readSync(this.#buffer.subarray(this.#end));
      if (read === null) this.fail("it became shorter while it was read");
      this.#end += read;
      this.#offset += read;
    }
  }
}
