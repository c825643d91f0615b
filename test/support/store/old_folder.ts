/** Folders that earlier versions wrote: `test/lib/store/v2/` and later have a snapshot and a journal. */
import { assertEquals } from "@std/assert";
import { createLog } from "../../../lib/log.ts";
import type { StoredRecord } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { backUp, restore, verify } from "../../../lib/tasks/backup.ts";
import { inspect } from "../../../lib/tasks/inspect.ts";
import { recordsIn } from "./records.ts";

/** Returns a copy that may be changed. */
export async function copyOfFormat(format: number): Promise<string> {
  const copy = await Deno.makeTempDir();
  for (const name of ["snapshot-2", "journal-2"]) {
    await Deno.copyFile(new URL(`../../lib/store/v${format}/${name}`, import.meta.url), `${copy}/${name}`);
  }
  return copy;
}

/** Checks that an opened copy has a new journal: as if killed, what is on the disk is what another program finds. */
export async function assertNewJournal(path: string, format: number): Promise<void> {
  // Magic, kind, then the version.
  assertEquals((await Deno.readFile(`${path}/journal-2`)).subarray(9, 12), new Uint8Array([0x4a, format, 0]));
  assertEquals((await Deno.readFile(`${path}/journal-3`)).subarray(9, 12), new Uint8Array([0x4a, 5, 0]));
}

/** Adds a test of the tasks with such a folder. */
export function testTasks(
  format: number,
  { records, holdings }: { records: readonly StoredRecord[]; holdings: Awaited<ReturnType<typeof verify>> },
): void {
  const name = `backUp(), verify(), inspect() and restore() read a folder of format ${format}, and leave it as it is`;
  Deno.test(name, async () => {
    const path = await copyOfFormat(format);
    assertEquals(await verify(path), holdings);
    assertEquals((await Array.fromAsync(inspect(path))).length, records.length);
    assertEquals(await backUp(path, `${path}/backup`), holdings);
    assertEquals(await restore(`${path}/backup`, `${path}/new`), holdings);
    assertEquals((await Deno.readFile(`${path}/journal-2`))[10], format);
    await using store = await openFileStore(`${path}/new`, { log: createLog(() => {}) });
    assertEquals(await recordsIn(store), records);
  });
}
