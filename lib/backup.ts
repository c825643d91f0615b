/**
 * The tasks `backup`, `verify` and `restore`: a copy of the register in one file, and back.
 *
 * A backup is a snapshot as `lib/store/snapshot.ts` writes it, of all that was acknowledged when it began. It is made
 * from the files, so the service runs on and does not notice. What is written is read back before it counts as made,
 * and nothing that exists is ever overwritten.
 */

import { basename, dirname } from "node:path";
import { readConfig } from "./config.ts";
import { runTask, showProgress } from "./log.ts";
import type { Change } from "./store.ts";
import { realDisk } from "./store/disk.ts";
import { isDataFile, readRunningFolder } from "./store/folder.ts";
import { createJournal, journalName } from "./store/journal_file.ts";
import { readSnapshot, writeSnapshot } from "./store/snapshot.ts";
import { Tables } from "./store/tables.ts";
import { folderOf } from "./store_place.ts";

/** What a folder or backup was found to hold. */
export interface Holdings {
  readonly users: number;
  readonly sessions: number;
  readonly tickets: number;
  /** How many changes were ever made, up to this state. */
  readonly changeCount: number;
  /** Of a folder that a crash left: where and why its last frame is torn. The next start cuts it. */
  readonly torn: string | undefined;
}

/** A backup that is asked for what cannot be done without losing something. */
export class BackupError extends Error {
  override name = "BackupError";
}

/** Records between two signs of progress. */
const progressEvery = 20_000;

if (import.meta.main) await runTask(() => runCommand(Deno.args));

/**
 * Writes what the folder holds to a new file.
 *
 * @throws {BackupError} the file exists, or the folder holds nothing
 * @throws {CorruptFileError} the folder is damaged
 */
export async function backUp(folder: string, file: string): Promise<Holdings> {
  const target = locate(file);
  if (isDataFile(target.name)) {
    throw new BackupError(`Cannot write backup "${file}" as a register has files of such names: choose another`);
  }
  for (const path of [file, `${file}.tmp`]) {
    if (await exists(path)) {
      throw new BackupError(`Cannot write backup "${file}" as there is a file "${path}": choose another name`);
    }
  }
  const { tables, found } = readRunningFolder(realDisk(folder), progress("read"));
  const last = found.journals.at(-1);
  if (last === undefined) throw new BackupError(`Cannot back up "${folder}" as it holds no register`);
  const start = { generation: 1, changesBefore: last.changesBefore + last.changeCount };
  await writeSnapshot(target.disk, start, {
    records: counted(tables.changes(), progress("written")),
    name: target.name,
  });
  return await verify(file);
}

/**
 * Checks every frame of a backup or a folder, and changes nothing.
 *
 * @throws {CorruptFileError} it is damaged
 */
export async function verify(path: string): Promise<Holdings> {
  const { isDirectory } = await Deno.stat(path);
  if (!isDirectory) return readBackup(path).holdings;
  const { tables, found } = readRunningFolder(realDisk(path), progress("checked"));
  const last = found.journals.at(-1);
  const torn = found.journals.find((journal) => journal.torn !== undefined);
  return {
    users: tables.userCount,
    sessions: tables.sessionCount,
    tickets: tables.ticketCount,
    changeCount: last === undefined ? 0 : last.changesBefore + last.changeCount,
    torn: torn && `the last frame of ${journalName(torn.generation)} at byte ${torn.end} is torn: ${torn.torn}`,
  };
}

/**
 * Makes a data folder of a backup.
 *
 * @throws {BackupError} the folder holds a register already
 * @throws {CorruptFileError} the backup is damaged
 * @throws {StoreLockedError} a service runs on the folder
 */
export async function restore(file: string, folder: string): Promise<Holdings> {
  const { tables, holdings } = readBackup(file);
  const disk = realDisk(folder);
  using _lock = await disk.lock();
  if (disk.list().some(isDataFile)) {
    throw new BackupError(`Cannot restore to "${folder}" as it holds a register: name a new folder`);
  }
  // The journal first, and not the first generation: a start on what was not restored whole finds journals of before
  // missing, and refuses.
  const start = { generation: 2, changesBefore: holdings.changeCount };
  await createJournal(disk, start);
  await writeSnapshot(disk, start, { records: counted(tables.changes(), progress("written")) });
  return holdings;
}

async function runCommand(args: readonly string[]): Promise<string> {
  const [command, from, to] = args;
  if (command === "backup" && from !== undefined && to === undefined) {
    return `Backed up ${describe(await backUp(folderOf(readConfig(Deno.env.toObject())), from))}`;
  }
  if (command === "verify" && from !== undefined && to === undefined) {
    return `Whole: ${describe(await verify(from))}`;
  }
  if (command === "restore" && from !== undefined && to !== undefined) {
    return `Restored ${describe(await restore(from, to))}`;
  }
  throw new BackupError(
    "Usage: deno task backup FILE | deno task verify FILE_OR_FOLDER | deno task restore FILE FOLDER",
  );
}

function describe({ users, sessions, tickets, changeCount, torn }: Holdings): string {
  const text = `${users} users, ${sessions} sessions, ${tickets} tickets, up to change ${changeCount}`;
  return torn === undefined ? text : `${text}; ${torn}, as a crash leaves it, and the next start cuts it`;
}

function readBackup(file: string): { tables: Tables; holdings: Holdings } {
  const { disk, name } = locate(file);
  const tables = new Tables();
  const count = progress("read");
  const { changesBefore } = readSnapshot(disk, { name }, (change) => {
    tables.apply(change);
    count();
  });
  const holdings = {
    users: tables.userCount,
    sessions: tables.sessionCount,
    tickets: tables.ticketCount,
    changeCount: changesBefore,
    torn: undefined,
  };
  return { tables, holdings };
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function locate(file: string) {
  return { disk: realDisk(dirname(file)), name: basename(file) };
}

/** Passes the records on and counts them. */
function* counted(records: Iterable<Change>, count: () => void): Generator<Change> {
  for (const record of records) {
    count();
    yield record;
  }
}

/** @returns what to call for each record; a person at a terminal is shown how far it is */
function progress(what: string): () => void {
  let count = 0;
  return () => {
    if (++count % progressEvery === 0) showProgress(`${count} records ${what}`);
  };
}
