/**
 * A journal as a file: its name, and how it is made, read and cut.
 *
 * It is made with zeros behind its header and made longer with more of them, so that zeros always follow its last
 * frame: a file that lacks them was cut. See `frame.ts` for what may be torn and what is damage.
 */

import { type Change, StoreFullError } from "../../store.ts";
import { decodeChanges } from "../change.ts";
import { createWhole, type Disk, type DiskFile } from "./disk.ts";
import { type Frame, frameHeaderBytes, readFrames } from "./frame.ts";
import { CorruptFileError, encodeFileHeader, fileHeaderBytes, readFileHeader } from "./header.ts";

/** Zeros are added to the file this many bytes at a time: 1 MiB takes some 6,000 registrations. */
export const defaultExtendBytes = 1024 * 1024;
/** What a full disk says: no space, over the quota, or over the limit of a file's size. */
const fullDiskCodes = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** The same by number, for errors that Deno gives no code: EFBIG, ENOSPC, and EDQUOT of Linux and of macOS. */
const fullDiskNumber = /os error (?:27|28|122|69)(?=\))/;

/** Where a journal goes on. */
export interface JournalStart {
  readonly generation: number;
  /** How many changes were ever made before its first. */
  readonly changesBefore: number;
}

/** A journal as found on the disk. */
export interface FoundJournal extends JournalStart {
  /** How many changes it holds. */
  readonly changeCount: number;
  /** Where its last whole frame ends, bytes from the start of the file. */
  readonly end: number;
  /** What is wrong with the torn frame behind it; `undefined` when there is none. */
  readonly torn: string | undefined;
  /** Whether it has an older format: what is written now must go to another journal. */
  readonly isOld: boolean;
}

/** The name of the file of a generation. */
export function journalName(generation: number): string {
  return `journal-${generation}`;
}

/**
 * Reads a journal and hands on its changes in order.
 *
 * @throws {CorruptFileError} it is damaged otherwise than by a torn frame at its end
 */
export function readJournal(
  disk: Disk,
  generation: number,
  onChange: (change: Change) => void,
): FoundJournal {
  const file = disk.open(journalName(generation));
  try {
    const { changesBefore, isOld } = readFileHeader(file, { kind: "journal", generation });
    let changeCount = 0;
    const { offset, reason, problem } = readFrames(file, (frame) => {
      changeCount += frame.changeCount;
      for (const change of decodeFrame(file, frame)) onChange(change);
    });
    if (reason === "damaged") throw new CorruptFileError(file.path, offset, problem);
    if (reason === "file") {
      throw new CorruptFileError(file.path, offset, "it was cut: a journal ends with zeros");
    }
    return {
      generation,
      changesBefore,
      changeCount,
      end: offset,
      torn: reason === "torn" ? problem : undefined,
      isOld,
    };
  } finally {
    file.close();
  }
}

/**
 * Decodes what a frame holds.
 *
 * @throws {CorruptFileError} its checksum is right and it still cannot be decoded: another program wrote it
 */
export function decodeFrame(file: DiskFile, { payload, changeCount, offset }: Frame): Change[] {
  try {
    const changes = decodeChanges(payload);
    if (changes.length === changeCount) return changes;
    throw new TypeError(`${changes.length} changes instead of ${changeCount}`);
  } catch (error) {
    throw new CorruptFileError(file.path, offset, `a frame cannot be decoded (${error})`, { cause: error });
  }
}

/** Writes zeros over all behind `end`. @returns how many bytes of it were none */
export async function cutJournal(disk: Disk, generation: number, end: number): Promise<number> {
  const file = disk.openToWrite(journalName(generation));
  try {
    const tail = new Uint8Array(file.size() - end);
    file.read(tail, end);
    await file.write(new Uint8Array(tail.length), end);
    await file.sync();
    return tail.findLastIndex((byte) => byte !== 0) + 1;
  } finally {
    file.close();
  }
}

/**
 * Makes an empty journal, whole or not at all.
 *
 * @returns the file, open
 * @throws {StoreFullError} no room for it
 */
export async function createJournal(
  disk: Disk,
  start: JournalStart,
  extendBytes = defaultExtendBytes,
): Promise<DiskFile> {
  try {
    return await createWhole(disk, journalName(start.generation), async (file) => {
      const bytes = new Uint8Array(Math.max(extendBytes, fileHeaderBytes + frameHeaderBytes));
      bytes.set(encodeFileHeader({ kind: "journal", ...start }));
      await file.write(bytes, 0);
    });
  } catch (error) {
    throw asStoreError(error, "create");
  }
}

/** A full disk is told apart, as room can come back; anything else is handed on as it is. */
export function asStoreError(error: unknown, action: string): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? String(error.code) : "";
  const reason = fullDiskCodes.has(code) ? code : fullDiskNumber.exec(error.message)?.[0];
  if (reason === undefined) return error;
  return new StoreFullError(`Cannot ${action} the journal as the disk is full (${reason})`, { cause: error });
}
