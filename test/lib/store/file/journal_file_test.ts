import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Change } from "../../../../lib/store.ts";
import { encodeChanges } from "../../../../lib/store/file/change.ts";
import { CorruptFileError, encodeFileHeader } from "../../../../lib/store/file/file_header.ts";
import { encodeFrame } from "../../../../lib/store/file/format.ts";
import { readJournal } from "../../../../lib/store/file/folder.ts";
import { cutJournal } from "../../../../lib/store/file/recovery.ts";
import { createJournal } from "../../../../lib/store/file/journal_file.ts";
import { userOf } from "../../../support/store/records.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const start = { generation: 1, changesBefore: 0 };

Deno.test("createJournal() makes a journal that is empty, and durable with its name", async () => {
  const disk = new SimulatedDisk();
  await createJournal(disk, { generation: 4, changesBefore: 9 }, 1_024);
  const found = readJournal(disk.afterPowerCut("nothing"), 4, () => {});
  assertEquals(found, { generation: 4, changesBefore: 9, changeCount: 0, end: 32, torn: undefined, isOld: false });
  assertEquals(disk.content("journal-4").length, 1_024);
});

Deno.test("readJournal() refuses a file that was cut, at any length but among the zeros behind the last frame", () => {
  const whole = journalOf("alice", "bob");
  const { end } = readJournal(diskOf(whole), 1, () => {});
  for (let length = 0; length < whole.length; length++) {
    const disk = diskOf(whole.slice(0, length));
    if (length >= end + 16) assertEquals(logins(disk), ["alice", "bob"]);
    else assertThrows(() => readJournal(disk, 1, () => {}), CorruptFileError);
  }
});

Deno.test("readJournal() refuses a frame that is whole and holds no changes", () => {
  const parts = [encodeFileHeader({ kind: "journal", ...start }), encodeFrame(new Uint8Array([1, 2, 3]), 1)];
  const disk = diskOf(new Uint8Array([...parts, new Uint8Array(32)].flatMap((part) => [...part])));
  const error = assertThrows(() => readJournal(disk, 1, () => {}), CorruptFileError, "cannot be decoded");
  assertEquals(error.offset, 32);
});

Deno.test("cutJournal() leaves zeros behind the end and says how many bytes were none", async () => {
  const whole = journalOf("alice");
  const { end } = readJournal(diskOf(whole), 1, () => {});
  whole.set(encodeFrame(new TextEncoder().encode("x".repeat(500)), 1).subarray(0, 300), end);
  const disk = diskOf(whole);
  assert(readJournal(disk, 1, () => {}).torn !== undefined);
  assertEquals(await cutJournal(disk, 1, end), 300);
  const after = disk.afterPowerCut("nothing");
  assertEquals([logins(after), readJournal(after, 1, () => {}).torn], [["alice"], undefined]);
  assertEquals(await cutJournal(disk, 1, end), 0);
});

function journalOf(...users: string[]): Uint8Array<ArrayBuffer> {
  const frames = users.map((login) => {
    const change: Change = { kind: "user", record: userOf(login) };
    return encodeFrame(encodeChanges([change]), 1);
  });
  const parts = [encodeFileHeader({ kind: "journal", ...start }), ...frames, new Uint8Array(600)];
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function diskOf(content: Uint8Array<ArrayBuffer>): SimulatedDisk {
  const disk = new SimulatedDisk();
  disk.setContent("journal-1", content);
  return disk;
}

function logins(disk: SimulatedDisk): string[] {
  const found: string[] = [];
  readJournal(
    disk,
    1,
    (change) => void found.push("record" in change && change.kind === "user" ? change.record.login : "?"),
  );
  return found;
}
