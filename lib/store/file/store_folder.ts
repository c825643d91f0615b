/**
 * The folder of a store on the real file system: made, locked for one process, and private.
 *
 * Whatever keeps a folder from being used ends the start with one line: the folder, the cause, and what to do.
 */

import { dirname } from "node:path";
import { StoreFullError } from "../../store.ts";

/** The folder cannot be used as a store. */
export class StoreFolderError extends Error {
  override name = "StoreFolderError";
}

/** The folder is held by another process. */
export class StoreLockedError extends Error {
  override name = "StoreLockedError";
}

/** What `makePrivate` found in a folder that others could look into. */
export interface Exposure {
  /** The permissions it had, in octal. */
  readonly mode: string;
  /** Why they are unchanged; `undefined` when the folder is private now. */
  readonly problem: string | undefined;
}

/** What the service, or a clone of the project, puts into the folder. */
const ownNames = /^(?:lock|\.gitkeep|(?:snapshot|journal)-\d+(?:\.tmp)?)$/;

const anotherFolder = "or set GATEHOUSE_STORE to another folder";
const wrongOwner = `Give the folder and its files to the user of the service with chown -R, ${anotherFolder}`;
const noRoom = `Free some space, ${anotherFolder}`;
/** What to do about an error, by its code. */
const remedies: Readonly<Record<string, string>> = {
  EACCES: wrongOwner,
  EPERM: wrongOwner,
  EROFS: `Mount its file system for writing, ${anotherFolder}`,
  ENOSPC: noRoom,
  EDQUOT: noRoom,
  ENOTDIR: "Set GATEHOUSE_STORE to a folder that is not below a file",
  ENAMETOOLONG: "Set GATEHOUSE_STORE to a shorter path",
  ELOOP: "Remove the symbolic links that lead in a circle",
  EMFILE: "Raise the limit of open files",
  ENFILE: "Raise the limit of open files",
};

/** What to do when Deno does not let the program use a folder. */
const allowFolder = "Start the program with its task, which allows what the settings name";

/**
 * An error of the operating system, or of Deno's permissions, as one that names the folder and what to do.
 *
 * @param action what failed, such as "open"
 * @returns any other error as it is
 */
export function asFolderError(error: unknown, { path, action }: { path: string; action: string }): unknown {
  const cause = error instanceof StoreFullError ? error.cause : error;
  if (!(cause instanceof Error)) return error;
  const isRefused = cause instanceof Deno.errors.NotCapable;
  const code = "code" in cause ? String(cause.code) : undefined;
  if (code === undefined && !isRefused) return error;
  const remedy = isRefused ? refusalRemedy(cause) : remedies[code ?? ""];
  const text = `Cannot ${action} store "${path}": ${reasonOf(cause)}`;
  return new StoreFolderError(remedy === undefined ? text : `${text}. ${remedy}`, { cause: error });
}

/** Why a file or folder cannot be used. Deno's own advice, to allow everything, is left out. */
export function reasonOf(error: Error): string {
  return isProtected(error) ? "Deno protects /dev, /proc and /sys" : error.message;
}

function refusalRemedy(error: Error): string {
  return isProtected(error) ? "Set GATEHOUSE_STORE to another folder" : allowFolder;
}

/** Whether the path is one that Deno opens only with every permission there is. */
function isProtected(error: Error): boolean {
  return error instanceof Deno.errors.NotCapable && error.message.startsWith("Requires all access");
}

/**
 * The names of the files in the folder.
 *
 * @throws {StoreFolderError} a name of the service's own is not that of a regular file: a link would be replaced by a
 *   file at the next compaction, and what it links to would stay as it is
 */
export function listFiles(path: string): string[] {
  const entries = Array.from(Deno.readDirSync(path));
  const other = entries.find((entry) => !entry.isFile && ownNames.test(entry.name));
  if (other !== undefined) throw irregularFile(path, other);
  return entries.filter((entry) => entry.isFile).map((entry) => entry.name);
}

/**
 * Makes the folder if it is missing, and holds it for this process until the result is disposed of.
 *
 * @throws {StoreFolderError} it cannot be made or locked
 * @throws {StoreLockedError} another process has it
 */
export async function lockFolder(path: string): Promise<Disposable> {
  await makeFolder(path);
  await requireRegularLock(path);
  const file = await Deno.open(`${path}/lock`, { read: true, write: true, create: true, mode: 0o600 });
  try {
    if (!await tryLock(file, path)) throw await lockedError(path);
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    file.close();
    throw error;
  }
  return { [Symbol.dispose]: () => file.close() };
}

/**
 * For whoever reads a folder and writes nothing to it, not even the lock.
 *
 * @throws {StoreLockedError} a process has it now
 */
export async function requireUnlocked(path: string): Promise<void> {
  await requireRegularLock(path);
  try {
    using file = await Deno.open(`${path}/lock`);
    if (!await tryLock(file, path)) throw await lockedError(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Takes the permissions of group and others from the folder. One with other files than the service's stays as it is:
 * others may need them.
 *
 * @returns `undefined` when it was private
 */
export async function makePrivate(path: string): Promise<Exposure | undefined> {
  const { mode, uid } = await Deno.stat(path);
  if (mode === null || (mode & 0o077) === 0) return undefined;
  const exposure = { mode: (mode & 0o7777).toString(8) };
  // The lock is the service's own file, so its owner is the service's user.
  if ((await Deno.stat(`${path}/lock`)).uid !== uid) return { ...exposure, problem: "it belongs to another user" };
  const isOwn = Array.from(Deno.readDirSync(path)).every(({ name }) => ownNames.test(name));
  if (!isOwn) return { ...exposure, problem: "it holds other files" };
  try {
    await Deno.chmod(path, 0o700);
    return { ...exposure, problem: undefined };
  } catch (error) {
    // A file system without permissions, or one that this process may not change.
    return { ...exposure, problem: String(error) };
  }
}

/** Makes the folder, and those above it, durably: else a power cut could take it away with all that is in it. */
async function makeFolder(path: string): Promise<void> {
  await requireFolder(path);
  const parents: string[] = [];
  for (let missing = path; !await isThere(missing); missing = dirname(missing)) parents.push(dirname(missing));
  // Only the service's own user may see what is in it.
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  for (const parent of parents) await syncParent(parent);
}

/** @throws {StoreFolderError} something else stands in its place */
async function requireFolder(path: string): Promise<void> {
  const found = await unlessMissing(Deno.lstat(path));
  if (found === undefined) return;
  const target = found.isSymlink ? await unlessMissing(Deno.stat(path)) : found;
  if (target === undefined) {
    throw new StoreFolderError(
      `Cannot open store "${path}" as it is a symbolic link to "${await Deno.readLink(path)}", which does not exist: ` +
        `make that folder, ${anotherFolder}`,
    );
  }
  if (!target.isDirectory) {
    throw new StoreFolderError(`Cannot open store "${path}" as it is not a folder: set GATEHOUSE_STORE to one`);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return await unlessMissing(Deno.stat(path)) !== undefined;
  } catch (error) {
    // The task `start` may not look above its folder, so what is there is left to `mkdir`.
    if (error instanceof Deno.errors.NotCapable) return true;
    throw error;
  }
}

async function unlessMissing<Info>(info: Promise<Info>): Promise<Info | undefined> {
  try {
    return await info;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function syncParent(path: string): Promise<void> {
  try {
    using parent = await Deno.open(path);
    await parent.sync();
  } catch (error) {
    // As above. Most file systems put a new name on the disk with the first sync of what is in it.
    const isRefused = error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
    if (!isRefused && !cannotSync(error)) throw error;
  }
}

/** Whether the error says that a folder of this file system can never be synced. */
export function cannotSync(error: unknown): boolean {
  return error instanceof Error && /\(os error (?:22|38|95)\)/.test(error.message);
}

async function tryLock(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch (error) {
    const text = `Cannot open store "${path}" as its file system cannot lock files (${error}): two services on one ` +
      "folder would destroy it. Set GATEHOUSE_STORE to a folder on a local disk";
    throw new StoreFolderError(text, { cause: error });
  }
}

async function lockedError(path: string): Promise<StoreLockedError> {
  const holder = (await Deno.readTextFile(`${path}/lock`)).trim();
  return new StoreLockedError(
    `Cannot open store "${path}" as it is locked: process ${holder} holds it. ` +
      `Stop that process, or set GATEHOUSE_STORE to another folder`,
  );
}

/** Before it is opened: opening a pipe would wait for ever. */
async function requireRegularLock(path: string): Promise<void> {
  const found = await unlessMissing(Deno.lstat(`${path}/lock`));
  if (found !== undefined && !found.isFile) throw irregularFile(path, { name: "lock", ...found });
}

function irregularFile(path: string, { name, isSymlink }: { name: string; isSymlink: boolean }): StoreFolderError {
  const kind = isSymlink ? "a symbolic link" : "not a regular file";
  return new StoreFolderError(
    `Cannot use store "${path}" as its "${name}" is ${kind}. Nothing was changed. Move the real file there, or make ` +
      "the folder itself a symbolic link",
  );
}
