/**
 * The check that a structured clone is harmless, before it is deserialized.
 *
 * A clone is a sequence of tags, each followed by its data (V8, `value-serializer.cc`). Only lists, texts, numbers and
 * booleans pass, so the memory and time of deserializing them are linear in the number of bytes.
 */

/** The version of clones that V8 has written since format 1; in earlier ones the tags have other meanings. */
const minVersion = 15;
const tags = {
  version: 0xff,
  padding: 0x00,
  text: 0x22,
  wideText: 0x63,
  integer: 0x49,
  double: 0x4e,
  true: 0x54,
  false: 0x46,
  list: 0x41,
  listEnd: 0x24,
  // V8 writes a list by index if it may have holes.
  listByIndex: 0x61,
  listByIndexEnd: 0x40,
} as const;

/**
 * Checks that a clone holds only plain values, and lists no longer than their items take bytes. V8 allocates a list
 * before it reads the items: 200 empty lists of 11 bytes each exhausted the memory, which ends the process. References
 * to earlier lists are refused too: at 2 bytes each, 1 MB of them could expand to 10,000,000,000 changes.
 *
 * @throws {TypeError} the bytes are no such clone
 */
export function requirePlainClone(bytes: Uint8Array): void {
  let at = 2;
  let itemCount = 0;
  const readNumber = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new TypeError("Invalid changes: a number in the clone is too long");
  };
  if (bytes[0] !== tags.version || (bytes[1] ?? 0) < minVersion) throw new TypeError("Invalid changes: no clone");
  while (at < bytes.length) {
    const tag = bytes[at++];
    if (tag === tags.text || tag === tags.wideText) {
      // In a statement of its own: `at += readNumber()` would add to the old value of `at`.
      const length = readNumber();
      at += length;
    } else if (tag === tags.integer) readNumber();
    else if (tag === tags.double) at += 8;
    else if (tag === tags.list || tag === tags.listByIndex) itemCount += readNumber();
    else if (tag === tags.listEnd || tag === tags.listByIndexEnd) (readNumber(), readNumber());
    else if (tag !== tags.true && tag !== tags.false && tag !== tags.padding) {
      throw new TypeError(`Invalid changes: the clone has an unexpected value at byte ${at - 1}`);
    }
    if (itemCount > bytes.length) throw new TypeError("Invalid changes: a list is longer than its items");
  }
}
