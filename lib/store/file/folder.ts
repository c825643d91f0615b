/**
 * Reads a data folder: the newest snapshot, then the journals since.
 *
 *     lock  snapshot-3  journal-3  journal-4          a compaction to generation 4 has begun and is not finished
 *
 * Reading changes nothing. A folder is refused unless the service can have left it so, killed at any instruction: no
 * file may be missing, damaged or of a later version.
 */

import type { Change } from "../../store.ts";
import { Tables } from "../memory/tables.ts";
import type { Disk } from "./disk.ts";
import { CorruptFileError, type FileStart, readFileHeader } from "./file_header.ts";
import { fileHeaderBytes } from "./format.ts";
import { decodeFrame, readFrames } from "./frame_reader.ts";
import { journalName } from "./journal_file.ts";
import { readSnapshot } from "./snapshot.ts";
import { asFolderError, StoreFolderError } from "./store_folder.ts";

/** The largest generation that the header of a file can store. */
const maxGeneration = 2 ** 32 - 1;
/** Pauses before a folder is read again: a frame is written within milliseconds, on a busy disk within seconds. */
const pausesMs = [50, 200, 1_000];
/** Bounds the reads if the problem is another each time, as when compactions remove files: hardly twice in a row. */
const maxReads = 20;

/** A journal that was read. */
export interface FoundJournal extends FileStart {
  /** The number of changes in it. */
  readonly changeCount: number;
  /** The end of its last intact frame, in bytes from the start of the file. */
  readonly end: number;
  /** What is wrong with the torn frame at the end; `undefined` if there is none. */
  readonly torn: string | undefined;
  /** An earlier version wrote it: new changes must go to another journal. */
  readonly isOld: boolean;
}

/** The files of a folder. */
export interface FoundFolder {
  /** Bytes of the snapshot, 0 if there is none. */
  readonly snapshotBytes: number;
  /** In order; empty in an empty folder. New changes continue the last one. */
  readonly journals: readonly FoundJournal[];
  /** Names of files that a compaction left, finished or not, and that can be removed. */
  readonly leftovers: readonly string[];
}

/** The files of a folder and its records. */
export interface ReadFolder {
  readonly tables: Tables;
  readonly found: FoundFolder;
}

export interface ReadFolderOptions {
  /** The purpose for error messages, such as "verify". */
  readonly action?: string;
  /** Called for each change. */
  readonly onChange?: () => void;
}

/** Reports whether a file of that name is part of a store. */
export function isDataFile(name: string): boolean {
  return /^(snapshot|journal)-\d+$/.test(name);
}

/**
 * Reads every record of a folder.
 *
 * @param onChange is called with the changes that make up the tables, in order
 * @throws {CorruptFileError} a file is missing or damaged; the message says where and what to do
 */
export function readFolder(disk: Disk, onChange: (change: Change) => void): FoundFolder {
  const names = disk.list();
  const snapshot = generations(names, /^snapshot-(\d+)$/).at(-1);
  const first = snapshot ?? 1;
  const last = generations(names, /^journal-(\d+)$/).filter((generation) => generation >= first).at(-1) ?? snapshot ??
    0;
  const fail = (generation: number, offset: number, problem: string) => {
    throw new CorruptFileError({ path: `${disk.path}/${journalName(generation)}` }, offset, problem);
  };
  if (last > maxGeneration) fail(last, 0, "its generation is too large");

  const start = snapshot === undefined ? undefined : readSnapshot(disk, { generation: snapshot }, onChange);
  let changeCount = start?.changesBefore ?? 0;
  let torn: FoundJournal | undefined;
  const journals: FoundJournal[] = [];
  for (let generation = first; generation <= last; generation++) {
    // A journal is created before its snapshot, and generations are consecutive: a gap is a lost file.
    if (!names.includes(journalName(generation))) fail(generation, 0, "the file is missing");
    const journal = readJournal(disk, generation, onChange);
    // A torn frame is the end of all writing. (An empty journal may follow, from a compaction that could not begin.)
    const isEmpty = journal.end === fileHeaderBytes && journal.torn === undefined;
    if (torn !== undefined && !isEmpty) fail(torn.generation, torn.end, `${torn.torn}, and a later journal has frames`);
    // A journal from another folder, or an old copy of one, does not continue where the file before ends.
    if (journal.changesBefore !== changeCount) {
      const problem = `it continues from change ${journal.changesBefore}, but the file before ends at ${changeCount}`;
      fail(generation, 16, problem);
    }
    changeCount += journal.changeCount;
    if (journal.torn !== undefined) torn = journal;
    journals.push(journal);
  }
  return { snapshotBytes: start?.bytes ?? 0, journals, leftovers: leftoversBefore(first, names) };
}

/** Returns the files that the snapshot of a generation replaces, and those that were not completed. */
export function leftoversBefore(generation: number, names: readonly string[]): string[] {
  return names.filter((name) => {
    const match = /^(?:snapshot|journal)-(\d+)(\.tmp)?$/.exec(name);
    return match !== null && (match[2] !== undefined || Number(match[1]) < generation);
  });
}

/**
 * Reads a journal and passes on its changes in order.
 *
 * @throws {CorruptFileError} it is damaged in another way than by a torn frame at its end
 */
export function readJournal(disk: Disk, generation: number, onChange: (change: Change) => void): FoundJournal {
  using file = disk.open(journalName(generation));
  const { changesBefore, isOld } = readFileHeader(file, { kind: "journal", generation });
  let changeCount = 0;
  const { offset: end, reason, problem } = readFrames(file, (frame) => {
    changeCount += frame.changeCount;
    for (const change of decodeFrame(file, frame)) onChange(change);
  });
  if (reason === "damaged") throw new CorruptFileError(file, end, problem);
  if (reason === "file") throw new CorruptFileError(file, end, "it was cut short: a journal ends with zeros");
  return { generation, changesBefore, changeCount, end, torn: reason === "torn" ? problem : undefined, isOld };
}

/**
 * Reads a folder while a service may use it. The result has every change acknowledged before the call.
 *
 * A compaction may remove a file after it was listed, and a frame may be half written when it is read. So the folder is
 * read again, and a missing file, a torn frame or damage counts only if it is the same after `pausesMs`.
 *
 * @throws {CorruptFileError} a file is damaged
 * @throws {StoreFolderError} the folder contains no store or cannot be read
 */
export async function readRunningFolder(disk: Disk, options: ReadFolderOptions = {}): Promise<ReadFolder> {
  requireRegister(disk, options);
  for (let read = 1, same = 0, before: string | undefined;; read++) {
    const attempt = tryToRead(disk, options);
    same = attempt.problem === before ? same + 1 : 0;
    before = attempt.problem;
    const pauseMs = pausesMs[same];
    if (attempt.problem === undefined || pauseMs === undefined || read === maxReads) return attempt.result();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/**
 * Checks that the folder contains a store.
 *
 * @throws {StoreFolderError} it does not, or cannot be read: another folder was named, or its disk is not mounted
 */
export function requireRegister(disk: Disk, { action = "read" }: ReadFolderOptions): void {
  try {
    if (disk.list().some(isDataFile)) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotADirectory)) throw asFolderError(error, { path: disk.path, action });
    throw new StoreFolderError(
      `Cannot ${action} "${disk.path}" as it is not a folder: name a data folder. ` +
        "To make one from a backup, use deno task restore FILE FOLDER",
      { cause: error },
    );
  }
  throw new StoreFolderError(
    `Cannot ${action} "${disk.path}" as it contains no store: there is no journal. Name the data folder of a ` +
      "service, which some tasks take from GATEHOUSE_STORE, and mount its disk if it has its own",
  );
}

/** Returns a problem that may pass, and a function that returns what was read or throws if it cannot be used. */
function tryToRead(disk: Disk, { action = "read", onChange }: ReadFolderOptions) {
  const tables = new Tables();
  try {
    const found = readFolder(disk, (change) => {
      tables.apply(change);
      onChange?.();
    });
    const torn = found.journals.find((journal) => journal.torn !== undefined);
    const problem = torn && `${torn.generation} ${torn.end} ${torn.torn}`;
    return { problem, result: () => ({ tables, found }) };
  } catch (error) {
    const fail = () => {
      throw asFolderError(error, { path: disk.path, action });
    };
    const mayPass = error instanceof Deno.errors.NotFound || error instanceof CorruptFileError;
    return mayPass ? { problem: error.message, result: fail } : fail();
  }
}

function generations(names: readonly string[], pattern: RegExp): number[] {
  return names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b);
}
