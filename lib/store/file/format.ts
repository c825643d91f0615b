/**
 * The format of snapshots and journals: a header, then frames. Numbers are unsigned and little-endian.
 *
 *     file   := header frame*
 *     header := "GATEHOUSE" · kind "S" or "J" · version u16 · generation u32 · changes u64 made before the file
 *               · crc32 u32 of all before · zeros to 32 bytes
 *     frame  := length u32 · crc32 u32 of the payload · changes u32 · crc32 u32 of the twelve bytes before
 *               · payload of `length` bytes (see change.ts) · zeros · 0xFF, so that it ends at a multiple of 16
 *
 * A snapshot ends with a frame of 0 changes, whose payload is the total number of changes, and then the file ends. A
 * journal is extended with zeros before frames overwrite them, so at least 16 zero bytes follow its last frame: a file
 * that was cut short lacks them. A write over existing bytes also syncs in 0.6 of the time, as the size stays.
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/** Bytes of the header of a file. */
export const fileHeaderBytes = 32;
/** Bytes of the header of a frame, the alignment of frames, and the zeros that follow the last frame of a journal. */
export const frameHeaderBytes = 16;
/** Bytes of the longest frame that is read or written: a longer one could exhaust the memory. */
export const maxFrameBytes = 256 * 1024 * 1024;
/** The last byte of each frame. */
export const endMark = 0xff;

/** A frame would be longer than a reader accepts. */
export class FrameTooLongError extends RangeError {
  override name = "FrameTooLongError";
}

/**
 * Returns a frame around a payload of `changeCount` changes.
 *
 * @throws {FrameTooLongError} the frame would have more than `maxBytes`
 */
export function encodeFrame(
  payload: Uint8Array,
  changeCount: number,
  { maxBytes = maxFrameBytes }: { readonly maxBytes?: number } = {},
): Uint8Array<ArrayBuffer> {
  const length = frameBytes(payload.length);
  if (length > maxBytes) {
    throw new FrameTooLongError(`Cannot write a frame of ${length} bytes: the limit is ${maxBytes} bytes`);
  }
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeUInt32LE(crc32(payload), 4);
  bytes.writeUInt32LE(changeCount, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  bytes.set(payload, frameHeaderBytes);
  bytes[bytes.length - 1] = endMark;
  return bytes;
}

/** Returns the bytes of a frame: header, payload and end mark, up to the next multiple of 16. */
export function frameBytes(payloadBytes: number): number {
  const bytes = frameHeaderBytes + payloadBytes + 1;
  return bytes + (-bytes & (frameHeaderBytes - 1));
}
