/**
 * The folder of a store on the real file system: created, locked for one process, and private.
 *
 * If it cannot be used, the error is one line with the folder, the cause and the remedy.
 */

import { dirname } from "node:path";
import { StoreFullError } from "../../store.ts";

/** The folder cannot be used as a store. */
export class StoreFolderError extends Error {
  override name = "StoreFolderError";
}

/** Another process holds the folder. */
export class StoreLockedError extends Error {
  override name = "StoreLockedError";
}

/** The permissions of a folder that other users could access. */
export interface Exposure {
  /** In octal. */
  readonly mode: string;
  /** Why they are unchanged; `undefined` if the folder is private now. */
  readonly problem: string | undefined;
}

/** The files of the service, and that of a clone of the project. */
const ownFiles = /^(?:lock|\.gitkeep|(?:snapshot|journal)-\d+(?:\.tmp)?)$/;
const socketName = "socket";

const anotherFolder = "or set GATEHOUSE_STORE to another folder";
const wrongOwner = `Give the folder and its files to the user of the service with chown -R, ${anotherFolder}`;
const noRoom = `Free some space, ${anotherFolder}`;
const remedies: Readonly<Record<string, string>> = {
  EACCES: wrongOwner,
  EPERM: wrongOwner,
  EROFS: `Mount its file system for writing, ${anotherFolder}`,
  ENOSPC: noRoom,
  EDQUOT: noRoom,
  EEXIST: "Set GATEHOUSE_STORE to a folder: this is a file, or a symbolic link to a folder that does not exist",
  ENOTDIR: "Set GATEHOUSE_STORE to a folder that is not below a file",
  ENAMETOOLONG: "Set GATEHOUSE_STORE to a shorter path",
  ELOOP: "Remove the symbolic links that lead in a circle",
  EMFILE: "Raise the limit of open files",
  ENFILE: "Raise the limit of open files",
};

/** The socket of the service that uses a folder, for the tasks of the operator. */
export function socketIn(folder: string): string {
  return `${folder}/${socketName}`;
}

/**
 * Turns an error of the operating system, or of Deno's permissions, into one that names the folder and the remedy.
 *
 * @param options.action what failed, such as "open"
 * @returns other errors as they are
 */
export function asFolderError(error: unknown, { path, action }: { path: string; action: string }): unknown {
  const cause = error instanceof StoreFullError ? error.cause : error;
  if (!(cause instanceof Error)) return error;
  const isRefused = cause instanceof Deno.errors.NotCapable;
  const code = "code" in cause ? String(cause.code) : undefined;
  if (code === undefined && !isRefused) return error;
  const remedy = isRefused ? permissionRemedy(cause) : remedies[code ?? ""];
  const text = `Cannot ${action} store "${path}": ${reasonOf(cause)}`;
  return new StoreFolderError(remedy === undefined ? text : `${text}. ${remedy}`, { cause: error });
}

/** Returns why a file or folder cannot be used, without Deno's advice to allow everything. */
export function reasonOf(error: Error): string {
  return isProtected(error) ? "Deno protects /dev, /proc and /sys" : error.message;
}

function permissionRemedy(error: Error): string {
  if (isProtected(error)) return "Set GATEHOUSE_STORE to another folder";
  return "Start the program with its task, which allows what the settings name";
}

/** Reports whether Deno opens the path only if everything is allowed. */
function isProtected(error: Error): boolean {
  return error instanceof Deno.errors.NotCapable && error.message.startsWith("Requires all access");
}

/** As `Disk.list`. The next compaction would replace a link, and the file that it points to would become outdated. */
export function listFiles(path: string): string[] {
  const entries = Array.from(Deno.readDirSync(path));
  const other = entries.find((entry) => !entry.isFile && ownFiles.test(entry.name));
  if (other !== undefined) throw irregularFile(path, other);
  return entries.filter((entry) => entry.isFile).map((entry) => entry.name);
}

/** As `Disk.lock`. */
export async function lockFolder(path: string): Promise<Disposable> {
  await makeFolder(path);
  const file = await openLock(path, { read: true, write: true, create: true, mode: 0o600 });
  try {
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    file.close();
    throw error;
  }
  return file;
}

/**
 * Checks that no process holds the folder, and writes nothing to it, not even the lock.
 *
 * @throws {StoreLockedError} a process holds it
 */
export async function requireUnlocked(path: string): Promise<void> {
  const file = await unlessMissing(openLock(path, { read: true }));
  file?.close();
}

/** As `Disk.makePrivate`, unless the folder has files of other programs, which may need the permissions. */
export async function makePrivate(path: string): Promise<Exposure | undefined> {
  const { mode, uid } = await Deno.stat(path);
  if (mode === null || (mode & 0o077) === 0) return undefined;
  const exposure = { mode: (mode & 0o7777).toString(8) };
  // The lock is the service's file, so its owner is the service's user.
  if ((await Deno.stat(`${path}/lock`)).uid !== uid) return { ...exposure, problem: "it belongs to another user" };
  const isOwn = Array.from(Deno.readDirSync(path)).every(({ name }) => ownFiles.test(name) || name === socketName);
  if (!isOwn) return { ...exposure, problem: "it contains other files" };
  try {
    await Deno.chmod(path, 0o700);
    return { ...exposure, problem: undefined };
  } catch (error) {
    // A file system without permissions, or permissions that this process may not change.
    return { ...exposure, problem: String(error) };
  }
}

/** Creates the folder and those above it durably: otherwise a power cut could remove them with all their content. */
async function makeFolder(path: string): Promise<void> {
  const parents: string[] = [];
  for (let missing = path; !await isThere(missing); missing = dirname(missing)) parents.push(dirname(missing));
  // For the service's user alone.
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  for (const parent of parents) await syncParent(parent);
}

async function isThere(path: string): Promise<boolean> {
  try {
    return await unlessMissing(Deno.stat(path)) !== undefined;
  } catch (error) {
    // The task `start` may not read above its folder: `mkdir` finds out what is there.
    if (error instanceof Deno.errors.NotCapable) return true;
    throw error;
  }
}

async function unlessMissing<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
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
    // Not allowed or not possible. Most file systems write a new name with the first sync of what is in the folder.
    const isRefused = error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
    if (!isRefused && !cannotSync(error)) throw error;
  }
}

/** Reports whether an error says that this file system cannot sync folders. */
export function cannotSync(error: unknown): boolean {
  return error instanceof Error && /\(os error (?:22|38|95)\)/.test(error.message);
}

async function openLock(path: string, options: Deno.OpenOptions): Promise<Deno.FsFile> {
  // First, as opening a pipe would wait forever.
  const found = await unlessMissing(Deno.lstat(`${path}/lock`));
  if (found !== undefined && !found.isFile) throw irregularFile(path, { name: "lock", ...found });
  const file = await Deno.open(`${path}/lock`, options);
  const isLocked = await file.tryLock(true).catch((error) => error);
  if (isLocked === true) return file;
  file.close();
  if (isLocked !== false) {
    const text = `Cannot open store "${path}" as its file system cannot lock files (${isLocked}): two services would ` +
      "destroy it. Set GATEHOUSE_STORE to a folder on a local disk";
    throw new StoreFolderError(text, { cause: isLocked });
  }
  const holder = (await Deno.readTextFile(`${path}/lock`)).trim();
  throw new StoreLockedError(
    `Cannot open store "${path}" as it is locked: process ${holder} holds it. ` +
      `Stop that process, or set GATEHOUSE_STORE to another folder`,
  );
}

function irregularFile(path: string, { name, isSymlink }: { name: string; isSymlink: boolean }): StoreFolderError {
  const kind = isSymlink ? "a symbolic link" : "not a regular file";
  return new StoreFolderError(
    `Cannot use store "${path}" as its "${name}" is ${kind}. Nothing was changed. Move the real file there. The ` +
      "folder itself may be a symbolic link",
  );
}
