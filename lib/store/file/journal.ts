/**
 * The changes since a snapshot, each on disk before anyone hears of it.
 *
 * Group commit: changes that arrive while a sync runs wait together and share the next frame, one write and one
 * sync. After the sync they are applied, in the order of the file, and then their promises resolve: so memory never
 * shows what a power cut could take back. One frame is in flight at a time, hence only the last can be torn.
 */

import { type Change, StoreClosedError } from "../../store.ts";
import { decodeChanges, encodeChanges } from "../change.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { encodeFrame, FrameTooLongError, maxFrameBytes } from "./frame.ts";
import { fileHeaderBytes } from "./header.ts";
import {
  createJournal,
  defaultExtendBytes,
  type FoundJournal,
  journalName,
  type JournalStart,
} from "./journal_file.ts";
import { JournalWriter, type JournalWriterOptions } from "./journal_writer.ts";

/**
 * No call is added to a frame that has so many changes: bounds the memory of a commit and the time of its
 * serialization.
 */
const maxFrameChanges = 4_096;

export interface JournalOptions {
  /** Called for each change that has become durable, in order. Must not throw. */
  readonly apply: (change: Change) => void;
  /** See `defaultExtendBytes`. */
  readonly extendBytes?: number;
  /** The longest frame, see `frame.ts`. */
  readonly maxFrameBytes?: number;
  /** Told how long each sync took, in seconds. */
  readonly onSync?: (seconds: number) => void;
}

/** Changes that wait to become durable together. */
interface Pending {
  readonly changes: readonly Change[];
  /** Whether any of them is more than a deletion. */
  readonly isGrowing: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The journal that is written, of one generation after another. */
export class Journal {
  readonly #disk: Disk;
  readonly #apply: (change: Change) => void;
  readonly #writerOptions: JournalWriterOptions;
  readonly #maxFrameBytes: number;
  #generation: number;
  #changesBefore: number;
  /** Changes in its frames. */
  #changeCount: number;
  #writer: JournalWriter;
  #pending: Pending[] = [];
  #rotation: { resolve: (start: JournalStart) => void; reject: (error: unknown) => void } | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  private constructor(disk: Disk, options: JournalOptions, opened: FoundJournal & { file: DiskFile }) {
    this.#disk = disk;
    this.#apply = options.apply;
    this.#writerOptions = {
      extendBytes: options.extendBytes ?? defaultExtendBytes,
      onSync: options.onSync ?? (() => {}),
    };
    this.#maxFrameBytes = options.maxFrameBytes ?? maxFrameBytes;
    this.#generation = opened.generation;
    this.#changesBefore = opened.changesBefore;
    this.#changeCount = opened.changeCount;
    this.#writer = new JournalWriter(opened.file, opened.end, this.#writerOptions);
  }

  /** Goes on with a journal that `readJournal` has read. */
  static open(disk: Disk, found: FoundJournal, options: JournalOptions): Journal {
    return new Journal(disk, options, { ...found, file: disk.openToWrite(journalName(found.generation)) });
  }

  /** Bytes of its frames. */
  get bytes(): number {
    return this.#writer.end - fileHeaderBytes;
  }

  /** Where it goes on; what a snapshot is to be the beginning of, while the journal is empty. */
  get start(): JournalStart {
    return { generation: this.#generation, changesBefore: this.#changesBefore };
  }

  /** Why it takes no more changes, or `undefined`. */
  get fault(): string | undefined {
    if (this.#writer.failure !== undefined) return this.#writer.failure.message;
    return this.#isClosed ? "Cannot change the store as it is closed" : undefined;
  }

  /**
   * Makes `changes` durable as one and applies them.
   *
   * @throws {StoreFullError} no room; nothing of them is kept
   * @throws {StoreClosedError} a sync failed, now or before: they may or may not be kept
   * @throws {TypeError} they, or others at the same time, could not be read again; nothing of them is kept
   * @throws {FrameTooLongError} they are too many for one frame; nothing of them is kept
   * @throws what else the disk throws; nothing of them is kept
   */
  append(changes: readonly Change[]): Promise<void> {
    if (this.fault !== undefined) return Promise.reject(new StoreClosedError(this.fault));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isGrowing = changes.some((change) => change.kind.startsWith("put"));
    this.#pending.push({ changes, isGrowing, resolve, reject });
    this.#run();
    return promise;
  }

  /**
   * Starts the journal of the next generation: later changes go there, all earlier ones are applied.
   *
   * @throws {StoreFullError} no room for it; the present one goes on
   * @throws {StoreClosedError} as `append`
   */
  rotate(): Promise<JournalStart> {
    if (this.fault !== undefined) return Promise.reject(new StoreClosedError(this.fault));
    const { promise, resolve, reject } = Promise.withResolvers<JournalStart>();
    this.#rotation = { resolve, reject };
    this.#run();
    return promise;
  }

  /** Takes no more changes; those that wait become durable first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    this.#writer.close();
  }

  #run(): void {
    this.#running ??= this.#work();
  }

  async #work(): Promise<void> {
    while (this.#pending.length > 0 || this.#rotation !== undefined) {
      const rotation = this.#rotation;
      if (rotation !== undefined) {
        this.#rotation = undefined;
        await this.#rotate().then(rotation.resolve, rotation.reject);
      }
      const batch = this.#takeBatch();
      if (batch.length > 0) await this.#commit(batch);
    }
    // In the same turn as the look that found nothing: a change that comes later starts the work anew.
    this.#running = undefined;
  }

  /**
   * The changes that share the next frame: of whole calls, so that a call's changes are never torn apart, and not of
   * both kinds, as on a full disk those that only delete may find room.
   */
  #takeBatch(): Pending[] {
    let changeCount = 0;
    let end = 0;
    const isGrowing = this.#pending[0]?.isGrowing;
    for (const pending of this.#pending) {
      if (changeCount >= maxFrameChanges || pending.isGrowing !== isGrowing) break;
      changeCount += pending.changes.length;
      end++;
    }
    return this.#pending.splice(0, end);
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    const changes = batch.flatMap((pending) => pending.changes);
    const isGrowing = batch.some((pending) => pending.isGrowing);
    try {
      const payload = encodeChanges(changes);
      const frame = encodeFrame(payload, changes.length, { maxBytes: this.#maxFrameBytes });
      // What the next start would refuse must never be acknowledged.
      decodeChanges(payload);
      await this.#writer.append(frame, { isGrowing });
      this.#changeCount += changes.length;
      for (const change of changes) this.#apply(change);
    } catch (error) {
      if (error instanceof FrameTooLongError && batch.length > 1) return await this.#commitHalves(batch);
      for (const pending of batch) pending.reject(error);
      return;
    }
    for (const pending of batch) pending.resolve();
  }

  /** Calls that are too long together: each half in a frame of its own, or in more. */
  async #commitHalves(batch: readonly Pending[]): Promise<void> {
    const middle = Math.ceil(batch.length / 2);
    await this.#commit(batch.slice(0, middle));
    await this.#commit(batch.slice(middle));
  }

  async #createNext(start: JournalStart): Promise<DiskFile> {
    const name = journalName(start.generation);
    try {
      return await createJournal(this.#disk, start, this.#writerOptions.extendBytes);
    } catch (error) {
      // If the next journal is there, now or after a power cut, it goes on where this one ends: this one must not grow.
      if (this.#disk.mayHave(name)) throw this.#writer.fail(error);
      throw error;
    }
  }

  async #rotate(): Promise<JournalStart> {
    if (this.#writer.failure !== undefined) throw this.#writer.failure;
    // What a failed write left must not be found in a journal that is not the last.
    await this.#writer.cleanEnd();
    const start = {
      generation: this.#generation + 1,
      changesBefore: this.#changesBefore + this.#changeCount,
    };
    const next = await this.#createNext(start);
    this.#writer.close();
    this.#writer = new JournalWriter(next, fileHeaderBytes, this.#writerOptions);
    this.#generation = start.generation;
    this.#changesBefore = start.changesBefore;
    this.#changeCount = 0;
    return start;
  }
}
