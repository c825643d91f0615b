/**
 * The narrow way from the store to the disk: one folder, and the few calls that durability is made of.
 *
 * Everything the store writes goes through here, so that a test can put a disk in its place that fails, tears or
 * forgets. Writing waits in a thread, as requests are served meanwhile; reading happens at start and in commands,
 * where nothing else is to be done, and is synchronous.
 */

import { cannotSync, type Exposure, listFiles, lockFolder, makePrivate } from "./store_folder.ts";

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
   * @throws {StoreFolderError} it cannot be made or locked
   */
  lock(): Promise<Disposable>;
  /** Lets no other user look into it, where that can be done. @returns what was found, if it was not so */
  makePrivate(): Promise<Exposure | undefined>;
  /**
   * The names of the files in it, in no order.
   *
   * @throws {StoreFolderError} a file of a store is none, but a link for example
   */
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

/**
 * The folder at `path` of the real file system.
 *
 * @param options.isOverwriting whether a file may take the place of one that exists; if not, neither `create` nor
 *   `rename` follows a link or replaces anything
 */
export function realDisk(path: string, { isOverwriting = true } = {}): Disk {
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
    makePrivate: () => makePrivate(path),
    list: () => listFiles(path),
    open: (name) => realFile(at(name), { read: true }),
    openToWrite: (name) => realFile(at(name), { read: true, write: true }),
    // Only the service's own user may read hashes.
    create(name) {
      const how = isOverwriting ? { create: true, truncate: true } : { createNew: true };
      return realFile(at(name), { read: true, write: true, mode: 0o600, ...how });
    },
    async rename(from, to) {
      if (!isOverwriting && mayBeThere(at(to))) throw new Deno.errors.AlreadyExists(`There is a file "${at(to)}"`);
      await Deno.rename(at(from), at(to));
    },
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
    await syncNames(disk);
    return { ...file, path: `${disk.path}/${name}` };
  } catch (error) {
    file?.close();
    // A full disk needs its room back. When even that fails, the next start removes it.
    if (file !== undefined) await disk.remove(temporary).catch(() => {});
    throw error;
  }
}

/**
 * Waits until the names in the folder are on the disk, where its file system can do that. Some cannot sync a folder:
 * most of those keep names in order with what is synced in the files.
 *
 * @returns why it cannot be done; `undefined` when it is done
 */
export async function syncNames(disk: Disk): Promise<string | undefined> {
  try {
    await disk.syncFolder();
    return undefined;
  } catch (error) {
    if (cannotSync(error)) return String(error);
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

function mayBeThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
