/**
 * A data folder read back: the newest snapshot, then the journals since.
 *
 *     lock  snapshot-3  journal-3  journal-4          a compaction to generation 4 was begun and is not finished
 *
 * Reading changes nothing. Whatever is not exactly what the service leaves behind, at any instruction at which it may
 * be killed, is refused: files that are missing, damaged or unknown in version.
 */

import type { Change } from "../../store.ts";
import type { Disk } from "./disk.ts";
import { CorruptFileError, fileHeaderBytes } from "./header.ts";
import { type FoundJournal, journalName, readJournal } from "./journal_file.ts";
import { readSnapshot, snapshotName } from "./snapshot.ts";
import { asFolderError, StoreFolderError } from "./store_folder.ts";
import { Tables } from "../memory/tables.ts";

/** What the header of a file can hold. */
const maxGeneration = 2 ** 32 - 1;

/** What a folder holds, beside the records. */
export interface FoundFolder {
  /** Bytes of the snapshot, 0 when there is none. */
  readonly snapshotBytes: number;
  /** In order; empty when the folder is. The last one is to be gone on with. */
  readonly journals: readonly FoundJournal[];
  /** Files that a finished or broken-off compaction left and nobody needs. */
  readonly leftovers: readonly string[];
}

/**
 * Reads every record of a folder.
 *
 * @param onChange is given the changes that make up the state, in order
 * @throws {CorruptFileError} damage; the message says where, and what to do
 */
export function readFolder(disk: Disk, onChange: (change: Change) => void): FoundFolder {
  const names = disk.list();
  const snapshots = generations(names, /^snapshot-(\d+)$/);
  const snapshot = snapshots.at(-1);
  const present = generations(names, /^journal-(\d+)$/);
  const first = snapshot ?? 1;
  const journals = present.filter((generation) => generation >= first);
  checkOrder(disk, { snapshot, journals });

  const start = snapshot === undefined ? undefined : readSnapshot(disk, { generation: snapshot }, onChange);
  const found = journals.map((generation) => readJournal(disk, generation, onChange));
  checkTorn(disk, found);
  checkChanges(disk, start?.changesBefore ?? 0, found);
  return {
    snapshotBytes: start?.bytes ?? 0,
    journals: found,
    leftovers: [
      ...names.filter((name) => /^(snapshot|journal)-\d+\.tmp$/.test(name)),
      ...snapshots.filter((generation) => generation < first).map(snapshotName),
      ...present.filter((generation) => generation < first).map(journalName),
    ],
  };
}

/** What a folder holds, with its records. */
export interface ReadFolder {
  readonly tables: Tables;
  readonly found: FoundFolder;
}

export interface ReadOptions {
  /** What it is read for, such as "verify". */
  readonly action?: string;
  /** Called for each change that is read. */
  readonly onChange?: () => void;
}

/** The folder holds no register: another folder was named, or its disk is not mounted. */
export class NoRegisterError extends Error {
  override name = "NoRegisterError";
}

/** A compaction can come in between, and hardly twice. */
const maxReads = 20;
/** A frame is written within milliseconds, and a large one on a busy disk within seconds. */
const pausesMs = [50, 200, 1_000];

/**
 * Reads a folder while a service may run on it: all that was acknowledged before the call is in it.
 *
 * A compaction removes files that were listed, and a frame may be read while it is written. So the folder is read
 * again: what is missing, torn or damaged counts only when it is still the same after `pausesMs`.
 *
 * @throws {NoRegisterError} the folder holds none
 * @throws {CorruptFileError} it is damaged
 * @throws {StoreFolderError} it cannot be read
 */
export async function readRunningFolder(disk: Disk, options: ReadOptions = {}): Promise<ReadFolder> {
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

function requireRegister(disk: Disk, { action = "read" }: ReadOptions): void {
  try {
    if (disk.list().some(isDataFile)) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotADirectory)) throw asFolderError(error, { path: disk.path, action });
    throw new StoreFolderError(
      `Cannot ${action} "${disk.path}" as it is not a folder: name a data folder. ` +
        "Of a backup, deno task restore FILE FOLDER makes one",
      { cause: error },
    );
  }
  throw new NoRegisterError(
    `Cannot ${action} "${disk.path}": it is no register: the folder has no journal. Name the folder of a register, ` +
      "and mount its disk if it has one",
  );
}

/** @returns what is wrong, which may pass; and a function that returns what was read, or throws if it cannot be used */
function tryToRead(disk: Disk, { action = "read", onChange }: ReadOptions) {
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
    if (!mayPass) return fail();
    return { problem: error.message, result: fail };
  }
}

/** Whether a file of that name is part of a register. */
export function isDataFile(name: string): boolean {
  return /^(snapshot|journal)-\d+$/.test(name);
}

function generations(names: readonly string[], pattern: RegExp): number[] {
  return names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b);
}

/** A snapshot's journal is made before it, and one generation follows the other: any gap is a file that was lost. */
function checkOrder(disk: Disk, found: { snapshot: number | undefined; journals: readonly number[] }): void {
  const { snapshot, journals } = found;
  if (snapshot === undefined && journals.length === 0) return;
  const last = journals.at(-1) ?? snapshot ?? 1;
  if (last > maxGeneration) {
    throw new CorruptFileError(`${disk.path}/${journalName(last)}`, 0, "no generation has such a number");
  }
  for (let generation = snapshot ?? 1; generation <= last; generation++) {
    if (journals.includes(generation)) continue;
    throw new CorruptFileError(`${disk.path}/${journalName(generation)}`, 0, "the file is missing");
  }
}

/**
 * A frame is torn only by the crash that ended the writing: behind it no journal has frames. (An empty one can be
 * there: made by a compaction that could not begin.)
 */
function checkTorn(disk: Disk, journals: readonly FoundJournal[]): void {
  const torn = journals.findIndex((journal) => journal.torn !== undefined);
  const journal = journals[torn];
  if (journal === undefined || journals.slice(torn + 1).every(isEmptyJournal)) return;
  const path = `${disk.path}/${journalName(journal.generation)}`;
  throw new CorruptFileError(path, journal.end, `${journal.torn}, and a later journal goes on`);
}

/** Each file goes on where the one before ends: a journal of another folder, or of another time, does not. */
function checkChanges(disk: Disk, changesBefore: number, journals: readonly FoundJournal[]): void {
  let expected = changesBefore;
  for (const journal of journals) {
    if (journal.changesBefore !== expected) {
      const problem = `it goes on from change ${journal.changesBefore}, and the file before ends at ${expected}`;
      throw new CorruptFileError(`${disk.path}/${journalName(journal.generation)}`, 16, problem);
    }
    expected += journal.changeCount;
  }
}

function isEmptyJournal(journal: FoundJournal): boolean {
  return journal.end === fileHeaderBytes && journal.torn === undefined;
}
