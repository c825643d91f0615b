import { crc32 } from "node:zlib";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { encodeFileHeader } from "../../../../lib/store/file/file_header.ts";
import { encodeFrame, FrameTooLongError, maxFrameBytes } from "../../../../lib/store/file/format.ts";
import { type FrameEnd, readFrames } from "../../../../lib/store/file/frame_reader.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const header = encodeFileHeader({ kind: "journal", generation: 7, changesBefore: 1_000 });
const zeros = new Uint8Array(64);

/** 1,200 bytes of text: its frame of 1,232 covers at least one whole sector wherever it stands. */
const long = new TextEncoder().encode("0123456789".repeat(120));
const short = new TextEncoder().encode("short");

Deno.test("encodeFrame() makes frames that end with 0xFF at a multiple of 16", () => {
  for (let length = 0; length < 40; length++) {
    const frame = encodeFrame(new Uint8Array(length), 1);
    assertEquals([frame.length % 16, frame.at(-1)], [0, 0xff]);
    assert(frame.length >= length + 17 && frame.length < length + 33);
  }
});

Deno.test("encodeFrame() makes a frame of the limit, and none that is longer", () => {
  assertEquals(encodeFrame(new Uint8Array(239), 1, { maxBytes: 256 }).length, 256);
  assertThrows(() => encodeFrame(new Uint8Array(240), 1, { maxBytes: 256 }), FrameTooLongError, "272 bytes");
  // What readFrames() refuses is the limit by default.
  assertThrows(() => encodeFrame(new Uint8Array(maxFrameBytes - 16), 1), FrameTooLongError, `${maxFrameBytes}`);
});

Deno.test("readFrames() hands on each payload, its count of changes and its offset", () => {
  const frames: unknown[] = [];
  const end = readFrames(
    fileOf(header, encodeFrame(short, 3), encodeFrame(long, 4), zeros),
    ({ payload, changeCount, offset }) => frames.push([payload.toString(), changeCount, offset]),
  );
  assertEquals(frames, [["short", 3, 32], [new TextDecoder().decode(long), 4, 64]]);
  assertEquals(end, { offset: 64 + 1_232, reason: "zeros", problem: "" });
});

Deno.test("readFrames() reads frames that are longer than its buffer, and that straddle it", () => {
  const large = new Uint8Array(5 * 1024 * 1024).fill(0x41);
  const lengths: number[] = [];
  const file = fileOf(
    header,
    encodeFrame(short, 1),
    encodeFrame(large, 1),
    encodeFrame(long, 1),
    encodeFrame(large, 1),
  );
  const end = readFrames(file, ({ payload }) => lengths.push(payload.length));
  assertEquals(lengths, [5, large.length, 1_200, large.length]);
  assertEquals(end.reason, "file");
});

/** What stands behind a whole frame, and what it is taken for. */
const tails: Record<string, { tail: Uint8Array[]; reason: FrameEnd["reason"] }> = {
  "nothing": { tail: [], reason: "file" },
  "fewer bytes than a header": { tail: [zeros.subarray(0, 15)], reason: "damaged" },
  "exactly a header of zeros": { tail: [zeros.subarray(0, 16)], reason: "zeros" },
  "zeros": { tail: [zeros], reason: "zeros" },
  "a frame cut by the file's end": { tail: [encodeFrame(long, 1).subarray(0, 600)], reason: "damaged" },
  "a header cut short, then zeros": { tail: [encodeFrame(long, 1).subarray(0, 9), zeros], reason: "torn" },
  "a header alone, then zeros": {
    tail: [encodeFrame(long, 1).subarray(0, 16), new Uint8Array(1_300)],
    reason: "torn",
  },
  "half a frame, then zeros": {
    tail: [encodeFrame(long, 1).subarray(0, 300), new Uint8Array(1_000)],
    reason: "torn",
  },
  "a frame without its end mark": { tail: [changedAt(encodeFrame(long, 1), -1, 0), zeros], reason: "torn" },
  "a frame without its first sector": { tail: [without(encodeFrame(long, 1), 0, 128), zeros], reason: "torn" },
  "a frame without its header alone": { tail: [without(encodeFrame(long, 1), 0, 16), zeros], reason: "torn" },
  "a frame without half of its header": { tail: [without(encodeFrame(long, 1), 0, 8), zeros], reason: "damaged" },
  "a frame without its header alone, then a whole one": {
    tail: [without(encodeFrame(long, 1), 0, 16), encodeFrame(short, 1), zeros],
    reason: "damaged",
  },
  "a frame without a whole sector": {
    tail: [without(encodeFrame(long, 1), 128, 640), zeros],
    reason: "torn",
  },
  "a frame without half a sector": {
    tail: [without(encodeFrame(long, 1), 200, 400), zeros],
    reason: "damaged",
  },
  "a header with a flipped bit": {
    tail: [changedAt(encodeFrame(long, 1), 5, 0xff), zeros],
    reason: "damaged",
  },
  "a payload with a flipped bit": {
    tail: [changedAt(encodeFrame(long, 1), 99, 0xff), zeros],
    reason: "damaged",
  },
  "padding with a flipped bit": { tail: [changedAt(encodeFrame(short, 1), 25, 1), zeros], reason: "damaged" },
  "an end mark with a flipped bit": {
    tail: [changedAt(encodeFrame(long, 1), -1, 0xfe), zeros],
    reason: "damaged",
  },
  "a torn frame, then a whole one": {
    tail: [changedAt(encodeFrame(long, 1), -1, 0), encodeFrame(short, 1), zeros],
    reason: "damaged",
  },
  "a frame without its first sector, then a whole one": {
    tail: [without(encodeFrame(long, 1), 0, 128), encodeFrame(short, 1), zeros],
    reason: "damaged",
  },
};

for (const [what, { tail, reason }] of Object.entries(tails)) {
  Deno.test(`readFrames() takes ${what} for ${reason}`, () => {
    // 32 bytes of header and 352 of frame: the long frame begins at 384, and its whole sectors at 512 and 1,024.
    const before = encodeFrame(new TextEncoder().encode("x".repeat(330)), 1);
    const payloads: string[] = [];
    const end = readFrames(fileOf(header, before, ...tail), ({ payload }) => payloads.push(payload.toString()));
    assertEquals(payloads, ["x".repeat(330)]);
    assertEquals([end.reason, end.offset], [reason, 384]);
    assertEquals(end.problem === "", reason === "zeros" || reason === "file");
  });
}

Deno.test("readFrames() does not take a frame of impossible length for one", () => {
  const frame = encodeFrame(short, 1);
  // The header says 300 MB, and its checksum is right: the length must not be believed and allocated.
  const huge = encodeFrame(new Uint8Array(0), 1);
  new DataView(huge.buffer).setUint32(0, 300_000_000, true);
  const forged = withHeaderChecksum(huge);
  assertEquals(readFrames(fileOf(header, frame, forged, zeros), () => {}).reason, "damaged");
});

Deno.test("readFrames() does not look through a file that is longer than a torn frame can make it", () => {
  const start = fileOf(header, encodeFrame(short, 1));
  const read = (buffer: Uint8Array<ArrayBuffer>, offset: number) => {
    buffer.fill(0);
    start.read(buffer, offset);
    return buffer.length;
  };
  const end = readFrames({ ...start, read, size: () => 2 ** 40 }, () => {});
  const problem = `${2 ** 40 - 64} bytes follow the last intact frame`;
  assertEquals(end, { offset: 64, reason: "damaged", problem });
  const broken = fileOf(header, changedAt(encodeFrame(long, 1), -1, 0));
  const readBroken = (buffer: Uint8Array<ArrayBuffer>, offset: number) => {
    buffer.fill(0);
    broken.read(buffer, offset);
    return buffer.length;
  };
  assertEquals(readFrames({ ...broken, read: readBroken, size: () => 2 ** 40 }, () => {}).reason, "damaged");
  const whole = readFrames({ ...start, read, size: () => 64 + 64 * 1024 * 1024 }, () => {});
  assertEquals(whole, { offset: 64, reason: "zeros", problem: "" });
});

Deno.test("readFrames() takes bounded time for headers behind a broken frame, and more than a few for damage", () => {
  // Each claims all that follows, but for the end, and its checksum is wrong.
  const crafted = (headerCount: number) => {
    const bytes = new Uint8Array(headerCount * 16 + 16);
    for (let at = 0; at < headerCount * 16; at += 16) {
      const header = encodeFrame(new Uint8Array(0), 1).subarray(0, 16);
      new DataView(header.buffer).setUint32(0, headerCount * 16 - at - 1, true);
      bytes.set(withHeaderChecksum(header).subarray(0, 16), at);
    }
    return fileOf(header, bytes);
  };
  assertEquals(readFrames(crafted(4), () => {}).reason, "torn");
  const startedAt = performance.now();
  assertEquals(readFrames(crafted(60_000), () => {}).reason, "damaged");
  assertLess(performance.now() - startedAt, 2_000);
});

function fileOf(...parts: readonly Uint8Array[]) {
  const disk = new SimulatedDisk();
  disk.setContent("file", new Uint8Array(parts.flatMap((part) => [...part])));
  return disk.open("file");
}

function changedAt(bytes: Uint8Array, index: number, value: number): Uint8Array {
  return bytes.with(index < 0 ? bytes.length + index : index, value);
}

/** Zeros in place of the bytes from `start` to `end`; the frame begins at byte 384 of the file. */
function without(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.map((byte, index) => index >= start && index < end ? 0 : byte);
}

function withHeaderChecksum(frame: Uint8Array<ArrayBuffer>): Uint8Array {
  new DataView(frame.buffer).setUint32(12, crc32(frame.subarray(0, 12)), true);
  return frame;
}
