import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Change } from "../../../../lib/store.ts";
import { type ReadFolder, readFolder, readRunningFolder } from "../../../../lib/store/file/folder.ts";
import { StoreFolderError } from "../../../../lib/store/file/store_folder.ts";
import { CorruptFileError, encodeFileHeader, type FileStart } from "../../../../lib/store/file/file_header.ts";
import { encodeFrame } from "../../../../lib/store/file/format.ts";
import type { Disk } from "../../../../lib/store/file/disk.ts";
import { encodeChanges } from "../../../../lib/store/file/change.ts";
import { writeSnapshot } from "../../../../lib/store/file/snapshot.ts";
import { skipPauses } from "../../../support/skip_pauses.ts";
import { userOf } from "../../../support/store/records.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

/** Files by name: a snapshot or journal that holds the users named, one whose last frame is torn, or other content. */
type Files = Record<string, readonly string[] | { torn: readonly string[] } | Uint8Array<ArrayBuffer>>;

const tornFrame = encodeFrame(encodeChanges([put("torn")]), 1).subarray(0, 80);

const readable: Record<string, { files: Files; logins: string[]; last?: number; leftovers?: string[] }> = {
  "an empty folder": { files: {}, logins: [] },
  "files of others": { files: { ".gitkeep": [], "notes.txt": [], "journal-x": [] }, logins: [] },
  "a first journal": { files: { "journal-1": ["a", "b"] }, logins: ["a", "b"], last: 1 },
  "a snapshot and its journal": {
    files: { "snapshot-2": ["a"], "journal-2": ["b"] },
    logins: ["a", "b"],
    last: 2,
  },
  "a compaction that began": {
    files: {
      "snapshot-2": ["a"],
      "journal-2": ["b"],
      "journal-3": ["c"],
      "snapshot-3.tmp": new Uint8Array(9),
    },
    logins: ["a", "b", "c"],
    last: 3,
    leftovers: ["snapshot-3.tmp"],
  },
  "a compaction that did not remove what is old": {
    files: { "snapshot-2": ["a"], "journal-2": ["b"], "journal-3": ["c"], "snapshot-3": ["a", "b"] },
    logins: ["a", "b", "c"],
    last: 3,
    leftovers: ["snapshot-2", "journal-2"],
  },
  "generations of more than one digit": {
    files: { "snapshot-9": ["old"], "snapshot-10": ["a"], "journal-10": ["b"] },
    logins: ["a", "b"],
    last: 10,
    leftovers: ["snapshot-9"],
  },
};

for (const [what, { files, logins, last, leftovers = [] }] of Object.entries(readable)) {
  Deno.test(`readFolder() reads ${what}, and changes nothing`, async () => {
    const disk = await diskOf(files);
    const before = disk.files();
    const read: string[] = [];
    const found = readFolder(disk, (change) => read.push(loginOf(change)));
    assertEquals(read, logins);
    assertEquals([found.journals.at(-1)?.generation, [...found.leftovers].sort()], [last, leftovers.sort()]);
    assert(found.journals.every((journal) => journal.torn === undefined));
    assertEquals(disk.files(), before);
  });
}

const refused: Record<string, { files: Files; path: string }> = {
  "a snapshot without its journal": { files: { "snapshot-2": ["a"] }, path: "journal-2" },
  "a journal without its snapshot": { files: { "journal-2": ["a"] }, path: "journal-1" },
  "a gap between journals": { files: { "journal-1": ["a"], "journal-3": ["b"] }, path: "journal-2" },
  "a journal older than the snapshot alone": {
    files: { "snapshot-3": ["a"], "journal-2": ["b"] },
    path: "journal-3",
  },
  "a damaged snapshot, though an older one is whole": {
    files: { "snapshot-2": ["a"], "journal-2": ["b"], "snapshot-3": new Uint8Array(100), "journal-3": ["c"] },
    path: "snapshot-3",
  },
  "a generation that no header can hold": {
    files: { "snapshot-100000000000000000000": new Uint8Array(1), "journal-100000000000000000000": new Uint8Array(1) },
    path: "journal-100000000000000000000",
  },
  "a damaged journal": { files: { "journal-1": new Uint8Array(100) }, path: "journal-1" },
};

for (const [what, { files, path }] of Object.entries(refused)) {
  Deno.test(`readFolder() refuses ${what}, and changes nothing`, async () => {
    const disk = await diskOf(files);
    const before = disk.files();
    const error = assertThrows(() => readFolder(disk, () => {}), CorruptFileError);
    assertEquals(error.path, `simulated/${path}`);
    assertEquals(disk.files(), before);
  });
}

Deno.test("readFolder() refuses a journal that does not go on where the file before ends", async () => {
  const files = { "snapshot-2": ["a"], "journal-2": ["b", "c"], "journal-3": ["d"] };
  const disk = await diskOf(files);
  const older = await diskOf({ ...files, "journal-2": ["b"] });
  for (const name of ["journal-2", "journal-3"]) {
    const mixed = await diskOf(files);
    mixed.setContent(name, older.content(name));
    const error = assertThrows(() => readFolder(mixed, () => {}), CorruptFileError, "it continues from change");
    assertEquals(error.path, "simulated/journal-3");
  }
  readFolder(disk, () => {});
});

Deno.test("readFolder() finds a torn frame at the end of the last journal that has frames", async () => {
  for (const later of [{}, { "journal-2": [] }]) {
    const disk = await diskOf({ "journal-1": { torn: ["a"] }, ...later });
    const read: string[] = [];
    const { journals } = readFolder(disk, (change) => read.push(loginOf(change)));
    assertEquals([read, journals[0]?.torn !== undefined], [["a"], true]);
  }
});

Deno.test("readFolder() refuses a torn frame when a later journal has frames", async () => {
  const disk = await diskOf({ "journal-1": { torn: ["a"] }, "journal-2": ["b"] });
  assertThrows(() => readFolder(disk, () => {}), CorruptFileError, "a later journal has frames");
  const twice = await diskOf({ "journal-1": { torn: ["a"] }, "journal-2": { torn: [] } });
  assertThrows(() => readFolder(twice, () => {}), CorruptFileError, "a later journal has frames");
});

Deno.test("readRunningFolder() reads again when a compaction removes files, and finally gives up", async () => {
  using _pauses = skipPauses();
  const disk = await diskOf({ "snapshot-2": ["a"], "journal-2": ["b"] });
  let lists = 0;
  const moving = (times: number): Disk =>
    changedDisk(disk, { list: () => ++lists <= times ? ["journal-1"] : disk.list() });
  assertEquals(loginsOf(await readRunningFolder(moving(4))), ["a", "b"]);
  lists = 0;
  await assertRejects(() => readRunningFolder(moving(Infinity)), Deno.errors.NotFound);
  assertEquals(lists, 5);
});

/** What a reader sees of a journal while its last frame is written, and whether that is damage when it stays. */
const halfWritten: Record<string, { half: (whole: Uint8Array, end: number) => Uint8Array; isDamage: boolean }> = {
  "without its end": { half: (whole, end) => whole.slice().fill(0, end - 40, end), isDamage: false },
  "with a part that is not there yet": {
    half: (whole, end) => whole.slice().fill(0, end - 60, end - 20),
    isDamage: true,
  },
  "that makes the file longer": { half: (whole, end) => whole.slice(0, end - 16), isDamage: true },
};

for (const [what, { half, isDamage }] of Object.entries(halfWritten)) {
  Deno.test(`readRunningFolder() waits for a frame ${what}, and tells of it when it stays so`, async () => {
    using pauses = skipPauses();
    const disk = await diskOf({ "journal-1": ["a", "b"] });
    const whole = disk.content("journal-1");
    const written = half(whole, whole.length - 256);
    disk.setContent("journal-1", new Uint8Array(written));
    let reads = 0;
    const running = changedDisk(disk, {
      open(name: string) {
        if (++reads === 4) disk.setContent(name, whole);
        return disk.open(name);
      },
    });
    const read = await readRunningFolder(running);
    assertEquals([loginsOf(read), read.found.journals[0]?.torn, reads], [["a", "b"], undefined, 4]);

    disk.setContent("journal-1", new Uint8Array(written));
    if (isDamage) await assertRejects(() => readRunningFolder(disk), CorruptFileError);
    else assert((await readRunningFolder(disk)).found.journals[0]?.torn !== undefined);
    assertEquals(pauses.lengthsMs, [50, 200, 1_000, 50, 200, 1_000]);
  });
}

Deno.test("readRunningFolder() reads on while what it finds changes, and not for ever", async () => {
  using _pauses = skipPauses();
  const disk = await diskOf({ "journal-1": ["a"] });
  const whole = disk.content("journal-1");
  let reads = 0;
  const running = changedDisk(disk, {
    open(name: string) {
      disk.setContent(name, whole.with(40, ++reads));
      if (reads === 8) disk.setContent(name, whole);
      // Another problem each time.
      return { ...disk.open(name), path: `${name} read ${reads}` };
    },
  });
  assertEquals(loginsOf(await readRunningFolder(running)), ["a"]);
  reads = 8;
  await assertRejects(() => readRunningFolder(running), CorruptFileError);
  assertEquals(reads, 28);
});

Deno.test("readRunningFolder() refuses a folder without records, but not an empty one that was opened", async () => {
  for (const files of [{}, { "notes.txt": [], "snapshot-1.tmp": new Uint8Array(9), "lock": new Uint8Array(4) }]) {
    const disk = await diskOf(files);
    const error = await assertRejects(() => readRunningFolder(disk, { action: "verify" }), StoreFolderError);
    assert(error.message.startsWith('Cannot verify "simulated" as it contains no store: '), error.message);
  }
  assertEquals(loginsOf(await readRunningFolder(await diskOf({ "journal-1": [] }))), []);
});

function changedDisk(disk: SimulatedDisk, changes: Partial<Disk>): Disk {
  return Object.assign(
    Object.create(disk),
    { list: () => disk.list(), open: (name: string) => disk.open(name) },
    changes,
  );
}

function loginsOf({ tables }: ReadFolder): string[] {
  return Array.from(tables.users.values(), (user) => user.login);
}

async function diskOf(files: Files): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  for (const [name, content] of Object.entries(files)) {
    const generation = generationOf(name);
    const start = { generation, changesBefore: changesBefore(files, generation) };
    if (content instanceof Uint8Array) disk.setContent(name, content);
    else if ("torn" in content) disk.setContent(name, journalOf(content.torn, { start, tail: tornFrame }));
    else if (name.startsWith("snapshot")) await writeSnapshot(disk, start, { records: content.map(put) });
    else disk.setContent(name, journalOf(content, { start }));
  }
  return disk;
}

/** The changes of all earlier journals. */
function changesBefore(files: Files, generation: number): number {
  return Object.entries(files).reduce((sum, [name, content]) => {
    if (!name.startsWith("journal-") || generationOf(name) >= generation) return sum;
    return sum +
      (content instanceof Uint8Array ? 0 : "torn" in content ? content.torn.length : content.length);
  }, 0);
}

function generationOf(name: string): number {
  return Number(/\d+$/.exec(name)?.[0] ?? 0);
}

function journalOf(logins: readonly string[], options: { start: FileStart; tail?: Uint8Array }) {
  const frames = logins.map((login) => encodeFrame(encodeChanges([put(login)]), 1));
  const header = encodeFileHeader({ kind: "journal", ...options.start });
  const parts = [header, ...frames, options.tail ?? new Uint8Array(0), new Uint8Array(256)];
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function put(login: string): Change {
  return { kind: "user", record: userOf(login) };
}

function loginOf(change: Change): string {
  return "record" in change && change.kind === "user" ? change.record.login : change.kind;
}
