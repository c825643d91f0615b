/**
 * Reads the frames of a file, and tells a torn write from damage. `format.ts` has the format.
 *
 * A power cut may leave a write half done. The disk writes whole sectors of 512 bytes in any order, or bytes up to some
 * place; the rest are the zeros from before. The same holds for the zeros that overwrite a frame after its write
 * failed. So a frame may be torn if it lacks its end mark, if a whole sector of it is zero, if everything after its
 * header is zero, or if its header is zero (being aligned to 16 bytes, a header lies in one sector). It also must be
 * the last frame, as each frame is synced before the next is written. Anything else, such as a flipped bit, is damage.
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { Change } from "../../store.ts";
import { decodeChanges } from "./change.ts";
import type { DiskFile } from "./disk.ts";
import { CorruptFileError } from "./file_header.ts";
import { endMark, fileHeaderBytes, frameBytes, frameHeaderBytes, maxFrameBytes } from "./format.ts";

/**
 * Bytes that may follow the last intact frame: a torn frame and zeros. More are not searched, as a sparse file can have
 * terabytes of zeros.
 */
const maxTailBytes = 2 * maxFrameBytes;
/** Headers of frames that a torn write may seem to contain: random bytes look like one in 1 of 4,294,967,296 places. */
const maxStrayHeaders = 8;
const sectorBytes = 512;
/** Bytes of one read: large enough to make the calls cheap, and small compared to the tables. */
const readBytes = 4 * 1024 * 1024;

/** An intact frame. */
export interface Frame {
  /** Valid only until the next frame is read. */
  readonly payload: Buffer;
  /** The number of changes in its header. */
  readonly changeCount: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
}

/** Where and why the frames of a file end. */
export interface FrameEnd {
  /** Bytes from the start of the file to the end of the last intact frame. */
  readonly offset: number;
  /** `zeros` follow, as in a journal, or the `file` ends; otherwise the next frame is broken. */
  readonly reason: "zeros" | "file" | "torn" | "damaged";
  /** What is wrong with the next frame; empty if nothing is. */
  readonly problem: string;
}

/** Reads the frames of a file in order. The caller decides whether the end that is returned is valid. */
export function readFrames(file: DiskFile, onFrame: (frame: Frame) => void): FrameEnd {
  const reader = new Reader(file);
  let offset = fileHeaderBytes;
  while (true) {
    const found = readFrame(reader, offset);
    if (typeof found === "object") return found;
    const frame = reader.view(offset, found);
    const payload = frame.subarray(frameHeaderBytes, frameHeaderBytes + frame.readUInt32LE(0));
    onFrame({ payload, changeCount: frame.readUInt32LE(8), offset });
    offset += found;
  }
}

/**
 * Decodes the changes in a frame.
 *
 * @throws {CorruptFileError} the checksum is valid but the payload is not: another program wrote it
 */
export function decodeFrame(file: DiskFile, { payload, changeCount, offset }: Frame): Change[] {
  try {
    const changes = decodeChanges(payload);
    if (changes.length === changeCount) return changes;
    throw new TypeError(`${changes.length} changes instead of ${changeCount}`);
  } catch (error) {
    throw new CorruptFileError(file, offset, `a frame cannot be decoded (${error})`, { cause: error });
  }
}

/** Returns the number of bytes of the intact frame at `offset`, or why there is none. */
function readFrame(reader: Reader, offset: number): number | FrameEnd {
  const damaged = (problem: string): FrameEnd => ({ offset, reason: "damaged", problem });
  const header = reader.view(offset, frameHeaderBytes);
  if (header.length === 0) return { offset, reason: "file", problem: "" };
  if (header.length < frameHeaderBytes) return damaged("the file ends within the header of a frame");
  const bytes = frameBytes(header.readUInt32LE(0));
  const tailBytes = reader.size - offset;
  if (!isHeader(header)) return tailBytes > maxTailBytes ? damaged(longTail(tailBytes)) : brokenHeader(reader, offset);
  if (bytes > maxFrameBytes || bytes > tailBytes) {
    return damaged(`a frame of ${bytes} bytes extends past the end of the file`);
  }
  const frame = reader.view(offset, bytes);
  if (isIntact(frame)) return bytes;
  if (tailBytes > maxTailBytes) return damaged(longTail(tailBytes));
  const couldBeTorn = frame[bytes - 1] === 0 || hasZeroSector(frame, offset);
  return brokenFrame(reader, offset, { problem: "the checksum of a frame is wrong", couldBeTorn });
}

function longTail(bytes: number): string {
  return `${bytes} bytes follow the last intact frame`;
}

/** A header of zeros ends the frames, unless the rest of a torn frame, or other frames, follow. */
function brokenHeader(reader: Reader, offset: number): FrameEnd {
  const isMissing = isZero(reader.view(offset, frameHeaderBytes));
  const isLast = reader.isZeroFrom(offset + frameHeaderBytes);
  if (isMissing && isLast) return { offset, reason: "zeros", problem: "" };
  const problem = isMissing ? "the header of a frame is missing" : "the checksum of a frame's header is wrong";
  return brokenFrame(reader, offset, { problem, couldBeTorn: isMissing || isLast });
}

function brokenFrame(reader: Reader, offset: number, options: { problem: string; couldBeTorn: boolean }): FrameEnd {
  const isTorn = options.couldBeTorn && !hasLaterFrame(reader, offset);
  return { offset, reason: isTorn ? "torn" : "damaged", problem: options.problem };
}

/** Reports whether an intact frame follows, or more headers of frames than random bytes look like. */
function hasLaterFrame(reader: Reader, offset: number): boolean {
  let headerCount = 0;
  for (let at = offset + frameHeaderBytes; at + frameHeaderBytes < reader.size; at += frameHeaderBytes) {
    const header = reader.view(at, frameHeaderBytes);
    if (isZero(header) || !isHeader(header)) continue;
    // Each header costs a checksum of up to 256 MiB: without the limit a crafted file could take hours.
    if (++headerCount > maxStrayHeaders) return true;
    const bytes = frameBytes(header.readUInt32LE(0));
    if (bytes <= Math.min(maxFrameBytes, reader.size - at) && isIntact(reader.view(at, bytes))) return true;
  }
  return false;
}

function isHeader(header: Buffer): boolean {
  return header.readUInt32LE(12) === crc32(header.subarray(0, 12));
}

/** Reports whether payload, padding and end mark of a frame are right. */
function isIntact(frame: Buffer): boolean {
  const payload = frame.subarray(frameHeaderBytes, frameHeaderBytes + frame.readUInt32LE(0));
  const padding = frame.subarray(frameHeaderBytes + payload.length, -1);
  return frame.at(-1) === endMark && isZero(padding) && crc32(payload) === frame.readUInt32LE(4);
}

/** Reports whether one of the sectors that a frame covers wholly is zero. */
function hasZeroSector(frame: Buffer, offset: number): boolean {
  for (let at = -offset & (sectorBytes - 1); at + sectorBytes <= frame.length; at += sectorBytes) {
    if (isZero(frame.subarray(at, at + sectorBytes))) return true;
  }
  return false;
}

function isZero(bytes: Uint8Array): boolean {
  // A loop: `every` takes five times as long, and journals have megabytes of zeros.
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** A file read through a buffer, so that several frames share one system call. */
class Reader {
  readonly size: number;
  readonly #file: DiskFile;
  /** One for the whole file: with new buffers, 1,000,000 users took 110 MB more until they were collected. */
  #buffer: Buffer<ArrayBuffer>;
  /** The bytes of the file in the buffer. */
  #start = 0;
  #end = 0;

  constructor(file: DiskFile) {
    this.#file = file;
    this.size = file.size();
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, this.size));
  }

  /** Returns the bytes at `offset`, fewer than `length` only at the end of the file. Valid until the next call. */
  view(offset: number, length: number): Buffer {
    const end = Math.min(offset + length, this.size);
    if (offset < this.#start || end > this.#end) {
      if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(length);
      this.#start = offset;
      this.#end = offset + this.#file.read(this.#buffer, offset);
    }
    return this.#buffer.subarray(offset - this.#start, Math.max(offset, end) - this.#start);
  }

  isZeroFrom(offset: number): boolean {
    for (let at = offset; at < this.size; at += readBytes) {
      if (!isZero(this.view(at, readBytes))) return false;
    }
    return true;
  }
}
