/**
 * One journal file, written a frame at a time: each frame is on the disk, followed by zeros, when `append` resolves.
 *
 * What a failed write left is overwritten with zeros before the next write. After a failed sync nothing is written any
 * more, as the content of the file is unknown.
 */

import { StoreClosedError, StoreFullError } from "../../store.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { encodeFileHeader, type FileStart } from "./file_header.ts";
import { fileHeaderBytes, frameHeaderBytes } from "./format.ts";
import { createWhole } from "./whole_file.ts";

/** Bytes by which a journal is extended at a time: 1 MiB has room for about 6,000 registrations. */
export const defaultExtendBytes = 1024 * 1024;
/** The share of `extendBytes` that is reserved for frames that only delete, which so continue on a full disk. */
const reserveShare = 1 / 4;
/** The codes of a full disk: no space, quota exceeded, or the limit of a file's size. */
const fullDiskCodes = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** The same by number, as Deno gives some errors no code: EFBIG, ENOSPC, and EDQUOT of Linux and of macOS. */
const fullDiskNumber = /os error (?:27|28|122|69)(?=\))/;

export interface JournalFileOptions {
  /** Bytes by which the file is extended at a time. */
  readonly extendBytes: number;
  /** Called after each sync of the file with its duration in seconds. */
  readonly onSync: (seconds: number) => void;
}

/** The name of the journal of a generation. */
export function journalName(generation: number): string {
  return `journal-${generation}`;
}

/**
 * Creates an empty journal, wholly or not at all.
 *
 * @returns the file, open
 * @throws {StoreFullError} the disk is full
 */
export async function createJournal(disk: Disk, start: FileStart, extendBytes = defaultExtendBytes): Promise<DiskFile> {
  try {
    return await createWhole(disk, journalName(start.generation), async (file) => {
      const bytes = new Uint8Array(Math.max(extendBytes, fileHeaderBytes + frameHeaderBytes));
      bytes.set(encodeFileHeader({ kind: "journal", ...start }));
      await file.write(bytes, 0);
    });
  } catch (error) {
    throw asStoreError(error, "create");
  }
}

/** A journal that is being written. */
export class JournalFile {
  readonly #file: DiskFile;
  readonly #options: JournalFileOptions;
  /** Bytes of the file on disk. All from `#end` on are zero, except up to `#dirtyEnd`. */
  #size: number;
  #end: number;
  /** The end of what a failed write may have left. */
  #dirtyEnd = 0;
  #failure: StoreClosedError | undefined;

  /** @param end of the last frame */
  constructor(file: DiskFile, end: number, options: JournalFileOptions) {
    this.#file = file;
    this.#end = end;
    this.#size = file.size();
    this.#options = options;
  }

  /** The end of the last frame, in bytes from the start of the file. */
  get end(): number {
    return this.#end;
  }

  /** Why nothing more is written until a restart; `undefined` otherwise. */
  get failure(): StoreClosedError | undefined {
    return this.#failure;
  }

  /**
   * Writes a frame and syncs it. @param options.isGrowing whether it holds more than deletions
   *
   * @throws {StoreFullError} the disk is full; nothing of the frame remains
   * @throws {StoreClosedError} a sync failed, now or before; the frame may remain
   * @throws other errors of the disk; nothing of the frame remains
   */
  async append(frame: Uint8Array<ArrayBuffer>, options: { isGrowing: boolean }): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.cleanEnd();
    await this.#makeRoom(this.#end + frame.length + frameHeaderBytes, options);
    try {
      await this.#file.write(frame, this.#end);
    } catch (error) {
      // Cleaned at once, as a later frame may be shorter and zeros must follow it. If that fails too, the next call
      // tries again.
      this.#dirtyEnd = this.#end + frame.length;
      await this.cleanEnd().catch(() => {});
      throw asStoreError(error, "write to");
    }
    await this.#sync();
    this.#end += frame.length;
  }

  /** Overwrites what a failed write left with zeros. */
  async cleanEnd(): Promise<void> {
    if (this.#dirtyEnd <= this.#end) return;
    try {
      await this.#file.write(new Uint8Array(this.#dirtyEnd - this.#end), this.#end);
    } catch (error) {
      throw asStoreError(error, "write to");
    }
    await this.#sync();
    this.#dirtyEnd = 0;
  }

  /** Accepts no more frames. @returns the error to throw */
  fail(cause: unknown): StoreClosedError {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new StoreClosedError(`Cannot change the store until restart: ${message}`, { cause });
    return this.#failure;
  }

  close(): void {
    this.#file[Symbol.dispose]();
  }

  async #sync(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#file.sync();
    } catch (error) {
      // The kernel may have dropped the pages that it could not write, and report success for the next sync. What is on
      // the disk is unknown until the file is read again, so no more is written before a restart.
      throw this.fail(new Error(`a sync of "${this.#file.path}" failed: ${error}`, { cause: error }));
    }
    this.#options.onSync((performance.now() - startedAt) / 1_000);
  }

  /**
   * Extends the file to at least `size` bytes and the reserve, with zeros that are synced before a frame overwrites
   * them. Deletions may use the reserve if the disk is full.
   */
  async #makeRoom(size: number, { isGrowing }: { isGrowing: boolean }): Promise<void> {
    const { extendBytes } = this.#options;
    const wanted = size + extendBytes * reserveShare;
    if (wanted <= this.#size) return;
    const extended = Math.ceil(wanted / extendBytes) * extendBytes;
    try {
      await this.#file.write(new Uint8Array(extended - this.#size), this.#size);
    } catch (error) {
      // Frees the space of the zeros that did fit. They do no harm if this fails.
      await this.#file.truncate(this.#size).catch(() => {});
      const failure = asStoreError(error, "extend");
      if (failure instanceof StoreFullError && !isGrowing && size <= this.#size) return;
      throw failure;
    }
    await this.#sync();
    this.#size = extended;
  }
}

/** Turns the error of a full disk into a `StoreFullError`, as later changes may succeed. Returns others as they are. */
function asStoreError(error: unknown, action: string): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? String(error.code) : "";
  const reason = fullDiskCodes.has(code) ? code : fullDiskNumber.exec(error.message)?.[0];
  if (reason === undefined) return error;
  return new StoreFullError(`Cannot ${action} the journal as the disk is full (${reason})`, { cause: error });
}
