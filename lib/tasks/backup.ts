/**
 * The tasks `backup`, `verify` and `restore`: the whole store in one file, and back.
 *
 * A backup is a snapshot (`lib/store/file/snapshot.ts`) of every change acknowledged before it began. It is made from
 * the files, so the service keeps running. It is read back before it counts as made, and nothing is ever overwritten.
 */

import { basename, dirname } from "node:path";
import { realDisk } from "../store/file/disk.ts";
import { beginsAs } from "../store/file/file_header.ts";
import { isDataFile, readRunningFolder } from "../store/file/folder.ts";
import { createJournal, journalName } from "../store/file/journal_file.ts";
import { readSnapshot, writeSnapshot } from "../store/file/snapshot.ts";
import { asFolderError, reasonOf, requireUnlocked, StoreLockedError } from "../store/file/store_folder.ts";
import { type RecordCounts, shownCounts } from "../store_contents.ts";
import { Tables } from "../store/memory/tables.ts";
import { countProgress, folderOf, printError, runTask, type Task, TaskError } from "./task.ts";

/** What a folder or backup holds. */
export interface Holdings {
  readonly counts: RecordCounts;
  /** Changes ever made, up to this state. */
  readonly changeCount: number;
  /** Where and why the last frame of a folder is torn after a crash; the next start cuts it. */
  readonly torn: string | undefined;
}

const tasks: Readonly<Record<string, Task>> = {
  backup: {
    usage: "backup FILE",
    help: "Writes all records of GATEHOUSE_STORE to a new file and checks it. The service may run\n" +
      "meanwhile.",
    async run({ paths: [file = ""], env }) {
      const folder = folderOf(env);
      const holdings = await backUp(folder, file);
      await warnIfUnused(folder);
      return `Backed up ${describe(holdings)}, from "${folder}" to "${file}"`;
    },
  },
  verify: {
    usage: "verify FILE_OR_FOLDER",
    help: "Checks every frame of a backup or a data folder, and changes nothing. The service may run meanwhile.",
    run: async ({ paths: [path = ""] }) => `Whole: ${describe(await verify(path))}, in "${path}"`,
  },
  restore: {
    usage: "restore FILE FOLDER",
    help: "Creates a data folder from a backup.",
    run: async ({ paths: [file = "", to = ""] }) =>
      `Restored ${describe(await restore(file, to))}, from "${file}" to "${to}"`,
  },
};

if (import.meta.main) {
  const [name = "", ...args] = Deno.args;
  const task = tasks[name];
  if (task !== undefined) await runTask(task, args);
}

/**
 * Writes the records of a folder to a new file, and reads it back.
 *
 * @throws {TaskError} the file exists or cannot be written, or the folder holds no users
 * @throws {StoreFolderError} the folder holds no store
 * @throws {CorruptFileError} the folder is damaged
 */
export async function backUp(folder: string, file: string): Promise<Holdings> {
  const { disk, name } = locate(file);
  if (isDataFile(name)) {
    throw new TaskError(`Cannot write backup "${file}" as a data folder has files of such names: choose another name`);
  }
  for (const path of [file, `${file}.tmp`]) await refuseExisting(path);
  const { tables, holdings } = await readStore(folder, "back up");
  // A start with other settings creates such a folder, and its backups would look as if all were well.
  if (holdings.counts.user === 0) {
    throw new TaskError(`Cannot back up "${folder}" as it holds no users: set GATEHOUSE_STORE as for the service`);
  }
  const start = { generation: 1, changesBefore: holdings.changeCount };
  try {
    await writeSnapshot(disk, start, { records: recordsOf(tables), name });
  } catch (error) {
    throw asTaskError(`Cannot write backup "${file}"`, error);
  }
  return await verify(file);
}

/**
 * Checks every frame of a backup or a folder, and changes nothing.
 *
 * @throws {TaskError} there is no such file, or it is not a backup
 * @throws {StoreFolderError} the folder holds no store
 * @throws {CorruptFileError} it is damaged
 */
export async function verify(path: string): Promise<Holdings> {
  const { isDirectory } = await Deno.stat(path).catch((error) => {
    throw asTaskError(`Cannot verify "${path}"`, error);
  });
  return (await (isDirectory ? readStore(path, "verify") : readBackup(path))).holdings;
}

/**
 * Makes a data folder of a backup.
 *
 * @throws {TaskError} the folder holds a store already
 * @throws {CorruptFileError} the backup is damaged
 * @throws {StoreLockedError} a service uses the folder
 */
export async function restore(file: string, folder: string): Promise<Holdings> {
  const { tables, holdings } = await readBackup(file);
  try {
    const disk = realDisk(folder);
    using _lock = await disk.lock();
    if (disk.list().some(isDataFile)) {
      throw new TaskError(`Cannot restore to "${folder}" as it holds a store: name a new folder`);
    }
    // The journal first, and of generation 2: after a crash half-way, the next start misses earlier files and refuses.
    const start = { generation: 2, changesBefore: holdings.changeCount };
    await createJournal(disk, start);
    await writeSnapshot(disk, start, { records: recordsOf(tables) });
  } catch (error) {
    throw asFolderError(error, { path: folder, action: "restore to" });
  }
  return holdings;
}

/** Warns if no service uses the folder: its settings may be in a file of its unit, which a terminal does not read. */
export async function warnIfUnused(folder: string): Promise<void> {
  try {
    await requireUnlocked(folder);
    printError(`No service uses "${folder}" now. If one runs, its users are elsewhere: set GATEHOUSE_STORE as for it`);
  } catch (error) {
    if (!(error instanceof StoreLockedError)) throw error;
  }
}

async function readStore(folder: string, action: string) {
  const onChange = countProgress("read");
  const { tables, found: { journals } } = await readRunningFolder(realDisk(folder), { action, onChange });
  const { changesBefore = 0, changeCount = 0 } = journals.at(-1) ?? {};
  const found = journals.find((journal) => journal.torn !== undefined);
  const torn = found &&
    `the last frame of ${journalName(found.generation)} at byte ${found.end} is torn: ${found.torn}`;
  return { tables, holdings: { counts: tables.counts(), changeCount: changesBefore + changeCount, torn } };
}

async function readBackup(file: string) {
  // Reading a pipe would wait for ever, and a device has no end.
  if (!(await Deno.stat(file)).isFile) throw new TaskError(`Cannot read "${file}" as it is not a file`);
  const { disk, name } = locate(file);
  const opened = disk.open(name);
  const isBackup = beginsAs("snapshot", opened);
  opened[Symbol.dispose]();
  if (!isBackup) throw new TaskError(`Cannot read "${file}" as it is not a Gatehouse backup`);
  const tables = new Tables();
  const count = countProgress("read");
  const { changesBefore } = readSnapshot(disk, { name }, (change) => {
    tables.apply(change);
    count();
  });
  return { tables, holdings: { counts: tables.counts(), changeCount: changesBefore, torn: undefined } };
}

/** @throws {TaskError} something has that name, be it a broken link */
async function refuseExisting(path: string): Promise<void> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw asTaskError(`Cannot write backup "${path}"`, error);
  }
  throw new TaskError(`Cannot write backup "${path}" as there is a file of that name: choose another name`);
}

function locate(file: string) {
  return { disk: realDisk(dirname(file), { isOverwriting: false }), name: basename(file) };
}

function recordsOf(tables: Tables) {
  const count = countProgress("written");
  return Iterator.from(tables.changes()).map((record) => (count(), record));
}

function asTaskError(text: string, error: unknown): unknown {
  return error instanceof Error ? new TaskError(`${text}: ${reasonOf(error)}`, { cause: error }) : error;
}

function describe({ counts, changeCount, torn }: Holdings): string {
  const text = `${shownCounts(counts)}, up to change ${changeCount}`;
  return torn === undefined ? text : `${text} (${torn}, as after a crash; the next start cuts it)`;
}
