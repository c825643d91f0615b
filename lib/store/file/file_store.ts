/**
 * A store in a folder: tables in memory, a snapshot of them on disk, and a journal of the changes since.
 *
 * One process uses the folder at a time; the kernel releases the lock however the process ends. Opening replays
 * snapshot and journals and cuts a torn tail. Closing writes a snapshot, so that the next start is fast. In between, a
 * snapshot is written whenever the journal has outgrown the last one.
 */

import type { Log } from "../../log.ts";
import type { Change, Store } from "../../store.ts";
import { TableStore } from "../memory/table_store.ts";
import { Tables, type TableStorage } from "../memory/tables.ts";
import { type Disk, realDisk } from "./disk.ts";
import { leftoversBefore } from "./folder.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { checkFolder, recover, type RecoveredFolder } from "./recovery.ts";
import { writeSnapshot } from "./snapshot.ts";
import { asFolderError } from "./store_folder.ts";

/** Below this many bytes of journal no snapshot is due: a small folder is not worth rewriting at each change. */
const defaultMinCompactBytes = 1024 * 1024;
/**
 * Above this many bytes a snapshot is due however large the last one is: old snapshot, journal and new snapshot are on
 * disk together, and so take at most twice the live data and 64 MiB. A snapshot of 1,000,000 users is 9 times as much.
 */
const maxCompactBytes = 16 * 1024 * 1024;

export interface FileStoreOptions extends Omit<JournalOptions, "apply"> {
  readonly log: Log;
  /** A snapshot is due when the journal's bytes exceed this and those of the last snapshot, or 16 MiB. */
  readonly minCompactBytes?: number;
  /** By default the real one. */
  readonly disk?: Disk;
}

/**
 * Opens the store in a folder: the rules over the folder's tables. A missing folder is created.
 *
 * @throws {StoreLockedError} another process holds the folder
 * @throws {StoreFolderError} the folder cannot be used; the message says how to fix that
 * @throws {CorruptFileError} a file is damaged; no file was changed
 */
export async function openFileStore(path: string, options: FileStoreOptions): Promise<Store> {
  const disk = options.disk ?? realDisk(path);
  let lock: Disposable | undefined;
  try {
    lock = await disk.lock();
    await checkFolder(disk, options.log);
    const tables = new Tables();
    const found = await recover(disk, tables, options);
    return new TableStore(new DataFolder({ disk, lock, tables, found }, options));
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw asFolderError(error, { path, action: "open" });
  }
}

/** An open data folder, to which changes are committed. */
class DataFolder implements TableStorage {
  readonly tables: Tables;
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #lock: Disposable;
  readonly #journal: Journal;
  readonly #minCompactBytes: number;
  #snapshotBytes: number;
  /** Bytes of the journals since the last snapshot, except the current one. */
  #olderJournalBytes: number;
  /** A snapshot is due when the journals have more bytes. */
  #dueBytes: number;
  #compaction: Promise<void> | undefined;
  #isClosing = false;

  constructor(
    { disk, lock, tables, found }: { disk: Disk; lock: Disposable; tables: Tables; found: RecoveredFolder },
    options: FileStoreOptions,
  ) {
    this.tables = tables;
    this.#disk = disk;
    this.#log = options.log;
    this.#lock = lock;
    this.#journal = new Journal(disk, found.journal, { ...options, apply: (change) => tables.apply(change) });
    this.#minCompactBytes = options.minCompactBytes ?? defaultMinCompactBytes;
    this.#snapshotBytes = found.snapshotBytes;
    this.#olderJournalBytes = found.olderJournalBytes;
    this.#dueBytes = this.#growthBytes;
  }

  get bytes(): number {
    return this.#snapshotBytes + this.#journalBytes;
  }

  get failure(): string | undefined {
    return this.#journal.failure;
  }

  async commit(changes: readonly Change[]): Promise<void> {
    await this.#journal.append(changes);
    if (this.#isClosing || this.#compaction !== undefined || this.#journalBytes <= this.#dueBytes) return;
    this.#compaction = this.#compact().finally(() => this.#compaction = undefined);
  }

  /** Writes a snapshot if anything has changed since the last one, and unlocks the folder. */
  async close(): Promise<void> {
    // First: a change in flight must not start another compaction after this one.
    this.#isClosing = true;
    await this.#compaction;
    if (this.#journalBytes > 0 && this.#journal.failure === undefined) await this.#compact();
    await this.#journal.close();
    this.#lock[Symbol.dispose]();
  }

  get #journalBytes(): number {
    return this.#olderJournalBytes + this.#journal.bytes;
  }

  /** Bytes of journal that are worth a snapshot: as many as it takes to write one, within limits. */
  get #growthBytes(): number {
    return Math.min(Math.max(this.#minCompactBytes, this.#snapshotBytes), maxCompactBytes);
  }

  /** Replaces the snapshot and its journals by a new snapshot. A failure is logged and loses nothing. */
  async #compact(): Promise<void> {
    const startedAt = performance.now();
    try {
      // The journal first: changes made while the snapshot is written must be in the journal that remains.
      const bytes = this.#journal.bytes;
      // An empty journal remains from a snapshot that could not be written, and is used again.
      const start = bytes === 0 ? this.#journal.start : await this.#journal.rotate();
      this.#olderJournalBytes += bytes;
      this.#snapshotBytes = await writeSnapshot(this.#disk, start, { records: this.tables.changes() });
      this.#olderJournalBytes = 0;
      this.#dueBytes = this.#growthBytes;
      // If a removal fails, the next compaction repeats it.
      for (const name of leftoversBefore(start.generation, this.#disk.list())) await this.#disk.remove(name);
      this.#log.info("compacted", {
        ...start,
        users: this.tables.users.size,
        sessions: this.tables.sessions.size,
        bytes: this.#snapshotBytes,
        ms: Math.round(performance.now() - startedAt),
      });
    } catch (error) {
      // Not again at the next change, as each attempt would write to a disk that may be full.
      this.#dueBytes = this.#journalBytes + this.#growthBytes;
      this.#log.error("compaction-failed", { error });
    }
  }
}
