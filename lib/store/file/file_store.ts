/**
 * Users in a folder: the state in memory, a snapshot of it on disk, and a journal of the changes since.
 *
 * One process at a time, by a lock that the kernel gives back whatever way the process ends. Opening it replays what
 * the folder holds and cuts a torn tail; closing it writes a snapshot, so that the next start is short. In between a
 * snapshot is written whenever the journal has outgrown the last.
 */

import type { Log } from "../../log.ts";
import type { Change, Store } from "../../store.ts";
import { type Disk, realDisk, syncNames } from "./disk.ts";
import { type FoundFolder, readFolder } from "./folder.ts";
import { fileHeaderBytes } from "./header.ts";
import { Journal } from "./journal.ts";
import {
  createJournal,
  cutJournal,
  type FoundJournal,
  journalName,
  type JournalStart,
  readJournal,
} from "./journal_file.ts";
import { type TableStorage, TableStore } from "../memory/table_store.ts";
import { writeSnapshot } from "./snapshot.ts";
import { asFolderError } from "./store_folder.ts";
import { Tables } from "../memory/tables.ts";

/** Below this many bytes of journal no snapshot is due: a small folder is not worth writing anew at each change. */
const defaultMinCompactBytes = 1024 * 1024;
/**
 * Above this many it is due however large the last snapshot is: old snapshot, journal and new snapshot are on the disk
 * at once, and together stay within twice the live data and 64 MiB. One snapshot of 1,000,000 users is 9 times as much.
 */
const maxCompactBytes = 16 * 1024 * 1024;

export interface FileStoreOptions {
  readonly log: Log;
  /** A snapshot is due when the journal's bytes exceed this and those of the last snapshot, or 16 MiB. */
  readonly minCompactBytes?: number;
  /** Bytes by which the journal is made longer at a time. */
  readonly extendBytes?: number;
  /** The longest frame of the journal, see `frame.ts`. */
  readonly maxFrameBytes?: number;
  /** Told how long each sync of the journal took, in seconds. */
  readonly onSync?: (seconds: number) => void;
  /** The disk, when it is not the real one. */
  readonly disk?: Disk;
}

/**
 * Opens the store in a folder: the rules over the folder's tables. The folder is created if it is missing.
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
    const opened = await openFolder(disk, options);
    return new TableStore(new DataFolder({ ...opened, lock }, options));
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw asFolderError(error, { path, action: "open" });
  }
}

/** An open data folder. */
class DataFolder implements TableStorage {
  readonly tables: Tables;
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #lock: Disposable;
  readonly #journal: Journal;
  readonly #minCompactBytes: number;
  #snapshotBytes: number;
  /** Bytes of the journals between the last snapshot and the journal that is written. */
  #olderJournalBytes: number;
  /** The next snapshot is due when the journals have more bytes than these. */
  #dueBytes: number;
  #compaction: Promise<void> | undefined;
  #isClosing = false;

  constructor(opened: OpenedFolder, options: FileStoreOptions) {
    this.tables = opened.tables;
    this.#disk = opened.disk;
    this.#log = options.log;
    this.#lock = opened.lock;
    this.#journal = opened.journal;
    this.#minCompactBytes = options.minCompactBytes ?? defaultMinCompactBytes;
    this.#snapshotBytes = opened.snapshotBytes;
    this.#olderJournalBytes = opened.olderJournalBytes;
    this.#dueBytes = this.#growthBytes;
  }

  get bytes(): number {
    return this.#snapshotBytes + this.#journalBytes;
  }

  get fault(): string | undefined {
    return this.#journal.fault;
  }

  async commit(changes: readonly Change[]): Promise<void> {
    await this.#journal.append(changes);
    this.#compactWhenDue();
  }

  /** Writes a snapshot if anything has changed since the last one, and unlocks the folder. */
  async close(): Promise<void> {
    // First: a change that is under way must not start another compaction after this one.
    this.#isClosing = true;
    await this.#compaction;
    if (this.#journalBytes > 0 && this.#journal.fault === undefined) await this.#compact();
    await this.#journal.close();
    this.#lock[Symbol.dispose]();
  }

  get #journalBytes(): number {
    return this.#olderJournalBytes + this.#journal.bytes;
  }

  /** How much journal is worth a new snapshot: as much as it costs to write one, within limits. */
  get #growthBytes(): number {
    return Math.min(Math.max(this.#minCompactBytes, this.#snapshotBytes), maxCompactBytes);
  }

  #compactWhenDue(): void {
    if (this.#isClosing || this.#compaction !== undefined || this.#journalBytes <= this.#dueBytes) return;
    this.#compaction = this.#compact().finally(() => this.#compaction = undefined);
  }

  /** Puts a new snapshot in the place of the last one and its journals. A failure is logged, and nothing is lost. */
  async #compact(): Promise<void> {
    const startedAt = performance.now();
    try {
      // First the journal: what changes while the snapshot is written must be in the journal that is kept.
      const bytes = this.#journal.bytes;
      // An empty one is left by a snapshot that could not be written, and will do.
      const start = bytes === 0 ? this.#journal.start : await this.#journal.rotate();
      this.#olderJournalBytes += bytes;
      this.#snapshotBytes = await writeSnapshot(this.#disk, start, { records: this.tables.changes() });
      this.#olderJournalBytes = 0;
      this.#dueBytes = this.#growthBytes;
      await this.#removeBefore(start.generation);
      this.#log.info("compacted", {
        ...start,
        users: this.tables.userCount,
        sessions: this.tables.sessionCount,
        bytes: this.#snapshotBytes,
        ms: Math.round(performance.now() - startedAt),
      });
    } catch (error) {
      // Not again at the next change: a full disk would be tried, and written to, at each.
      this.#dueBytes = this.#journalBytes + this.#growthBytes;
      this.#log.error("compaction-failed", { error });
    }
  }

  /** What is older than the snapshot is not needed. If it cannot be removed now, the next compaction does it. */
  async #removeBefore(generation: number): Promise<void> {
    for (const name of this.#disk.list()) {
      const match = /^(?:snapshot|journal)-(\d+)$/.exec(name);
      if (match !== null && Number(match[1]) < generation) await this.#disk.remove(name);
    }
  }
}

interface OpenedFolder {
  readonly disk: Disk;
  readonly lock: Disposable;
  readonly tables: Tables;
  readonly journal: Journal;
  readonly snapshotBytes: number;
  readonly olderJournalBytes: number;
}

/** Makes the folder private, and warns of what it cannot do. */
async function checkFolder(disk: Disk, log: Log): Promise<void> {
  const folder = disk.path;
  const exposure = await disk.makePrivate();
  if (exposure?.problem !== undefined) {
    log.warn("folder-not-private", {
      folder,
      ...exposure,
      remedy: "Forbid other users to look into it with chmod 700",
    });
  } else if (exposure !== undefined) {
    log.info("folder-made-private", { folder, mode: exposure.mode });
  }
  const problem = await syncNames(disk);
  if (problem === undefined) return;
  const remedy = "Set GATEHOUSE_STORE to a folder on a local disk: here a power cut may take new files away";
  log.warn("folder-not-synced", { folder, problem, remedy });
}

async function openFolder(disk: Disk, options: FileStoreOptions): Promise<Omit<OpenedFolder, "lock">> {
  const tables = new Tables();
  const apply = (change: Change) => tables.apply(change);
  const found = readFolder(disk, apply);
  await mendFolder(disk, found, options.log);

  const journals = [...found.journals];
  let last = journals.at(-1);
  if (last === undefined || last.isOld) {
    // An older program, which could not read what follows, refuses a folder with a journal of this version.
    const start = last === undefined ? { generation: 1, changesBefore: 0 } : startBehind(last);
    const file = await createJournal(disk, start, options.extendBytes);
    file.close();
    last = readJournal(disk, start.generation, apply);
    journals.push(last);
  }
  const journal = Journal.open(disk, last, { apply, ...options });
  const olderJournalBytes = journals.slice(0, -1)
    .reduce((bytes, { end }) => bytes + end - fileHeaderBytes, 0);
  return { disk, tables, journal, snapshotBytes: found.snapshotBytes, olderJournalBytes };
}

function startBehind({ generation, changesBefore, changeCount }: FoundJournal): JournalStart {
  return { generation: generation + 1, changesBefore: changesBefore + changeCount };
}

/** Cuts the torn frame that a crash left, and removes what nobody needs. */
async function mendFolder(disk: Disk, found: FoundFolder, log: Log): Promise<void> {
  for (const { generation, end, torn } of found.journals) {
    if (torn === undefined) continue;
    const bytes = await cutJournal(disk, generation, end);
    log.warn("torn-tail-cut", {
      file: `${disk.path}/${journalName(generation)}`,
      offset: end,
      bytes,
      problem: torn,
    });
  }
  for (const name of found.leftovers) await disk.remove(name);
}
