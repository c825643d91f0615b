/**
 * The disk as the store sees it: one folder, and the calls that durability consists of.
 *
 * The store writes only through this interface, so a test can replace the disk by one that fails, tears writes or
 * forgets. Writes are asynchronous, as requests are served meanwhile. Reads are synchronous: they happen at start and
 * in tasks, which have nothing else to do.
 */

import { type Exposure, listFiles, lockFolder, makePrivate } from "./store_folder.ts";

/** An open file. Disposing of it closes it. */
export interface DiskFile extends Disposable {
  readonly path: string;
  /** Bytes. */
  size(): number;
  /** Fills `buffer` from `offset` on. @returns the number of bytes, fewer only at the end of the file */
  read(buffer: Uint8Array<ArrayBuffer>, offset: number): number;
  /** Writes all of `bytes` at `offset`. If it fails, any part of them may be written. */
  write(bytes: Uint8Array<ArrayBuffer>, offset: number): Promise<void>;
  /** Resolves when content and size are on the disk. */
  sync(): Promise<void>;
  /** Sets the size in bytes. */
  truncate(size: number): Promise<void>;
}

/** A folder of files, by name without a path. */
export interface Disk {
  readonly path: string;
  /**
   * Creates the folder if it is missing and locks it for this process until the result is disposed of. While it is
   * locked, `syncFolder` needs no further file descriptor.
   *
   * @throws {StoreLockedError} another process holds the lock
   * @throws {StoreFolderError} the folder cannot be created or locked
   */
  lock(): Promise<Disposable>;
  /** Denies all other users access to the folder, if possible. @returns `undefined` if it was private */
  makePrivate(): Promise<Exposure | undefined>;
  /** Returns the names of all files. @throws {StoreFolderError} a file of the store is a link, for example */
  list(): string[];
  /** Reports whether a file exists or cannot be ruled out. Needs no file descriptor. */
  mayHave(name: string): boolean;
  /** Opens a file to read. */
  open(name: string): DiskFile;
  /** Opens a file to read and write. */
  openToWrite(name: string): DiskFile;
  /** Creates an empty file; replaces one of that name. */
  create(name: string): DiskFile;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Resolves when created, renamed and removed names are on the disk. */
  syncFolder(): Promise<void>;
}

/**
 * The folder at `path` of the real file system.
 *
 * @param options.isOverwriting if false, `create` and `rename` neither follow a link nor replace a file
 */
export function realDisk(path: string, { isOverwriting = true } = {}): Disk {
  const at = (name: string) => `${path}/${name}`;
  /** Open while it is locked. */
  let folder: Deno.FsFile | undefined;
  return {
    path,
    async lock() {
      const lock = await lockFolder(path);
      // Opened now, as connections can use up all descriptors: a rename that has begun must become durable without one.
      folder = await Deno.open(path);
      return {
        [Symbol.dispose]() {
          folder?.close();
          folder = undefined;
          lock[Symbol.dispose]();
        },
      };
    },
    makePrivate: () => makePrivate(path),
    list: () => listFiles(path),
    mayHave: (name) => mayExist(at(name)),
    open: (name) => realFile(at(name), { read: true }),
    openToWrite: (name) => realFile(at(name), { read: true, write: true }),
    create(name) {
      const how = isOverwriting ? { create: true, truncate: true } : { createNew: true };
      // 0600: the files contain password hashes.
      return realFile(at(name), { read: true, write: true, mode: 0o600, ...how });
    },
    async rename(from, to) {
      if (!isOverwriting && mayExist(at(to))) throw new Deno.errors.AlreadyExists(`The file "${at(to)}" exists`);
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
      // A short write is no error: the rest may fit, and if not, the next call says why.
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
    },
    sync: () => file.syncData(),
    truncate: (size) => file.truncate(size),
    [Symbol.dispose]: () => file.close(),
  };
}

function mayExist(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
