/**
 * The tasks `backup`, `verify` and `restore`: a copy of the register in one file, and back.
 *
 * A backup is a snapshot as `lib/store/file/snapshot.ts` writes it, of all that was acknowledged when it began. It is made
 * from the files, so the service runs on and does not notice. What is written is read back before it counts as made,
 * and nothing that exists is ever overwritten.
 */

import { basename, dirname } from "node:path";
import { readConfig } from "../config/config.ts";
import { countProgress, runTask } from "../log.ts";
import type { Change } from "../store.ts";
import { type DiskFile, realDisk } from "../store/file/disk.ts";
import { type FoundFolder, isDataFile, readRunningFolder } from "../store/file/folder.ts";
import { beginsAs } from "../store/file/header.ts";
import { createJournal, journalName } from "../store/file/journal_file.ts";
import { readSnapshot, writeSnapshot } from "../store/file/snapshot.ts";
import { asFolderError, reasonOf } from "../store/file/store_folder.ts";
import { Tables } from "../store/memory/tables.ts";
import { folderOf, pathFromCaller } from "./task.ts";

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

if (import.meta.main) await runTask(() => runCommand(Deno.args, Deno.env.toObject()));

/**
 * Writes what the folder holds to a new file, and reads that back.
 *
 * @throws {BackupError} the file exists
 * @throws {NoRegisterError} the folder holds no register
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
  const { tables, found } = await readRunningFolder(realDisk(folder), {
    action: "back up",
    onChange: countProgress("read"),
  });
  const start = { generation: 1, changesBefore: changeCountOf(found) };
  try {
    const records = counted(tables.changes(), countProgress("written"));
    await writeSnapshot(target.disk, start, { records, name: target.name });
  } catch (error) {
    throw new BackupError(`Cannot write backup "${file}": ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  return await verify(file);
}

/**
 * Checks every frame of a backup or a folder, and changes nothing.
 *
 * @throws {NoRegisterError} the folder holds no register
 * @throws {CorruptFileError} it is damaged
 */
export async function verify(path: string): Promise<Holdings> {
  const { isDirectory } = await Deno.stat(path).catch((error) => {
    throw new BackupError(`Cannot verify "${path}": ${reasonOf(error)}`, { cause: error });
  });
  if (!isDirectory) return (await readBackup(path)).holdings;
  const { tables, found } = await readRunningFolder(realDisk(path), {
    action: "verify",
    onChange: countProgress("checked"),
  });
  const torn = found.journals.find((journal) => journal.torn !== undefined);
  return {
    users: tables.userCount,
    sessions: tables.sessionCount,
    tickets: tables.ticketCount,
    changeCount: changeCountOf(found),
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
  const { tables, holdings } = await readBackup(file);
  try {
    await fillFolder(folder, { tables, changesBefore: holdings.changeCount });
  } catch (error) {
    throw asFolderError(error, { path: folder, action: "restore to" });
  }
  return holdings;
}

async function fillFolder(folder: string, { tables, changesBefore }: { tables: Tables; changesBefore: number }) {
  const disk = realDisk(folder);
  using _lock = await disk.lock();
  if (disk.list().some(isDataFile)) {
    throw new BackupError(`Cannot restore to "${folder}" as it holds a register: name a new folder`);
  }
  // The journal first, and not the first generation: a start on what was not restored whole finds journals of before
  // missing, and refuses.
  const start = { generation: 2, changesBefore };
  await createJournal(disk, start);
  await writeSnapshot(disk, start, { records: counted(tables.changes(), countProgress("written")) });
}

async function runCommand(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const [command, ...paths] = args;
  const [from, to] = paths.map((path) => pathFromCaller(path, env));
  if (command === "backup" && from !== undefined && to === undefined) {
    return `Backed up ${describe(await backUp(folderOf(readConfig(env)), from), `to "${from}"`)}`;
  }
  if (command === "verify" && from !== undefined && to === undefined) {
    return `Whole: ${describe(await verify(from), `in "${from}"`)}`;
  }
  if (command === "restore" && from !== undefined && to !== undefined) {
    return `Restored ${describe(await restore(from, to), `to "${to}"`)}`;
  }
  throw new BackupError(
    "Usage: deno task backup FILE | deno task verify FILE_OR_FOLDER | deno task restore FILE FOLDER",
  );
}

function describe({ users, sessions, tickets, changeCount, torn }: Holdings, place: string): string {
  const text = `${users} users, ${sessions} sessions, ${tickets} tickets, up to change ${changeCount}, ${place}`;
  return torn === undefined ? text : `${text}; ${torn}, as a crash leaves it, and the next start cuts it`;
}

/** Of all changes that were ever made, how many are in the folder. */
function changeCountOf({ journals }: FoundFolder): number {
  const last = journals.at(-1);
  return last === undefined ? 0 : last.changesBefore + last.changeCount;
}

async function readBackup(file: string): Promise<{ tables: Tables; holdings: Holdings }> {
  // A pipe would make it wait for ever, and a device give bytes for ever.
  if (!(await Deno.stat(file)).isFile) throw new BackupError(`Cannot read "${file}" as it is not a file`);
  const { disk, name } = locate(file);
  requireBackup(disk.open(name));
  const tables = new Tables();
  const count = countProgress("read");
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

/** @throws {BackupError} the file is something else; a backup that is damaged may pass */
function requireBackup(file: DiskFile): void {
  const isBackup = beginsAs("snapshot", file);
  file.close();
  if (!isBackup) throw new BackupError(`Cannot read "${file.path}" as it is not a Gatehouse backup`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new BackupError(`Cannot write backup "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

function locate(file: string) {
  return { disk: realDisk(dirname(file), { isOverwriting: false }), name: basename(file) };
}

/** Passes the records on and counts them. */
function* counted(records: Iterable<Change>, count: () => void): Generator<Change> {
  for (const record of records) {
    count();
    yield record;
  }
}
