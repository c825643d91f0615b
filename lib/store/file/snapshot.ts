/**
 * The whole state in one file: what a journal is replayed over.
 *
 * It is written while requests are served and change the state, a chunk at a time, so it shows no single moment:
 * some records are as they were at the start, some as at the end. It need not be exact. Every change made since it
 * was begun is in the journal of its generation, and a change replayed over a record that has it already does
 * nothing. Snapshot and journal together are exact.
 */

import { Buffer } from "node:buffer";
import type { Change } from "../../store.ts";
import { encodeChanges } from "../change.ts";
import { createWhole, type Disk, type DiskFile } from "./disk.ts";
import { encodeFrame, readFrames } from "./frame.ts";
import { CorruptFileError, encodeFileHeader, fileHeaderBytes, readFileHeader } from "./header.ts";
import { decodeFrame, type JournalStart } from "./journal_file.ts";

/** Records in a frame: some 70 kB, serialized in about 0.5 ms, which is the longest that a request waits for it. */
const frameRecords = 500;
/** Bytes of the payload of the last frame: a count of records. */
const countBytes = 8;

/** The name of the file of a generation. */
export function snapshotName(generation: number): string {
  return `snapshot-${generation}`;
}

/**
 * Writes the snapshot that the journal of the same start goes on from; it is there whole or not at all.
 *
 * @param records may change between two of them, see above
 * @returns bytes of the file
 */
export async function writeSnapshot(
  disk: Disk,
  start: JournalStart,
  options: { records: Iterable<Change>; name?: string },
): Promise<number> {
  const { records, name = snapshotName(start.generation) } = options;
  let offset = 0;
  const file = await createWhole(disk, name, async (file) => {
    offset = await append(file, encodeFileHeader({ kind: "snapshot", ...start }), offset);
    let count = 0;
    for (const chunk of chunks(records, frameRecords)) {
      // Waiting for each write is what lets requests in between.
      offset = await append(file, encodeFrame(encodeChanges(chunk), chunk.length), offset);
      count += chunk.length;
    }
    const total = Buffer.alloc(countBytes);
    total.writeBigUInt64LE(BigInt(count));
    offset = await append(file, encodeFrame(total, 0), offset);
  });
  file.close();
  return offset;
}

/** A snapshot as found on the disk. */
export interface FoundSnapshot extends JournalStart {
  /** Of the file. */
  readonly bytes: number;
}

/**
 * Reads a snapshot and hands on its records.
 *
 * @param which that of a generation, or a file of any name and generation
 * @throws {CorruptFileError} it is damaged or not whole
 */
export function readSnapshot(
  disk: Disk,
  which: { generation: number } | { name: string },
  onChange: (change: Change) => void,
): FoundSnapshot {
  const file = disk.open("name" in which ? which.name : snapshotName(which.generation));
  try {
    const header = readFileHeader(file, {
      kind: "snapshot",
      ..."generation" in which ? { generation: which.generation } : {},
    });
    let count = 0;
    let total: number | undefined;
    let lastOffset = fileHeaderBytes;
    const end = readFrames(file, (frame) => {
      const { payload, changeCount, offset } = frame;
      if (total !== undefined) {
        throw new CorruptFileError(file.path, offset, "it goes on behind its last frame");
      }
      lastOffset = offset;
      if (changeCount === 0) {
        if (payload.length !== countBytes) {
          throw new CorruptFileError(file.path, offset, `its last frame has ${payload.length} bytes`);
        }
        total = Number(payload.readBigUInt64LE());
        return;
      }
      count += changeCount;
      for (const change of decodeFrame(file, frame)) onChange(change);
    });
    // A snapshot gets its name when it is whole and synced, so no broken frame in it is a torn one.
    if (end.reason !== "file") {
      throw new CorruptFileError(file.path, end.offset, end.problem || "zeros stand in place of a frame");
    }
    if (total === undefined) {
      throw new CorruptFileError(file.path, end.offset, "it was cut: its last frame is missing");
    }
    if (total !== count) {
      throw new CorruptFileError(file.path, lastOffset, `it should hold ${total} records and holds ${count}`);
    }
    return { generation: header.generation, changesBefore: header.changesBefore, bytes: end.offset };
  } finally {
    file.close();
  }
}

async function append(file: DiskFile, bytes: Uint8Array<ArrayBuffer>, offset: number): Promise<number> {
  await file.write(bytes, offset);
  return offset + bytes.length;
}

function* chunks<Item>(items: Iterable<Item>, size: number): Generator<Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
