/**
 * The changes since a snapshot, each on disk before anyone hears of it.
 *
 * Group commit: changes that arrive while a sync runs wait together and share the next frame, one write and one
 * sync. After the sync they are applied, in the order of the file, and then their promises resolve: so memory never
 * shows what a power cut could take back. One frame is in flight at a time, hence only the last can be torn.
 */

import type { Buffer } from "node:buffer";
import { type Change, StoreClosedError, StoreFullError } from "../store.ts";
import { decodeChanges, encodeChanges } from "./change.ts";
import { createWhole, type Disk, type DiskFile } from "./disk.ts";
import {
  checkFileHeader,
  CorruptFileError,
  encodeFileHeader,
  encodeFrame,
  fileHeaderBytes,
  type FrameEnd,
  frameHeaderBytes,
  readFrames,
} from "./frame.ts";

/** Zeros are added to the file this many bytes at a time: 1 MiB takes some 6,000 registrations. */
export const defaultExtendBytes = 1024 * 1024;
/** Changes in one frame, at the most: bounds the memory of a commit and the time of its serialization. */
const maxFrameChanges = 4_096;
/** What a full disk says: no space, over the quota, or over the limit of a file's size. */
const fullDiskCodes = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

export interface JournalOptions {
  /** Called for each change that has become durable, in order. Must not throw. */
  readonly apply: (change: Change) => void;
  /** See `defaultExtendBytes`. */
  readonly extendBytes?: number;
}

/** Changes that wait to become durable together. */
interface Pending {
  readonly changes: readonly Change[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The journal that is written, of one generation after another. */
export class Journal {
  readonly #disk: Disk;
  readonly #apply: (change: Change) => void;
  readonly #extendBytes: number;
  #generation: number;
  #file: DiskFile;
  /** Where the next frame goes. */
  #end: number;
  /** Bytes that the file has on disk; from `#end` on they are zeros, unless `#dirtyEnd` says otherwise. */
  #size: number;
  /** Behind a write that failed: up to here the file may hold parts of it. */
  #dirtyEnd = 0;
  #pending: Pending[] = [];
  #rotation: { resolve: (generation: number) => void; reject: (error: unknown) => void } | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;
  /** Set by a sync that failed, for good. */
  #failure: StoreClosedError | undefined;

  private constructor(disk: Disk, options: JournalOptions, opened: OpenedJournal) {
    this.#disk = disk;
    this.#apply = options.apply;
    this.#extendBytes = options.extendBytes ?? defaultExtendBytes;
    this.#generation = opened.generation;
    this.#file = opened.file;
    this.#end = opened.end;
    this.#size = opened.file.size();
  }

  /** Makes an empty journal and opens it. */
  static async create(disk: Disk, generation: number, options: JournalOptions): Promise<Journal> {
    const opened = await createJournal(disk, generation, options.extendBytes ?? defaultExtendBytes);
    return new Journal(disk, options, opened);
  }

  /** Opens a journal that was read by `readJournal` and ends at `end`. */
  static open(disk: Disk, generation: number, end: number, options: JournalOptions): Journal {
    return new Journal(disk, options, { generation, file: disk.openToWrite(journalName(generation)), end });
  }

  /** Bytes of its frames. */
  get bytes(): number {
    return this.#end - fileHeaderBytes;
  }

  /** Why it takes no more changes, or `undefined`. */
  get fault(): string | undefined {
    if (this.#failure !== undefined) return this.#failure.message;
    return this.#isClosed ? "Cannot change the store as it is closed" : undefined;
  }

  /**
   * Makes `changes` durable as one and applies them.
   *
   * @throws {StoreFullError} no room; nothing of them is kept
   * @throws {StoreClosedError} a sync failed, now or before: they may or may not be kept
   */
  append(changes: readonly Change[]): Promise<void> {
    if (this.fault !== undefined) return Promise.reject(new StoreClosedError(this.fault));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.push({ changes, resolve, reject });
    this.#run();
    return promise;
  }

  /**
   * Starts the journal of the next generation: later changes go there, all earlier ones are applied.
   *
   * @returns the new generation
   * @throws {StoreFullError} no room for it; the present one goes on
   * @throws {StoreClosedError} as `append`
   */
  rotate(): Promise<number> {
    if (this.fault !== undefined) return Promise.reject(new StoreClosedError(this.fault));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#rotation = { resolve, reject };
    this.#run();
    return promise;
  }

  /** Takes no more changes; those that wait become durable first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    this.#file.close();
  }

  #run(): void {
    this.#running ??= this.#work();
  }

  async #work(): Promise<void> {
    while (this.#pending.length > 0 || this.#rotation !== undefined) {
      const rotation = this.#rotation;
      if (rotation !== undefined) {
        this.#rotation = undefined;
        await this.#rotate().then(() => rotation.resolve(this.#generation), rotation.reject);
      }
      const batch = this.#takeBatch();
      if (batch.length > 0) await this.#commit(batch);
    }
    // In the same turn as the look that found nothing: a change that comes later starts the work anew.
    this.#running = undefined;
  }

  /** The changes that share the next frame: of whole calls, so that a call's changes are never torn apart. */
  #takeBatch(): Pending[] {
    let changeCount = 0;
    let end = 0;
    while (end < this.#pending.length && changeCount < maxFrameChanges) {
      changeCount += this.#pending[end]?.changes.length ?? 0;
      end++;
    }
    return this.#pending.splice(0, end);
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    try {
      const changes = batch.flatMap((pending) => pending.changes);
      await this.#write(encodeFrame(encodeChanges(changes), changes.length));
      for (const change of changes) this.#apply(change);
    } catch (error) {
      for (const pending of batch) pending.reject(error);
      return;
    }
    for (const pending of batch) pending.resolve();
  }

  async #write(frame: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#cleanEnd();
    await this.#extend(this.#end + frame.length + frameHeaderBytes);
    try {
      await this.#file.write(frame, this.#end);
    } catch (error) {
      // Cut back at once: a later frame may be shorter, and must be followed by zeros. If this fails too it is
      // tried again before the next frame.
      this.#dirtyEnd = this.#end + frame.length;
      await this.#cleanEnd().catch(() => {});
      throw asStoreError(error, "write to");
    }
    await this.#sync();
    this.#end += frame.length;
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      // The kernel may have dropped the pages it could not write and call the next sync a success: what is on the
      // disk is unknown until the file is read again. So no more is written before a restart.
      const message =
        `Cannot change the store until restart as a sync of "${this.#file.path}" failed: ${error}`;
      this.#failure = new StoreClosedError(message, { cause: error });
      throw this.#failure;
    }
  }

  /** Writes zeros over what a failed write left. */
  async #cleanEnd(): Promise<void> {
    if (this.#dirtyEnd <= this.#end) return;
    try {
      await this.#file.write(new Uint8Array(this.#dirtyEnd - this.#end), this.#end);
    } catch (error) {
      throw asStoreError(error, "write to");
    }
    await this.#sync();
    this.#dirtyEnd = 0;
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

  async #rotate(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    // What a failed write left must not be found in a journal that is not the last.
    await this.#cleanEnd();
    const next = await createJournal(this.#disk, this.#generation + 1, this.#extendBytes);
    this.#file.close();
    this.#generation = next.generation;
    this.#file = next.file;
    this.#end = next.end;
    this.#size = next.file.size();
  }
}

/** The name of the file of a generation. */
export function journalName(generation: number): string {
  return `journal-${generation}`;
}

/**
 * Reads a journal and hands on its changes in order.
 *
 * @returns where its frames end: by `zeros`, or `torn`
 * @throws {CorruptFileError} it is damaged otherwise
 */
export function readJournal(disk: Disk, generation: number, onChange: (change: Change) => void): FrameEnd {
  const file = disk.open(journalName(generation));
  try {
    checkFileHeader(file, "journal", generation);
    const end = readFrames(file, (payload, _, offset) => {
      for (const change of decodePayload(file, payload, offset)) onChange(change);
    });
    if (end.reason === "damaged") throw new CorruptFileError(file.path, end.offset, end.problem);
    if (end.reason === "file") {
      throw new CorruptFileError(file.path, end.offset, "it was cut: a journal ends with zeros");
    }
    return end;
  } finally {
    file.close();
  }
}

/**
 * Decodes what a frame holds.
 *
 * @throws {CorruptFileError} its checksum is right and it still cannot be decoded: another program wrote it
 */
export function decodePayload(file: DiskFile, payload: Buffer, offset: number): Change[] {
  try {
    return decodeChanges(payload);
  } catch (error) {
    throw new CorruptFileError(file.path, offset, `a frame cannot be decoded (${error})`, { cause: error });
  }
}

/** Writes zeros over all behind `end`. @returns how many bytes of it were none */
export async function cutJournal(disk: Disk, generation: number, end: number): Promise<number> {
  const file = disk.openToWrite(journalName(generation));
  try {
    const tail = new Uint8Array(file.size() - end);
    file.read(tail, end);
    await file.write(new Uint8Array(tail.length), end);
    await file.sync();
    return tail.findLastIndex((byte) => byte !== 0) + 1;
  } finally {
    file.close();
  }
}

interface OpenedJournal {
  readonly generation: number;
  readonly file: DiskFile;
  readonly end: number;
}

async function createJournal(disk: Disk, generation: number, extendBytes: number): Promise<OpenedJournal> {
  const name = journalName(generation);
  try {
    await createWhole(disk, name, async (file) => {
      const bytes = new Uint8Array(Math.max(extendBytes, fileHeaderBytes + frameHeaderBytes));
      bytes.set(encodeFileHeader("journal", generation));
      await file.write(bytes, 0);
    });
  } catch (error) {
    throw asStoreError(error, "create");
  }
  return { generation, file: disk.openToWrite(name), end: fileHeaderBytes };
}

/** A full disk is told apart, as room can come back; anything else is handed on as it is. */
function asStoreError(error: unknown, action: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!fullDiskCodes.has(code)) return error;
  return new StoreFullError(`Cannot ${action} the journal as the disk is full (${code})`, { cause: error });
}
