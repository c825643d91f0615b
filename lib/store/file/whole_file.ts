/** Files that are complete or do not exist, whenever the power fails: how snapshots and new journals are written. */

import type { Disk, DiskFile } from "./disk.ts";
import { cannotSync } from "./store_folder.ts";

/**
 * Creates a file that is complete or does not exist, whenever the power fails.
 *
 * @returns the file, open: a descriptor to open it again may be missing
 * @throws what `fill` or the disk throws. The file then exists only if the rename or a later step failed
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
    // Before the rename: otherwise the name could reach the disk before the content, and show an empty file.
    await file.sync();
    // Atomic: no reader sees half of the file.
    await disk.rename(temporary, name);
    // The name is content of the folder: without this sync it can be lost with everything that is written later.
    await syncNames(disk);
    return { ...file, path: `${disk.path}/${name}` };
  } catch (error) {
    file?.[Symbol.dispose]();
    // Frees the space on a full disk. If this fails too, the next start removes the file.
    if (file !== undefined) await disk.remove(temporary).catch(() => {});
    throw error;
  }
}

/**
 * Syncs the names in the folder. Some file systems cannot sync a folder; most of them write names in order with the
 * synced content of files.
 *
 * @returns the reason if the file system cannot sync a folder, `undefined` when the names are synced
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
