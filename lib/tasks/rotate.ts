/**
 * The task `rotate`: a new backup in a folder, and no more than the N newest there. `gatehouse-backup.timer` runs it.
 *
 * Old backups are deleted only after the new one has been read back. All of them stay if one has more changes than the
 * new one: then the store was lost or replaced, and the old backups may be all that is left of it.
 */

import { join } from "node:path";
import { realDisk } from "../store/file/disk.ts";
import { readFileHeader } from "../store/file/file_header.ts";
import { backUp, type Holdings, warnIfUnused } from "./backup.ts";
import { folderOf, runTask, TaskError } from "./task.ts";

/** A backup was made. */
export interface Rotated extends Holdings {
  readonly file: string;
  /** Names of the backups that were deleted. */
  readonly deleted: readonly string[];
}

const defaultKeep = 14;
const namePattern = /^gatehouse-\d{8}T\d{6}Z\.backup$/;
/** What a backup leaves when it is killed. */
const leftoverPattern = /^gatehouse-\d{8}T\d{6}Z\.backup\.tmp$/;

if (import.meta.main) {
  await runTask({
    usage: "rotate FOLDER [--keep N]",
    help:
      `Writes a checked backup to a folder, and then deletes all but the N newest there, ${defaultKeep} by default.`,
    async run({ paths: [folder = ""], options: { keep = String(defaultKeep) }, env }) {
      if (!/^[1-9]\d{0,3}$/.test(keep)) throw new TaskError(`Cannot keep "${keep}" backups: --keep is 1 to 9999`);
      const store = folderOf(env);
      const { file, counts: { user: users }, deleted } = await rotate(store, { folder, keep: Number(keep) });
      await warnIfUnused(store);
      return `Backed up ${users} users from "${store}" to "${file}", and deleted ${deleted.length} old backups`;
    },
  });
}

/**
 * Backs up a store to a file in `folder` that is named after the time, and deletes old ones.
 *
 * @param options.keep backups that stay, the new one included
 * @param options.now milliseconds since the epoch
 * @throws {TaskError} the backup cannot be written, or an older one has more changes
 * @throws {CorruptFileError} the store or the header of an older backup is damaged
 */
export async function rotate(
  store: string,
  { folder, keep, now = Date.now() }: { folder: string; keep: number; now?: number },
): Promise<Rotated> {
  const name = `gatehouse-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "")}.backup`;
  const file = join(folder, name);
  const holdings = await backUp(store, file);
  // Opening a pipe would wait for ever, and a link is no copy.
  const names = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => name);
  const others = names.filter((other) => namePattern.test(other) && other !== name).sort().reverse();
  for (const other of others) {
    const changeCount = changeCountOf(folder, other);
    if (changeCount <= holdings.changeCount) continue;
    throw new TaskError(
      `Cannot delete old backups as "${other}" has ${changeCount} changes and the store only ` +
        `${holdings.changeCount}, as if it was lost: if it was restored on purpose, move "${other}" to another folder`,
    );
  }
  const deleted = others.slice(keep - 1);
  for (const old of [...deleted, ...names.filter((other) => leftoverPattern.test(other))]) {
    await Deno.remove(join(folder, old));
  }
  return { ...holdings, file, deleted };
}

function changeCountOf(folder: string, name: string): number {
  using file = realDisk(folder).open(name);
  return readFileHeader(file, { kind: "snapshot" }).changesBefore;
}
