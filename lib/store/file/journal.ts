/**
 * The changes since a snapshot, each on the disk before it is applied.
 *
 * Group commit: changes that arrive during a sync wait together and share the next frame, with one write and one sync.
 * After the sync they are applied in the order of the file, and then their promises resolve, so memory never shows what
 * a power cut could undo. One frame is in flight at a time, so only the last one can be torn.
 */

import { KeyedLock } from "../../keyed_lock.ts";
import { type Change, StoreClosedError } from "../../store.ts";
import { decodeChanges, encodeChanges } from "./change.ts";
import type { Disk } from "./disk.ts";
import type { FileStart } from "./file_header.ts";
import { encodeFrame, fileHeaderBytes, FrameTooLongError, maxFrameBytes } from "./format.ts";
import type { FoundJournal } from "./folder.ts";
import {
  createJournal,
  defaultExtendBytes,
  JournalFile,
  type JournalFileOptions,
  journalName,
} from "./journal_file.ts";

/** A frame with this many changes takes no further call: bounds the memory and the time of serializing it. */
const maxFrameChanges = 4_096;

export interface JournalOptions extends Partial<JournalFileOptions> {
  /** Called for each durable change, in order. Must not throw. */
  readonly apply: (change: Change) => void;
  /** Bytes of the longest frame. */
  readonly maxFrameBytes?: number;
}

/** A call of `append` that waits for a frame. */
interface Call {
  readonly changes: readonly Change[];
  /** Whether any of the changes is more than a deletion. */
  readonly isGrowing: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The journal that is being written, one generation after another. */
export class Journal {
  readonly #disk: Disk;
  readonly #options: Required<JournalOptions>;
  #file: JournalFile;
  #start: FileStart;
  /** The number of changes in the file. */
  #changeCount: number;
  #pending: Call[] = [];
  /** Serializes all work on the file. */
  readonly #lock = new KeyedLock();
  #isClosed = false;

  /** Continues a journal that was read. */
  constructor(disk: Disk, found: FoundJournal, options: JournalOptions) {
    this.#disk = disk;
    this.#options = { extendBytes: defaultExtendBytes, maxFrameBytes, onSync() {}, ...options };
    this.#file = new JournalFile(disk.openToWrite(journalName(found.generation)), found.end, this.#options);
    this.#start = { generation: found.generation, changesBefore: found.changesBefore };
    this.#changeCount = found.changeCount;
  }

  /** Bytes of its frames. */
  get bytes(): number {
    return this.#file.end - fileHeaderBytes;
  }

  get start(): FileStart {
    return this.#start;
  }

  /** Why changes are rejected; `undefined` while they are accepted. */
  get failure(): string | undefined {
    if (this.#file.failure !== undefined) return this.#file.failure.message;
    return this.#isClosed ? "Cannot change the store as it is closed" : undefined;
  }

  /**
   * Makes `changes` durable as one change and applies them.
   *
   * @throws {StoreFullError} the disk is full; none of the changes remains
   * @throws {StoreClosedError} a sync failed, now or before; the changes may remain
   * @throws {TypeError} these changes, or others of the same frame, could not be read again; none remains
   * @throws {FrameTooLongError} the changes do not fit in one frame; none remains
   * @throws other errors of the disk; none of the changes remains
   */
  append(changes: readonly Change[]): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(new StoreClosedError(this.failure));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isGrowing = changes.some((change) => "record" in change);
    this.#pending.push({ changes, isGrowing, resolve, reject });
    if (this.#pending.length === 1) this.#lock.run([""], () => this.#commitPending());
    return promise;
  }

  /**
   * Starts the journal of the next generation. All changes in the old one are applied then; later ones go to the new
   * one.
   *
   * @throws {StoreFullError} the disk is full; the old journal continues
   * @throws {StoreClosedError} as `append`
   */
  rotate(): Promise<FileStart> {
    if (this.failure !== undefined) return Promise.reject(new StoreClosedError(this.failure));
    return this.#lock.run([""], () => this.#rotate());
  }

  /** Accepts no more changes, and waits for those that were accepted. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#lock.run([""], () => Promise.resolve(this.#file.close()));
  }

  async #commitPending(): Promise<void> {
    const calls = this.#pending;
    this.#pending = [];
    while (calls.length > 0) await this.#commit(takeFrame(calls));
  }

  async #commit(calls: readonly Call[]): Promise<void> {
    const changes = calls.flatMap((call) => call.changes);
    const isGrowing = calls.some((call) => call.isGrowing);
    try {
      const payload = encodeChanges(changes);
      const frame = encodeFrame(payload, changes.length, { maxBytes: this.#options.maxFrameBytes });
      // What the next start would refuse must never be acknowledged.
      decodeChanges(payload);
      await this.#file.append(frame, { isGrowing });
      this.#changeCount += changes.length;
      for (const change of changes) this.#options.apply(change);
    } catch (error) {
      if (error instanceof FrameTooLongError && calls.length > 1) {
        const middle = Math.ceil(calls.length / 2);
        await this.#commit(calls.slice(0, middle));
        return await this.#commit(calls.slice(middle));
      }
      for (const call of calls) call.reject(error);
      return;
    }
    for (const call of calls) call.resolve();
  }

  async #rotate(): Promise<FileStart> {
    if (this.#file.failure !== undefined) throw this.#file.failure;
    // Only the last journal may have a torn frame.
    await this.#file.cleanEnd();
    const { generation, changesBefore } = this.#start;
    const start = { generation: generation + 1, changesBefore: changesBefore + this.#changeCount };
    const next = await createJournal(this.#disk, start, this.#options.extendBytes).catch((error) => {
      // If the next journal may exist, now or after a power cut, it continues where this one ends: this one must not
      // grow.
      throw this.#disk.mayHave(journalName(start.generation)) ? this.#file.fail(error) : error;
    });
    this.#file.close();
    this.#file = new JournalFile(next, fileHeaderBytes, this.#options);
    this.#start = start;
    this.#changeCount = 0;
    return start;
  }
}

/**
 * Removes the calls of the next frame from the list: whole calls, so that the changes of a call are never separated,
 * and either growing or not, as on a full disk only deletions may find room.
 */
function takeFrame(calls: Call[]): Call[] {
  let changeCount = 0;
  let end = 0;
  for (const { changes, isGrowing } of calls) {
    if (changeCount >= maxFrameChanges || isGrowing !== calls[0]?.isGrowing) break;
    changeCount += changes.length;
    end++;
  }
  return calls.splice(0, end);
}
