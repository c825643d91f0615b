/** Makes a folder ready for changes: private, read into the tables, without what a crash has left. */

import type { Log } from "../../log.ts";
import type { Change } from "../../store.ts";
import type { Tables } from "../memory/tables.ts";
import type { Disk } from "./disk.ts";
import { type FoundFolder, type FoundJournal, readFolder } from "./folder.ts";
import { fileHeaderBytes } from "./format.ts";
import { createJournal, journalName } from "./journal_file.ts";
import { syncNames } from "./whole_file.ts";

/** Makes the folder private, and logs what it cannot guarantee. */
export async function checkFolder(disk: Disk, log: Log): Promise<void> {
  const folder = disk.path;
  const exposure = await disk.makePrivate();
  if (exposure?.problem !== undefined) {
    log.warn("folder-not-private", { folder, ...exposure, remedy: "Deny other users access to it with chmod 700" });
  } else if (exposure !== undefined) {
    log.info("folder-made-private", { folder, mode: exposure.mode });
  }
  const problem = await syncNames(disk);
  if (problem === undefined) return;
  const remedy = "Set GATEHOUSE_STORE to a folder on a local disk: in this one a power cut may remove new files";
  log.warn("folder-not-synced", { folder, problem, remedy });
}

/** A folder that can take changes. */
export interface RecoveredFolder extends Pick<FoundFolder, "snapshotBytes"> {
  readonly olderJournalBytes: number;
  /** The journal to continue. */
  readonly journal: FoundJournal;
}

/** Reads the folder into `tables`, cuts a torn frame, removes leftovers, and makes sure that there is a journal. */
export async function recover(
  disk: Disk,
  tables: Tables,
  { log, extendBytes }: { readonly log: Log; readonly extendBytes?: number },
): Promise<RecoveredFolder> {
  const apply = (change: Change) => tables.apply(change);
  const { snapshotBytes, journals, leftovers } = readFolder(disk, apply);
  for (const { generation, end, torn } of journals) {
    if (torn === undefined) continue;
    const bytes = await cutJournal(disk, generation, end);
    const file = `${disk.path}/${journalName(generation)}`;
    log.warn("torn-tail-cut", { file, offset: end, bytes, problem: torn });
  }
  for (const name of leftovers) await disk.remove(name);

  const last = journals.at(-1);
  const journal = last === undefined || last.isOld ? await beginJournal(disk, { last, extendBytes }) : last;
  const older = journals.filter((one) => one !== journal);
  const olderJournalBytes = older.reduce((bytes, { end }) => bytes + end - fileHeaderBytes, 0);
  return { snapshotBytes, olderJournalBytes, journal };
}

/** An older program refuses a folder with a journal of this version, as it cannot read the changes in it. */
async function beginJournal(
  disk: Disk,
  { last, extendBytes }: { last: FoundJournal | undefined; extendBytes: number | undefined },
): Promise<FoundJournal> {
  const { generation, changesBefore, changeCount } = last ?? { generation: 0, changesBefore: 0, changeCount: 0 };
  const start = { generation: generation + 1, changesBefore: changesBefore + changeCount };
  using _file = await createJournal(disk, start, extendBytes);
  return { ...start, changeCount: 0, end: fileHeaderBytes, torn: undefined, isOld: false };
}

/** Overwrites everything after `end` with zeros. @returns how many bytes lost another value */
export async function cutJournal(disk: Disk, generation: number, end: number): Promise<number> {
  using file = disk.openToWrite(journalName(generation));
  const tail = new Uint8Array(file.size() - end);
  file.read(tail, end);
  await file.write(new Uint8Array(tail.length), end);
  await file.sync();
  return tail.findLastIndex((byte) => byte !== 0) + 1;
}
