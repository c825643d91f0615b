/**
 * What becomes of a folder whose files were damaged, for every single flipped bit and every length that a file can be
 * cut to.
 *
 * It either opens with every acknowledged change, or is refused with file, offset and what to do, and then nothing is
 * changed. There is no third way: never less than was acknowledged, and nothing that was not.
 */

import { assert, assertEquals } from "@std/assert";
import type { Change } from "../../../../lib/store.ts";
import { encodeChanges } from "../../../../lib/store/file/change.ts";
import { readFolder } from "../../../../lib/store/file/folder.ts";
import { CorruptFileError, encodeFileHeader } from "../../../../lib/store/file/file_header.ts";
import { encodeFrame } from "../../../../lib/store/file/format.ts";
import { writeSnapshot } from "../../../../lib/store/file/snapshot.ts";
import { Tables } from "../../../../lib/store/memory/tables.ts";
import { sessionOf, userOf } from "../../../support/store/records.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

/** The last frame covers whole sectors, as a large batch does: these are what a torn one would show. */
const large = Array.from({ length: 9 }, (_, index): Change => ({ kind: "user", record: userOf(`large${index}`) }));

const frames: readonly (readonly Change[])[] = [
  [{ kind: "user", record: userOf("carol") }],
  [{ kind: "session", record: sessionOf("alice", "s1") }, { kind: "user", deletedKey: "bob" }],
  large,
];

for (const name of ["snapshot-2", "journal-2", "journal-3"]) {
  Deno.test(`readFolder() recovers from or refuses every length of ${name}`, async () => {
    const disk = await makeFolder();
    const whole = disk.content(name);
    const lengths = Array.from({ length: whole.length }, (_, length) => length);
    const { recovered, refused } = tryAll(disk, { name, damaged: lengths.map((length) => whole.slice(0, length)) });
    assertEquals(recovered + refused, whole.length);
    // A journal may lose zeros that follow its last frame, but for 16 of them; a snapshot may lose nothing.
    const zeros = name === "snapshot-2" ? 0 : zerosAtEnd(whole) - 16;
    assertEquals(recovered, zeros);
  });

  Deno.test(`readFolder() recovers from or refuses every flipped bit of ${name}`, async () => {
    const disk = await makeFolder();
    const whole = disk.content(name);
    const damaged = Array.from({ length: whole.length * 8 }, (_, bit) => {
      const copy = whole.slice();
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return copy;
    });
    const { recovered, refused } = tryAll(disk, { name, damaged });
    assertEquals(recovered + refused, whole.length * 8);
    // Only behind the last frame of the last journal can a flipped bit be part of a torn frame.
    assertEquals(recovered, name === "journal-3" ? zerosAtEnd(whole) * 8 : 0);
  });
}

Deno.test("readFolder() recovers when any sector behind the acknowledged frames was written or not", async () => {
  const disk = await makeFolder();
  const whole = disk.content("journal-3");
  const end = whole.length - zerosAtEnd(whole);
  const torn = new Uint8Array(end + 4_000);
  torn.set(whole.subarray(0, end));
  torn.set(encodeFrame(encodeChanges([...large, ...large]), 18), end);
  const first = Math.floor(end / 512);
  const last = Math.floor((end + 2_900) / 512);
  const damaged = Array.from({ length: 2 ** (last - first + 1) - 1 }, (_, written) => {
    const copy = torn.slice().fill(0, end);
    for (let sector = first; sector <= last; sector++) {
      if ((written & (1 << (sector - first))) === 0) continue;
      copy.set(torn.subarray(sector * 512, (sector + 1) * 512), sector * 512);
    }
    return copy;
  });
  assertEquals(tryAll(disk, { name: "journal-3", damaged }), { recovered: damaged.length, refused: 0 });
});

/** A snapshot, a journal that a compaction has left, and the one that is written, with zeros behind its frames. */
async function makeFolder(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const records: Change[] = [{ kind: "user", record: userOf("alice") }, { kind: "user", record: userOf("bob") }];
  await writeSnapshot(disk, { generation: 2, changesBefore: 2 }, { records });
  disk.setContent("journal-2", journalOf(frames.slice(0, 1), { generation: 2, changesBefore: 2 }));
  disk.setContent("journal-3", journalOf(frames.slice(1), { generation: 3, changesBefore: 3 }));
  return disk;
}

function journalOf(batches: typeof frames, start: { generation: number; changesBefore: number }) {
  const parts = [
    encodeFileHeader({ kind: "journal", ...start }),
    ...batches.map((changes) => encodeFrame(encodeChanges(changes), changes.length)),
    new Uint8Array(700),
  ];
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Reads the folder with each of the contents in place of the file. @returns how many were recovered and refused */
function tryAll(disk: SimulatedDisk, options: { name: string; damaged: readonly Uint8Array<ArrayBuffer>[] }) {
  const { name, damaged } = options;
  const acknowledged = recordsOf(disk);
  const others = filesBut(disk, name);
  let recovered = 0;
  let refused = 0;
  for (const content of damaged) {
    const before = content.slice();
    disk.setContent(name, content);
    try {
      assertEquals(recordsOf(disk), acknowledged);
      recovered++;
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error;
      assert(error.message.startsWith(`Cannot read "${error.path}" as it is damaged at byte ${error.offset}: `));
      assert(error.message.includes("Restore the whole folder from a backup"));
      refused++;
    }
    assertEquals(disk.content(name), before);
  }
  assertEquals(filesBut(disk, name), others);
  return { recovered, refused };
}

function recordsOf(disk: SimulatedDisk): string {
  const tables = new Tables();
  readFolder(disk, (change) => tables.apply(change));
  return JSON.stringify([...tables.changes()]);
}

function filesBut(disk: SimulatedDisk, name: string) {
  const files = disk.files();
  files.delete(name);
  return files;
}

function zerosAtEnd(bytes: Uint8Array): number {
  return bytes.length - 1 - bytes.findLastIndex((byte) => byte !== 0);
}
