/**
 * The format of snapshots and journals: a header, then frames. Numbers are unsigned and little-endian.
 *
 *     file   := header frame*
 *     header := "GATEHOUSE" · kind "S" or "J" · version u16 · generation u32 · changes u64 made before the file
 *               · crc32 u32 of all before · zeros to 32 bytes
 *     frame  := length u32 · crc32 u32 of the payload · changes u32 · crc32 u32 of the twelve bytes before
 *               · payload of `length` bytes (see change.ts) · zeros · 0xFF, so that it ends at a multiple of 16
 *
 * A snapshot ends with a frame of 0 changes whose payload is the number of all, and with the file. A journal is made
 * longer with zeros before frames are written over them, so after its last frame stand at least 16 zero bytes: a file
 * that was cut anywhere shows it. And a write over old bytes is synced without the file's size, at 0.6 of the time.
 *
 * Which broken frame is a torn write, and which is damage? A write that a power cut tore leaves, of its bytes, those of
 * before: zeros. Whole sectors of 512 bytes are written or not, in any order, or the bytes up to some place. The same
 * holds for the zeros that the service writes over a frame whose write failed: they may reach any place of it. So a
 * frame may be torn if it lacks its end mark 0xFF, or a whole sector in it is zero, or all behind its header is zero,
 * or its header is zero, and if no whole frame stands behind it, as a frame is begun only after the one before is
 * synced. The header is aligned to 16 bytes and so lies in one sector. All else, every flipped bit among it, is damage.
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { DiskFile } from "./disk.ts";
import { fileHeaderBytes } from "./header.ts";

/** Bytes of the header of a frame, and what frames are aligned to; also the zeros that end a journal. */
export const frameHeaderBytes = 16;
/** Longest frame that is read, and so the longest that is written: far below what would exhaust the memory. */
export const maxFrameBytes = 256 * 1024 * 1024;
/**
 * So many bytes may stand behind the last whole frame: a torn one and the zeros. More are not looked through: a file
 * can have terabytes of zeros and take no room.
 */
const maxTailBytes = 2 * maxFrameBytes;
/** So many headers may stand in what a torn write left: chance makes one of 4,294,967,296 places look like one. */
const maxStrayHeaders = 8;

const endMark = 0xff;
const sectorBytes = 512;
/** Read at once: large enough that the calls do not count, small beside the state. */
const readBytes = 4 * 1024 * 1024;

/** A whole frame. */
export interface Frame {
  /** Valid only until the next frame is read. */
  readonly payload: Buffer;
  /** How many changes it says to hold. */
  readonly changeCount: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
}

/** Where the frames of a file end, and why there. */
export interface FrameEnd {
  /** Bytes from the start of the file to the end of the last whole frame. */
  readonly offset: number;
  /** `zeros` as in a journal, `file` when nothing follows; else the next frame is broken. */
  readonly reason: "zeros" | "file" | "torn" | "damaged";
  /** What is wrong; empty when nothing is. */
  readonly problem: string;
}

/** A frame would be longer than what is read again. */
export class FrameTooLongError extends RangeError {
  override name = "FrameTooLongError";
}

/**
 * One frame around a payload.
 *
 * @param changeCount how many changes the payload holds
 * @throws {FrameTooLongError} it would have more than `maxBytes`, which are at most `maxFrameBytes`
 */
export function encodeFrame(
  payload: Uint8Array,
  changeCount: number,
  { maxBytes = maxFrameBytes }: { readonly maxBytes?: number } = {},
): Uint8Array<ArrayBuffer> {
  const length = frameBytes(payload.length);
  if (length > maxBytes) {
    throw new FrameTooLongError(`Cannot write a frame of ${length} bytes: the longest that is read has ${maxBytes}`);
  }
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeUInt32LE(crc32(payload), 4);
  bytes.writeUInt32LE(changeCount, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  bytes.set(payload, frameHeaderBytes);
  bytes[bytes.length - 1] = endMark;
  return bytes;
}

/**
 * Reads frames from behind the file's header to where they end.
 *
 * @param onFrame is given each whole frame
 * @returns where and why they end; it is for the caller to say whether that is all right
 */
export function readFrames(
  file: DiskFile,
  onFrame: (frame: Frame) => void,
): FrameEnd {
  const reader = new Reader(file);
  let offset = fileHeaderBytes;
  while (true) {
    const step = readFrame(reader, offset);
    if (typeof step === "object") return step;
    const frame = reader.view(offset, step);
    const payload = frame.subarray(frameHeaderBytes, frameHeaderBytes + frame.readUInt32LE(0));
    onFrame({ payload, changeCount: frame.readUInt32LE(8), offset });
    offset += step;
  }
}

/** Bytes of a frame: header, payload and end mark, up to the next multiple of 16. */
function frameBytes(payloadBytes: number): number {
  const bytes = frameHeaderBytes + payloadBytes + 1;
  return bytes + (-bytes & (frameHeaderBytes - 1));
}

/** @returns the bytes of the whole frame at `offset`, or why there is none */
function readFrame(reader: Reader, offset: number): number | FrameEnd {
  const header = reader.view(offset, frameHeaderBytes);
  if (header.length === 0) return { offset, reason: "file", problem: "" };
  if (header.length < frameHeaderBytes) {
    return { offset, reason: "damaged", problem: "the file ends within the header of a frame" };
  }
  const isHeader = header.readUInt32LE(12) === crc32(header.subarray(0, 12));
  const bytes = frameBytes(header.readUInt32LE(0));
  const tailBytes = reader.size - offset;
  if (isHeader && (bytes > maxFrameBytes || bytes > tailBytes)) {
    return { offset, reason: "damaged", problem: `a frame of ${bytes} bytes goes beyond the end of the file` };
  }
  if (isHeader && isWhole(reader.view(offset, bytes))) return bytes;
  if (tailBytes > maxTailBytes) {
    return { offset, reason: "damaged", problem: `${tailBytes} bytes stand behind the last whole frame` };
  }
  return isHeader ? brokenPayload(reader, offset, bytes) : brokenHeader(reader, offset);
}

function brokenPayload(reader: Reader, offset: number, bytes: number): FrameEnd {
  const frame = reader.view(offset, bytes);
  return brokenFrame(reader, offset, {
    problem: "the checksum of a frame is wrong",
    couldBeTorn: frame[bytes - 1] === 0 || hasZeroSector(frame, offset),
  });
}

/** A header of zeros ends the frames, unless the rest of a torn frame, or frames, stand behind it. */
function brokenHeader(reader: Reader, offset: number): FrameEnd {
  const isMissing = isZero(reader.view(offset, frameHeaderBytes));
  const isLast = reader.isZeroFrom(offset + frameHeaderBytes);
  if (isMissing && isLast) return { offset, reason: "zeros", problem: "" };
  return brokenFrame(reader, offset, {
    problem: isMissing ? "the header of a frame is missing" : "the checksum of a frame's header is wrong",
    couldBeTorn: isMissing || isLast,
  });
}

/** Whether a frame, all its bytes, has its payload, padding and end mark. */
function isWhole(frame: Buffer): boolean {
  const payload = frame.subarray(frameHeaderBytes, frameHeaderBytes + frame.readUInt32LE(0));
  const padding = frame.subarray(frameHeaderBytes + payload.length, -1);
  return frame.at(-1) === endMark && isZero(padding) && crc32(payload) === frame.readUInt32LE(4);
}

function brokenFrame(
  reader: Reader,
  offset: number,
  options: { problem: string; couldBeTorn: boolean },
): FrameEnd {
  const torn = options.couldBeTorn && !hasFrameBehind(reader, offset);
  return { offset, reason: torn ? "torn" : "damaged", problem: options.problem };
}

/** Whether a whole frame, or more headers of frames than chance makes, stand anywhere behind `offset`. */
function hasFrameBehind(reader: Reader, offset: number): boolean {
  let headerCount = 0;
  for (let at = offset + frameHeaderBytes; at + frameHeaderBytes < reader.size; at += frameHeaderBytes) {
    const header = reader.view(at, frameHeaderBytes);
    if (isZero(header) || header.readUInt32LE(12) !== crc32(header.subarray(0, 12))) continue;
    // Each costs the checksum of what it claims to head, up to 256 MiB: a crafted file could take hours.
    if (++headerCount > maxStrayHeaders) return true;
    const bytes = frameBytes(header.readUInt32LE(0));
    if (bytes <= Math.min(maxFrameBytes, reader.size - at) && isWhole(reader.view(at, bytes))) return true;
  }
  return false;
}

/** Whether one of the whole sectors that the frame covers is all zero. */
function hasZeroSector(frame: Buffer, offset: number): boolean {
  const first = -offset & (sectorBytes - 1);
  for (let at = first; at + sectorBytes <= frame.length; at += sectorBytes) {
    if (isZero(frame.subarray(at, at + sectorBytes))) return true;
  }
  return false;
}

function isZero(bytes: Uint8Array): boolean {
  // A loop: `every` takes five times as long, and journals are megabytes of zeros.
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** A file behind a buffer, so that frames are not read by one call each. */
class Reader {
  readonly size: number;
  readonly #file: DiskFile;
  /** One for the whole file, as what is not used again is freed late: 1,000,000 users took 110 MB more. */
  #buffer: Buffer<ArrayBuffer>;
  /** Which bytes of the file the buffer holds. */
  #start = 0;
  #end = 0;

  constructor(file: DiskFile) {
    this.#file = file;
    this.size = file.size();
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, this.size));
  }

  /** The bytes at `offset`: fewer than `length` only at the end of the file. Valid until the next call. */
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
