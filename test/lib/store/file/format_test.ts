import { assert, assertEquals, assertThrows } from "@std/assert";
import { CorruptFileError, encodeFileHeader, readFileHeader } from "../../../../lib/store/file/file_header.ts";
import { fileHeaderBytes } from "../../../../lib/store/file/format.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const header = encodeFileHeader({ kind: "journal", generation: 7, changesBefore: 1_000 });

Deno.test("readFileHeader() gives back what encodeFileHeader() was given", () => {
  const start = { generation: 4_294_967_295, changesBefore: 2 ** 52 };
  const last = { kind: "snapshot", ...start } as const;
  assertEquals(readFileHeader(fileOf(encodeFileHeader(last)), last), { ...start, isOld: false });
  assertEquals(readFileHeader(fileOf(encodeFileHeader(last)), { kind: "snapshot" }), { ...start, isOld: false });
});

Deno.test("readFileHeader() reads what earlier formats have, and says that it is old", () => {
  const start = { generation: 7, changesBefore: 1_000 };
  for (const version of [1, 2, 3, 4]) {
    const file = fileOf(encodeFileHeader({ kind: "journal", ...start }, version));
    assertEquals(readFileHeader(file, { kind: "journal" }), { ...start, isOld: true });
  }
});

Deno.test("readFileHeader() refuses a later format in one line that says what to do", () => {
  const later = encodeFileHeader({ kind: "journal", generation: 7, changesBefore: 1_000 }, 6);
  const { message } = assertThrows(() => readFileHeader(fileOf(later), { kind: "journal" }), Error);
  assertEquals(
    message,
    'Cannot read "simulated/file" as a newer version of Gatehouse wrote it (its format has version 6, and this ' +
      "program reads up to 5): start that version",
  );
});

const badHeaders: Record<string, { bytes: Uint8Array; offset: number; problem: string }> = {
  "an empty file": { bytes: new Uint8Array(0), offset: 0, problem: "ends within its header" },
  "half a header": { bytes: header.subarray(0, 20), offset: 20, problem: "ends within its header" },
  "another program's file": {
    bytes: changedAt(header, 0, 0x67),
    offset: 0,
    problem: 'does not begin with "GATEHOUSE"',
  },
  "a later version, or damage": { bytes: changedAt(header, 10, 6), offset: 10, problem: "version 6" },
  "a version before the first": {
    bytes: encodeFileHeader({ kind: "journal", generation: 7, changesBefore: 1_000 }, 0),
    offset: 9,
    problem: "not that of journal 7",
  },
  "another kind": {
    bytes: encodeFileHeader({ kind: "snapshot", generation: 7, changesBefore: 1_000 }),
    offset: 9,
    problem: "not that of journal 7",
  },
  "another generation": {
    bytes: encodeFileHeader({ kind: "journal", generation: 8, changesBefore: 1_000 }),
    offset: 9,
    problem: "not that of journal 7",
  },
  "a wrong checksum": { bytes: changedAt(header, 25, 0xaa), offset: 9, problem: "not that of journal 7" },
  "another count of changes": {
    bytes: changedAt(header, 16, 0xe9),
    offset: 9,
    problem: "not that of journal 7",
  },
  "more changes than can be counted": {
    bytes: encodeFileHeader({ kind: "journal", generation: 7, changesBefore: 2 ** 53 }),
    offset: 9,
    problem: "not that of journal 7",
  },
  "a count of changes that is no number of JavaScript": {
    bytes: header.slice().fill(0xff, 16, 24),
    offset: 9,
    problem: "not that of journal 7",
  },
  "padding that is not zero": {
    bytes: changedAt(header, 31, 1),
    offset: 9,
    problem: "not that of journal 7",
  },
};

for (const [what, { bytes, offset, problem }] of Object.entries(badHeaders)) {
  Deno.test(`readFileHeader() refuses ${what}`, () => {
    const error = assertThrows(
      () => readFileHeader(fileOf(bytes), { kind: "journal", generation: 7 }),
      CorruptFileError,
      problem,
    );
    assertEquals([error.path, error.offset], ["simulated/file", offset]);
    assert(error.message.includes('"simulated/file"') && error.message.includes(`byte ${offset}`));
    assert(error.message.includes("Nothing was changed"));
  });
}

Deno.test("encodeFileHeader() has the length that frames begin at", () => {
  assertEquals(header.length, fileHeaderBytes);
});

function fileOf(bytes: Uint8Array<ArrayBufferLike>) {
  const disk = new SimulatedDisk();
  disk.setContent("file", new Uint8Array(bytes));
  return disk.open("file");
}

function changedAt(bytes: Uint8Array, index: number, value: number): Uint8Array {
  return bytes.with(index, value);
}
