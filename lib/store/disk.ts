/**
 * The narrow way from the store to the disk: one folder, and the few calls that durability is made of.
 *
 * Everything the store writes goes through here, so that a test can put a disk in its place that fails, tears or
 * forgets. Writing waits in a thread, as requests are served meanwhile; reading happens at start and in commands,
 * where nothing else is to be done, and is synchronous.
 */

import { dirname } from "node:path";

/** A file of the folder, open. */
export interface DiskFile {
  /** Its path, for messages. */
  readonly path: string;
  /** Bytes. */
  size(): number;
  /** Fills `buffer` from `offset` on. @returns how many bytes there were: fewer only at the end of the file */
  read(buffer: Uint8Array<ArrayBuffer>, offset: number): number;
  /** Writes all of `bytes` at `offset`. After a failure any part of it may be written. */
  write(bytes: Uint8Array<ArrayBuffer>, offset: number): Promise<void>;
  /** Waits until the content, and the size, are on the disk. */
  sync(): Promise<void>;
  /** Makes the file `size` bytes long. */
  truncate(size: number): Promise<void>;
  close(): void;
}

/** A folder of files. Names are plain, without a path. */
export interface Disk {
  /** The folder's path, for messages. */
  readonly path: string;
  /**
   * Makes the folder when there is none, and holds it for this process until the result is disposed of. Meanwhile
   * `syncFolder` needs no file descriptor more.
   *
   * @throws {StoreLockedError} another has it
   */
  lock(): Promise<Disposable>;
  /** The names in it, in no order. */
  list(): string[];
  /** Whether a file of that name is there, for all that can be told. Needs no file descriptor. */
  mayHave(name: string): boolean;
  /** Opens a file to read. */
  open(name: string): DiskFile;
  /** Opens a file to read and write. */
  openToWrite(name: string): DiskFile;
  /** Makes a file, empty, in the place of one of that name. */
  create(name: string): DiskFile;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Waits until names made, renamed and removed are on the disk. */
  syncFolder(): Promise<void>;
}

/** The folder is held by another process. */
export class StoreLockedError extends Error {
  override name = "StoreLockedError";
}

/** The folder at `path` of the real file system. */
export function realDisk(path: string): Disk {
  const at = (name: string) => `${path}/${name}`;
  /** While it is locked. */
  let folder: Deno.FsFile | undefined;
  return {
    path,
    async lock() {
      const lock = await lockFolder(path);
      // Connections can take all descriptors: what has begun to change names must not need one to make it durable.
      folder = await Deno.open(path);
      const close = () => {
        folder?.close();
        folder = undefined;
        lock[Symbol.dispose]();
      };
      return { [Symbol.dispose]: close };
    },
    mayHave: (name) => mayBeThere(at(name)),
    list: () => Array.from(Deno.readDirSync(path)).filter((entry) => entry.isFile).map((entry) => entry.name),
    open: (name) => realFile(at(name), { read: true }),
    openToWrite: (name) => realFile(at(name), { read: true, write: true }),
    // Only the service's own user may read hashes.
    create: (name) => realFile(at(name), { read: true, write: true, create: true, truncate: true, mode: 0o600 }),
    rename: (from, to) => Deno.rename(at(from), at(to)),
    remove: (name) => Deno.remove(at(name)),
    async syncFolder() {
      if (folder !== undefined) return await folder.sync();
      using opened = await Deno.open(path);
      await opened.sync();
    },
  };
}

/**
 * Makes a file that is either whole or not there at all, whenever the power fails.
 *
 * @returns the file, open: there may be no descriptor to open it again
 * @throws what `fill` or the disk throws. A file of that name is there only if renaming or what comes after it failed
 */
export async function createWhole(
  disk: Disk,
  name: string,
  fill: (file: DiskFile) => Promise<void>,
): Promise<DiskFile> {
  const temporary = `${name}.tmp`;
  let file: DiskFile | undefined;
  try {
    file = disk.create(temporary);
    await fill(file);
    // Before the rename: else the name could reach the disk before the content, and show an empty file.
    await file.sync();
    // At once for every reader: there is no moment with half of it.
    await disk.rename(temporary, name);
    // The name itself is content of the folder: without this it can be lost with all that is written later.
    await disk.syncFolder();
    return { ...file, path: `${disk.path}/${name}` };
  } catch (error) {
    file?.close();
    // A full disk needs its room back. When even that fails, the next start removes it.
    await disk.remove(temporary).catch(() => {});
    throw error;
  }
}

function realFile(path: string, options: Deno.OpenOptions): DiskFile {
  const file = Deno.openSync(path, options);
  return {
    path,
    size: () => file.statSync().size,
    read(buffer, offset) {
      file.seekSync(offset, Deno.SeekMode.Start);
      let count = 0;
      while (count < buffer.length) {
        const read = file.readSync(buffer.subarray(count));
        if (read === null) break;
        count += read;
      }
      return count;
    },
    async write(bytes, offset) {
      file.seekSync(offset, Deno.SeekMode.Start);
      // A short write is no error: the rest may fit, and if not the next call says why.
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
    },
    sync: () => file.syncData(),
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  };
}

/** Makes the folder, and those above it, durably: else a power cut could take it away with all that is in it. */
async function makeFolder(path: string): Promise<void> {
  const parents: string[] = [];
  for (let missing = path; !await isThere(missing); missing = dirname(missing)) parents.push(dirname(missing));
  // Only the service's own user may see what is in it.
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  for (const parent of parents) await syncParent(parent);
}

function mayBeThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    // The task `start` may not look above its folder, so what is there is left to `mkdir`.
    if (error instanceof Deno.errors.NotCapable) return true;
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function syncParent(path: string): Promise<void> {
  try {
    using parent = await Deno.open(path);
    await parent.sync();
  } catch (error) {
    // As above. Most file systems put a new name on the disk with the first sync of what is in it.
    if (!(error instanceof Deno.errors.NotCapable) && !(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}

/**
 * For whoever reads a folder and writes nothing to it, not even the lock.
 *
 * @throws {StoreLockedError} a process has it now
 */
export async function requireUnlocked(path: string): Promise<void> {
  try {
    using file = await Deno.open(`${path}/lock`);
    if (!await file.tryLock(true)) throw await lockedError(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Holds the folder for this process until disposed of. */
async function lockFolder(path: string): Promise<Disposable> {
  await makeFolder(path);
  const file = await Deno.open(`${path}/lock`, { read: true, write: true, create: true, mode: 0o600 });
  if (!await file.tryLock(true)) {
    file.close();
    throw await lockedError(path);
  }
  await file.truncate(0);
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  return { [Symbol.dispose]: () => file.close() };
}

async function lockedError(path: string): Promise<StoreLockedError> {
  const holder = (await Deno.readTextFile(`${path}/lock`)).trim();
  return new StoreLockedError(
    `Cannot open store "${path}" as it is locked: process ${holder} holds it. ` +
      `Stop that process, or set GATEHOUSE_STORE to another folder`,
  );
}
