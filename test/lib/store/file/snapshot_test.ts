import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Change } from "../../../../lib/store.ts";
import { CorruptFileError, encodeFileHeader } from "../../../../lib/store/file/file_header.ts";
import { encodeFrame } from "../../../../lib/store/file/format.ts";
import { encodeChanges } from "../../../../lib/store/file/change.ts";
import { readSnapshot, writeSnapshot } from "../../../../lib/store/file/snapshot.ts";
import { Tables } from "../../../../lib/store/memory/tables.ts";
import { sessionOf, userOf } from "../../../support/store/records.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const records: readonly Change[] = [
  ...Array.from(
    { length: 2_500 },
    (_, index): Change => ({ kind: "user", record: userOf(`user${index}`) }),
  ),
  { kind: "session", record: sessionOf("user1", "s1") },
];

Deno.test("readSnapshot() gives back every record that writeSnapshot() was given", async () => {
  const disk = new SimulatedDisk();
  const bytes = await writeSnapshot(disk, startOf(3), { records });
  const read: Change[] = [];
  assertEquals(readSnapshot(disk, { generation: 3 }, (change) => read.push(change)), {
    ...startOf(3),
    bytes,
  });
  assertEquals(readSnapshot(disk, { name: "snapshot-3" }, () => {}), { ...startOf(3), bytes });
  assertEquals(read, [...records]);
  assertEquals(disk.content("snapshot-3").length, bytes);
});

Deno.test("writeSnapshot() of nothing is a snapshot of nothing", async () => {
  const disk = new SimulatedDisk();
  await writeSnapshot(disk, startOf(1), { records: [] });
  assertEquals(readSnapshot(disk, { generation: 1 }, () => {}).bytes, 32 + 32);
});

Deno.test("writeSnapshot() is durable with its name when it resolves", async () => {
  const disk = new SimulatedDisk();
  await writeSnapshot(disk, startOf(3), { records });
  const after = disk.afterPowerCut("nothing");
  assertEquals(after.list(), ["snapshot-3"]);
  readSnapshot(after, { generation: 3 }, () => {});
});

Deno.test("writeSnapshot() lets changes in between its chunks, and shows those it has not come to", async () => {
  const disk = new SimulatedDisk();
  const tables = new Tables();
  for (const record of records) tables.apply(record);
  const written = writeSnapshot(disk, startOf(3), { records: tables.changes() });
  let changesBetween = 0;
  disk.script = (call) => {
    if (call.kind === "write" && ++changesBetween === 2) {
      tables.apply({ kind: "user", record: userOf("user2400", { passwordHash: "changed meanwhile" }) });
    }
    return undefined;
  };
  await written;
  const hashes = new Map<string, string>();
  readSnapshot(disk, { generation: 3 }, (change) => {
    if (!("record" in change) || change.kind !== "user") return;
    hashes.set(change.record.login, change.record.passwordHash);
  });
  assertEquals([hashes.size, hashes.get("user2400")], [2_500, "changed meanwhile"]);
});

for (const kind of ["create", "write", "sync", "rename", "syncFolder"] as const) {
  Deno.test(`writeSnapshot() that fails at a ${kind} leaves the one before as it was`, async () => {
    const disk = new SimulatedDisk();
    await writeSnapshot(disk, startOf(3), { records: records.slice(0, 10) });
    disk.script = (call) => call.kind === kind ? "fail" : undefined;
    await assertRejects(() => writeSnapshot(disk, startOf(4), { records }), Error, "failed");
    assertEquals(disk.list().filter((name) => name.endsWith(".tmp")), []);
    readSnapshot(disk.afterPowerCut("nothing"), { generation: 3 }, () => {});
    readSnapshot(disk.afterPowerCut("everything"), { generation: 3 }, () => {});
  });
}

Deno.test("writeSnapshot() that cannot even remove its temporary file says why it failed", async () => {
  const disk = new SimulatedDisk();
  disk.script = (call) => call.kind === "write" || call.kind === "remove" ? "fail" : undefined;
  await assertRejects(() => writeSnapshot(disk, startOf(4), { records }), Error, "write");
  assertEquals(disk.list(), ["snapshot-4.tmp"]);
});

Deno.test("readSnapshot() refuses a snapshot cut at any frame", async () => {
  const disk = new SimulatedDisk();
  await writeSnapshot(disk, startOf(3), { records });
  const whole = disk.content("snapshot-3");
  for (const length of [31, 32, 40, 200_000, whole.length - 32, whole.length - 1]) {
    disk.setContent("snapshot-3", whole.slice(0, length));
    assertThrows(() => readSnapshot(disk, { generation: 3 }, () => {}), CorruptFileError);
  }
});

const frame = encodeFrame(encodeChanges(records.slice(0, 2)), 2);
const countOf = (count: number) => encodeFrame(new Uint8Array(new BigUint64Array([BigInt(count)]).buffer), 0);

const damaged: Record<string, { parts: Uint8Array[]; problem: string }> = {
  "without its last frame": { parts: [frame], problem: "its last frame is missing" },
  "with another count": { parts: [frame, countOf(3)], problem: "should contain 3 records and contains 2" },
  "with a count that is too short": { parts: [frame, encodeFrame(new Uint8Array(4), 0)], problem: "has 4 bytes" },
  "with a frame of fewer changes than it says": {
    parts: [encodeFrame(encodeChanges(records.slice(0, 2)), 3), countOf(3)],
    problem: "2 changes instead of 3",
  },
  "that goes on behind its last frame": { parts: [frame, countOf(2), frame], problem: "data follows its last frame" },
  "with zeros behind it": { parts: [frame, countOf(2), new Uint8Array(16)], problem: "zeros are in place" },
  "with a torn frame": { parts: [frame.with(-1, 0), countOf(2)], problem: "checksum of a frame" },
  "with a flipped bit": { parts: [frame.with(40, 0xee), countOf(2)], problem: "checksum of a frame" },
};

for (const [what, { parts, problem }] of Object.entries(damaged)) {
  Deno.test(`readSnapshot() refuses a snapshot ${what}`, () => {
    const disk = new SimulatedDisk();
    const bytes = [encodeFileHeader({ kind: "snapshot", ...startOf(3) }), ...parts].flatMap((
      part,
    ) => [...part]);
    disk.setContent("snapshot-3", new Uint8Array(bytes));
    assertThrows(() => readSnapshot(disk, { generation: 3 }, () => {}), CorruptFileError, problem);
  });
}

function startOf(generation: number) {
  return { generation, changesBefore: generation * 1_000 };
}
