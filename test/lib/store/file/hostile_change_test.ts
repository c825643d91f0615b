// What becomes of bytes that `encodeChanges` has not made.
import { serialize } from "node:v8";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import type { Change } from "../../../../lib/store.ts";
import { decodeChanges, encodeChanges } from "../../../../lib/store/file/change.ts";
import { recordsOf } from "../../../support/store/records.ts";

Deno.test("decodeChanges() takes time in proportion to its bytes, whatever refers to whatever", () => {
  const run = [2, Array.from({ length: 20_000 }, (_, index) => `user${index}`)];
  const bytes = serialize(Array(100_000).fill(run));
  const startedAt = performance.now();
  assertThrows(() => decodeChanges(bytes), TypeError, "Invalid changes: ");
  assertLess(performance.now() - startedAt, 2_000);
});

/** Bytes of a clone: a list of `count` items, each of which is `item`. */
function listOf(count: number, item: readonly number[]): Uint8Array {
  const items = Array.from({ length: count }, () => item).flat();
  return new Uint8Array([0xff, 0x0f, 0x41, ...varint(count), ...items, 0x24, 0, ...varint(count)]);
}

/** As V8 writes it, 7 bits a byte. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...varint(value >>> 7)];
}

Deno.test("decodeChanges() makes no room for items that are not there", () => {
  // In one process of 4 GB V8 ends it, which nothing can catch.
  const holes = varint(8_388_607);
  const hostile = {
    "lists with holes alone": listOf(20, [0x61, ...holes, 0x40, 0, ...holes]),
    "a list in each list": new Uint8Array([
      0xff,
      0x0f,
      ...Array(1_000).fill([0x41, ...varint(500_000)]).flat(),
      ...new Uint8Array(500_000).fill(0x54),
    ]),
    "a length of six bytes": new Uint8Array([0xff, 0x0f, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x54, 0x24, 0, 1]),
    "an older version of clones": new Uint8Array([0xff, 0x0c, 0x41, 0, 0x24, 0, 0]),
  };
  for (const [what, bytes] of Object.entries(hostile)) {
    const before = Deno.memoryUsage().rss;
    assertThrows(() => decodeChanges(bytes), TypeError, "Invalid changes: ", what);
    assertLess(Deno.memoryUsage().rss - before, 50_000_000, what);
  }
});

Deno.test("decodeChanges() takes a list that V8 wrote by index, as if it had holes", () => {
  const logins = ["alice", "bob"].map((login) => login);
  delete logins[2];
  const run = new Array(2);
  run[0] = 2;
  run[1] = logins;
  assertEquals(serialize([run]).includes(0x61), true);
  assertEquals(decodeChanges(serialize([run])).length, 2);
});

Deno.test("decodeChanges() refuses bytes that are no structured clone, and one nested too deeply", () => {
  assertThrows(() => decodeChanges(new Uint8Array([1, 2, 3])));
  // Each pair of bytes begins a list of one item.
  const nested = new Uint8Array(2_000_000).map((_, index) => index % 2 === 0 ? 0x41 : 1);
  assertThrows(() => decodeChanges(new Uint8Array([0xff, 0x0f, ...nested])), RangeError);
});

Deno.test("decodeChanges() makes of damaged bytes an error, or changes that are whole", () => {
  const whole = encodeChanges(recordsOf(3));
  let accepted = 0;
  for (let round = 0; round < 4_000; round++) {
    const bytes = new Uint8Array(whole);
    // Beginning with each byte in turn; by a factor of its own, the values differ in each round.
    for (let count = 0; count <= round % 3; count++) bytes[(round * (7 * count + 1)) % bytes.length] = round * 31 % 256;
    const found = decoded(bytes);
    if (found === undefined) continue;
    accepted++;
    assertEquals(decodeChanges(encodeChanges(found)), found);
  }
  assert(accepted > 200 && accepted < 3_800, `${accepted}`);
});

function decoded(bytes: Uint8Array): Change[] | undefined {
  try {
    return decodeChanges(bytes);
  } catch (error) {
    assert(error instanceof Error);
    return undefined;
  }
}
