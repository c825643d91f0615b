/**
 * The format of snapshots and journals: a header, then frames. Numbers are unsigned and little-endian.
 *
 *     file   := header frame*
 *     header := "GATEHOUSE" · kind "S" or "J" · version u16 · generation u32 · changes u64 made before the file
 *               · crc32 u32 of all before · zeros to 32 bytes
 *     frame  := length u32 · crc32 u32 of the payload · changes u32 · crc32 u32 of the twelve bytes before
 *               · payload of `length` bytes (see change.ts) · zeros · 0xFF, so that it ends at a multiple of 16
 *
 * A snapshot ends with a frame of 0 changes, whose payload is the total number of changes, and then the file ends. A
 * journal is extended with zeros before frames overwrite them, so at least 16 zero bytes follow its last frame: a file
 * that was cut short lacks them. A write over existing bytes also syncs in 0.6 of the time, as the size stays.
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { DiskFile } from "./disk.ts";

/** Bytes of the header of a file. */
export const fileHeaderBytes = 32;
/** Bytes of the header of a frame, the alignment of frames, and the zeros that follow the last frame of a journal. */
export const frameHeaderBytes = 16;
/** Bytes of the longest frame that is read or written: a longer one could exhaust the memory. */
export const maxFrameBytes = 256 * 1024 * 1024;
/** The last byte of each frame. */
export const endMark = 0xff;

const magic = "GATEHOUSE";
const kindLetters = { snapshot: "S", journal: "J" } as const;
/** Files up to this version are read; all files are written in it. Version 2 added ids and makers to tickets. */
const version = 2;
/** Half of the largest exact integer, so that sums stay exact. */
const maxChangesBefore = 2 ** 52;

export type FileKind = "snapshot" | "journal";

/** The position of a file in the history of changes. */
export interface FileStart {
  /** A snapshot and the journal that continues it have the same generation; later journals count up. */
  readonly generation: number;
  /** The number of changes ever made before: a snapshot contains them all, a journal continues with the next. */
  readonly changesBefore: number;
}

/** A file is damaged. The message says where, what is wrong and what to do. */
export class CorruptFileError extends Error {
  override name = "CorruptFileError";
  readonly path: string;
  /** Bytes from the start of the file. */
  readonly offset: number;

  constructor({ path }: { path: string }, offset: number, problem: string, options?: ErrorOptions) {
    super(
      `Cannot read "${path}" as it is damaged at byte ${offset}: ${problem}. Nothing was changed. ` +
        "Restore the whole folder from a backup, or move it away to start with an empty store",
      options,
    );
    this.path = path;
    this.offset = offset;
  }
}

/** Returns the header of a file. @param formatVersion other than the current one only to compare an old header */
export function encodeFileHeader(
  { kind, generation, changesBefore }: FileStart & { readonly kind: FileKind },
  formatVersion = version,
): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(fileHeaderBytes);
  bytes.write(magic + kindLetters[kind], 0, "latin1");
  bytes.writeUInt16LE(formatVersion, 10);
  bytes.writeUInt32LE(generation, 12);
  bytes.writeBigUInt64LE(BigInt(changesBefore), 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  return bytes;
}

/** Reports whether a file begins like one of this kind, of any version, intact or damaged. */
export function beginsAs(kind: FileKind, file: DiskFile): boolean {
  const start = Buffer.from(magic + kindLetters[kind], "latin1");
  const bytes = Buffer.alloc(start.length);
  return file.read(bytes, 0) === start.length && bytes.equals(start);
}

/**
 * Reads the header of a file.
 *
 * @returns with `isOld`: an earlier version wrote the file, which cannot read what is written now
 * @throws {CorruptFileError} the header is not that of a file of this kind and, if given, generation
 * @throws {Error} a later version of Gatehouse wrote the file
 */
export function readFileHeader(
  file: DiskFile,
  expected: { kind: FileKind; generation?: number },
): FileStart & { readonly isOld: boolean } {
  const bytes = Buffer.alloc(fileHeaderBytes);
  const read = file.read(bytes, 0);
  if (read < fileHeaderBytes) throw new CorruptFileError(file, read, "it ends within its header");
  if (bytes.toString("latin1", 0, 9) !== magic) {
    throw new CorruptFileError(file, 0, `it does not begin with "${magic}"`);
  }
  const found = bytes.readUInt16LE(10);
  if (found > version) throw laterVersion(file, found, bytes);
  const { kind, generation = bytes.readUInt32LE(12) } = expected;
  const start = { generation, changesBefore: Number(bytes.readBigUInt64LE(16)) };
  const isCounted = start.changesBefore <= maxChangesBefore;
  if (found === 0 || !isCounted || !bytes.equals(encodeFileHeader({ kind, ...start }, found))) {
    throw new CorruptFileError(file, 9, `its header is not that of ${kind} ${generation}`);
  }
  return { ...start, isOld: found < version };
}

/** Without a valid checksum in its place, a later version in the header is damage. */
function laterVersion(file: DiskFile, found: number, bytes: Buffer): Error {
  const problem = `its format has version ${found}, and this program reads up to ${version}`;
  if (bytes.readUInt32LE(24) !== crc32(bytes.subarray(0, 24))) return new CorruptFileError(file, 10, problem);
  return new Error(
    `Cannot read "${file.path}" as a newer version of Gatehouse wrote it (${problem}): start that version`,
  );
}

/** A frame would be longer than a reader accepts. */
export class FrameTooLongError extends RangeError {
  override name = "FrameTooLongError";
}

/**
 * Returns a frame around a payload of `changeCount` changes.
 *
 * @throws {FrameTooLongError} the frame would have more than `maxBytes`
 */
export function encodeFrame(
  payload: Uint8Array,
  changeCount: number,
  { maxBytes = maxFrameBytes }: { readonly maxBytes?: number } = {},
): Uint8Array<ArrayBuffer> {
  const length = frameBytes(payload.length);
  if (length > maxBytes) {
    throw new FrameTooLongError(`Cannot write a frame of ${length} bytes: the limit is ${maxBytes} bytes`);
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

/** Returns the bytes of a frame: header, payload and end mark, up to the next multiple of 16. */
export function frameBytes(payloadBytes: number): number {
  const bytes = frameHeaderBytes + payloadBytes + 1;
  return bytes + (-bytes & (frameHeaderBytes - 1));
}
