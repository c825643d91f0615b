/** The header of snapshots and journals, which says what a file is and where it continues. `format.ts` draws it. */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { DiskFile } from "./disk.ts";
import { fileHeaderBytes } from "./format.ts";

const magic = "GATEHOUSE";
const kindLetters = { snapshot: "S", journal: "J" } as const;
/** Files up to this version are read; all files are written in it. `lib/store/README.md` has what each added. */
const version = 5;
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
