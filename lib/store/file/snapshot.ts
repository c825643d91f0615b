/**
 * All tables in one file; a journal continues it.
 *
 * It is written a chunk at a time while requests change the tables, so it shows no single moment: some records are as
 * at the start, some as at the end. That is enough. Every change since the start is in the journal of its generation,
 * and applying a change twice equals applying it once, so snapshot and journal together are exact.
 */

import { Buffer } from "node:buffer";
import type { Change } from "../../store.ts";
import { encodeChanges } from "./change.ts";
import type { Disk } from "./disk.ts";
import { CorruptFileError, encodeFileHeader, type FileStart, readFileHeader } from "./file_header.ts";
import { encodeFrame, fileHeaderBytes } from "./format.ts";
import { decodeFrame, readFrames } from "./frame_reader.ts";
import { createWhole } from "./whole_file.ts";

/** Records in a frame: about 70 kB, serialized in about 0.5 ms, which is the longest delay of a request. */
const frameRecords = 500;
/** Bytes of the payload of the last frame: the number of records. */
const countBytes = 8;

/** The name of the snapshot of a generation. */
function snapshotName(generation: number): string {
  return `snapshot-${generation}`;
}

/**
 * Writes a snapshot, wholly or not at all, that the journal with the same start continues.
 *
 * @param options.records may change while they are written, see above
 * @returns bytes of the file
 */
export async function writeSnapshot(
  disk: Disk,
  start: FileStart,
  { records, name = snapshotName(start.generation) }: { records: Iterable<Change>; name?: string },
): Promise<number> {
  let offset = 0;
  using _file = await createWhole(disk, name, async (file) => {
    const append = async (bytes: Uint8Array<ArrayBuffer>) => {
      // Requests are served while each write is awaited.
      await file.write(bytes, offset);
      offset += bytes.length;
    };
    await append(encodeFileHeader({ kind: "snapshot", ...start }));
    let count = 0;
    for (const chunk of chunks(records, frameRecords)) {
      await append(encodeFrame(encodeChanges(chunk), chunk.length));
      count += chunk.length;
    }
    const total = Buffer.alloc(countBytes);
    total.writeBigUInt64LE(BigInt(count));
    await append(encodeFrame(total, 0));
  });
  return offset;
}

/**
 * Reads a snapshot and passes on its records.
 *
 * @param which the snapshot of a generation, or a file of any name and generation
 * @returns with the bytes of the file
 * @throws {CorruptFileError} it is damaged or incomplete
 */
export function readSnapshot(
  disk: Disk,
  which: { generation: number } | { name: string },
  onChange: (change: Change) => void,
): FileStart & { readonly bytes: number } {
  using file = disk.open("name" in which ? which.name : snapshotName(which.generation));
  const { isOld: _isOld, ...start } = readFileHeader(file, { kind: "snapshot", ...which });
  let count = 0;
  let total: number | undefined;
  let lastOffset = fileHeaderBytes;
  const end = readFrames(file, (frame) => {
    const { payload, changeCount, offset } = frame;
    if (total !== undefined) throw new CorruptFileError(file, offset, "data follows its last frame");
    lastOffset = offset;
    if (changeCount === 0) {
      if (payload.length !== countBytes) {
        throw new CorruptFileError(file, offset, `its last frame has ${payload.length} bytes`);
      }
      total = Number(payload.readBigUInt64LE());
      return;
    }
    count += changeCount;
    for (const change of decodeFrame(file, frame)) onChange(change);
  });
  // A snapshot gets its name after it is complete and synced, so a broken frame is never a torn one.
  if (end.reason !== "file") {
    throw new CorruptFileError(file, end.offset, end.problem || "zeros are in place of a frame");
  }
  if (total === undefined) throw new CorruptFileError(file, end.offset, "it was cut short: its last frame is missing");
  if (total !== count) {
    throw new CorruptFileError(file, lastOffset, `it should contain ${total} records and contains ${count}`);
  }
  return { ...start, bytes: end.offset };
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
