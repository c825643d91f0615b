/**
 * What every file of the store begins with, and the error of one that is damaged. The format is drawn in `frame.ts`.
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { DiskFile } from "./disk.ts";

/** Bytes of the header of a file. */
export const fileHeaderBytes = 32;
const magic = "GATEHOUSE";
const kindLetters = { snapshot: "S", journal: "J" } as const;
/** Files of every version up to this one are read; all are written in this one. 2: tickets have an id and a maker. */
const version = 2;
/** Half of what a number counts exactly, so that what is added to it is exact too. */
const maxChangesBefore = 2 ** 52;

export type FileKind = "snapshot" | "journal";

/** What a file is, as its header says. */
export interface FileHeader {
  readonly kind: FileKind;
  /** A snapshot and the journals since have this one and the following. */
  readonly generation: number;
  /** How many changes were ever made before: a snapshot holds them all, and a journal goes on with the next. */
  readonly changesBefore: number;
}

/** A header that was read. */
export interface FoundHeader extends FileHeader {
  /** Whether a version before this one wrote it. A program of that version cannot read what is written now. */
  readonly isOld: boolean;
}

/** A file that cannot be read as what it should be. The message says where, what is wrong, and what to do. */
export class CorruptFileError extends Error {
  override name = "CorruptFileError";
  readonly path: string;
  /** Bytes from the start of the file. */
  readonly offset: number;

  constructor(path: string, offset: number, problem: string, options?: ErrorOptions) {
    super(
      `Cannot read "${path}" as it is damaged at byte ${offset}: ${problem}. Nothing was changed. ` +
        `Put a good copy of the whole folder in its place, or move the folder away to start with an empty one`,
      options,
    );
    this.path = path;
    this.offset = offset;
  }
}

/** @param formatVersion of a file that is to be read; what is written has the present one */
export function encodeFileHeader(header: FileHeader, formatVersion = version): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(fileHeaderBytes);
  bytes.write(magic + kindLetters[header.kind], 0, "latin1");
  bytes.writeUInt16LE(formatVersion, 10);
  bytes.writeUInt32LE(header.generation, 12);
  bytes.writeBigUInt64LE(BigInt(header.changesBefore), 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  return bytes;
}

/** Whether a file begins as one of this kind, of any version, whole or damaged. */
export function beginsAs(kind: FileKind, file: DiskFile): boolean {
  const start = Buffer.from(magic + kindLetters[kind], "latin1");
  const bytes = Buffer.alloc(start.length);
  return file.read(bytes, 0) === start.length && bytes.equals(start);
}

/**
 * Reads the header of a file.
 *
 * @throws {CorruptFileError} it is not that of a whole file of this kind and, if given, generation
 * @throws {Error} a later version of Gatehouse wrote it
 */
export function readFileHeader(
  file: DiskFile,
  expected: { kind: FileKind; generation?: number },
): FoundHeader {
  const bytes = Buffer.alloc(fileHeaderBytes);
  const read = file.read(bytes, 0);
  if (read < fileHeaderBytes) throw new CorruptFileError(file.path, read, "it ends within its header");
  if (bytes.toString("latin1", 0, 9) !== magic) {
    throw new CorruptFileError(file.path, 0, `it does not begin with "${magic}"`);
  }
  const found = bytes.readUInt16LE(10);
  if (found > version) throw laterVersion(file, found, bytes);
  const { kind, generation = bytes.readUInt32LE(12) } = expected;
  const header = { kind, generation, changesBefore: Number(bytes.readBigUInt64LE(16)) };
  const isCounted = header.changesBefore <= maxChangesBefore;
  if (found === 0 || !isCounted || !bytes.equals(encodeFileHeader(header, found))) {
    throw new CorruptFileError(file.path, 9, `its header is not that of ${kind} ${generation}`);
  }
  return { ...header, isOld: found < version };
}

/**
 * @param found the version in the header. A checksum elsewhere than here is either damage or another kind of header.
 */
function laterVersion(file: DiskFile, found: number, bytes: Buffer): Error {
  const problem = `its format has version ${found}, and this program reads up to ${version}`;
  if (bytes.readUInt32LE(24) !== crc32(bytes.subarray(0, 24))) return new CorruptFileError(file.path, 10, problem);
  return new Error(
    `Cannot read "${file.path}" as a newer version of Gatehouse wrote it (${problem}): start that version`,
  );
}
