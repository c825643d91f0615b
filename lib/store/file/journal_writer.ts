/**
 * Frames on their way to one journal file: each is on the disk, followed by zeros, when `append` resolves.
 *
 * What a failed write left is cut back before anything else is written, and after a failed sync nothing is: the file
 * then holds what nobody knows.
 */

import { StoreClosedError, StoreFullError } from "../../store.ts";
import type { DiskFile } from "./disk.ts";
import { frameHeaderBytes } from "./frame.ts";
import { asStoreError } from "./journal_file.ts";

/**
 * Of the zeros so much, as a share of `extendBytes`, is kept for frames that only delete: a full disk lets them go on.
 */
const reserveShare = 1 / 4;

export interface JournalWriterOptions {
  /** The file is made longer by so many at a time. */
  readonly extendBytes: number;
  /** Told how long each sync took, in seconds. */
  readonly onSync: (seconds: number) => void;
}

/** Writes one frame at a time. */
export class JournalWriter {
  readonly #file: DiskFile;
  readonly #extendBytes: number;
  readonly #onSync: (seconds: number) => void;
  /** Where the next frame goes. */
  #end: number;
  /** Bytes that the file has on disk; from `#end` on they are zeros, unless `#dirtyEnd` says otherwise. */
  #size: number;
  /** Behind a write that failed: up to here the file may hold parts of it. */
  #dirtyEnd = 0;
  #failure: StoreClosedError | undefined;

  /** @param end where the last frame ends */
  constructor(file: DiskFile, end: number, options: JournalWriterOptions) {
    this.#file = file;
    this.#end = end;
    this.#size = file.size();
    this.#extendBytes = options.extendBytes;
    this.#onSync = options.onSync;
  }

  /** Where the last frame ends, bytes from the start of the file. */
  get end(): number {
    return this.#end;
  }

  /** Why nothing more is written, for good; `undefined` while it is. */
  get failure(): StoreClosedError | undefined {
    return this.#failure;
  }

  /**
   * Puts a frame on the disk.
   *
   * @throws {StoreFullError} no room; nothing of it is kept
   * @throws {StoreClosedError} a sync failed, now or before: it may or may not be kept
   * @throws what else the disk throws; nothing of it is kept
   */
  async append(frame: Uint8Array<ArrayBuffer>, options: { isGrowing: boolean }): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.cleanEnd();
    await this.#makeRoom(this.#end + frame.length + frameHeaderBytes, options);
    try {
      await this.#file.write(frame, this.#end);
    } catch (error) {
      // Cut back at once: a later frame may be shorter, and must be followed by zeros. If this fails too it is
      // tried again before the next frame.
      this.#dirtyEnd = this.#end + frame.length;
      await this.cleanEnd().catch(() => {});
      throw asStoreError(error, "write to");
    }
    await this.#sync();
    this.#end += frame.length;
  }

  async #sync(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#file.sync();
    } catch (error) {
      // The kernel may have dropped the pages it could not write and call the next sync a success: what is on the
      // disk is unknown until the file is read again. So no more is written before a restart.
      throw this.fail(new Error(`a sync of "${this.#file.path}" failed: ${error}`, { cause: error }));
    }
    this.#onSync((performance.now() - startedAt) / 1_000);
  }

  /** Writes nothing more. @returns what is to be thrown */
  fail(cause: unknown): StoreClosedError {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new StoreClosedError(`Cannot change the store until restart: ${message}`, { cause });
    return this.#failure;
  }

  /** Writes zeros over what a failed write left. */
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

  /** Makes sure that the file is at least `size` bytes long, and the reserve longer for changes that make it grow. */
  async #makeRoom(size: number, { isGrowing }: { isGrowing: boolean }): Promise<void> {
    try {
      await this.#extend(size + this.#extendBytes * reserveShare);
    } catch (error) {
      const isEnough = size <= this.#size && !isGrowing && error instanceof StoreFullError;
      if (!isEnough) throw error;
    }
  }

  /** Makes the file at least `size` bytes long, by zeros that are on the disk before a frame is written over them. */
  async #extend(size: number): Promise<void> {
    if (size <= this.#size) return;
    const extended = Math.ceil(size / this.#extendBytes) * this.#extendBytes;
    try {
      await this.#file.write(new Uint8Array(extended - this.#size), this.#size);
    } catch (error) {
      // The zeros that did fit are given back, others may need the room. They do no harm if that fails.
      await this.#file.truncate(this.#size).catch(() => {});
      throw asStoreError(error, "extend");
    }
    await this.#sync();
    this.#size = extended;
  }

  close(): void {
    this.#file.close();
  }
}
