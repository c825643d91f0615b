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
const version = 1;

export type FileKind = "snapshot" | "journal";

/** What a file is, as its header says. */
export interface FileHeader {
  readonly kind: FileKind;
  /** A snapshot and the journals since have this one and the following. */
  readonly generation: number;
  /** How many changes were ever made before: a snapshot holds them all, and a journal goes on with the next. */
  readonly changesBefore: number;
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

export function encodeFileHeader(header: FileHeader): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(fileHeaderBytes);
  bytes.write(magic + kindLetters[header.kind], 0, "latin1");
  bytes.writeUInt16LE(version, 10);
  bytes.writeUInt32LE(header.generation, 12);
  bytes.writeBigUInt64LE(BigInt(header.changesBefore), 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  return bytes;
}

/**
 * Reads the header of a file.
 *
 * @throws {CorruptFileError} it is not that of a whole file of this kind and, if given, generation
 */
export function readFileHeader(
  file: DiskFile,
  expected: { kind: FileKind; generation?: number },
): FileHeader {
  const bytes = Buffer.alloc(fileHeaderBytes);
  const read = file.read(bytes, 0);
  if (read < fileHeaderBytes) throw new CorruptFileError(file.path, read, "it ends within its header");
  if (bytes.toString("latin1", 0, 9) !== magic) {
    throw new CorruptFileError(file.path, 0, `it does not begin with "${magic}"`);
  }
  // The version comes before the checksum: a later one may have another header.
  if (bytes.readUInt16LE(10) !== version) {
    const problem = `its format has version ${bytes.readUInt16LE(10)}, and this program reads ${version}`;
    throw new CorruptFileError(file.path, 10, problem);
  }
  const { kind, generation = bytes.readUInt32LE(12) } = expected;
  const header = { kind, generation, changesBefore: Number(bytes.readBigUInt64LE(16)) };
  if (!bytes.equals(encodeFileHeader(header))) {
    throw new CorruptFileError(file.path, 9, `its header is not that of ${kind} ${generation}`);
  }
  return header;
}
