/** Every hash of `hashes.json`, which the programs made that it names, and those of `kinds/vectors.jsonl`. */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { parseStoredHash, wrapHash } from "../../../lib/passwords/stored_hash.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import { isHashOf } from "../../support/passwords/verify.ts";
import { cheapVectors, costlyVectors, type Vector } from "../../support/passwords/vectors.ts";

const isRefused = ({ by }: Vector) => by.includes("yescrypt");

for (const vector of costlyVectors.filter((vector) => !isRefused(vector))) {
  Deno.test(`parseStoredHash() verifies the hash of ${vector.by}`, () => verify(vector));
}
for (const { by, hash } of costlyVectors.filter(isRefused)) {
  Deno.test(`parseStoredHash() refuses the hash of ${by} with advice`, () => {
    assertThrows(() => parseStoredHash(hash), RangeError, "it is yescrypt, which Gatehouse does not compute: invite");
  });
}
for (const [by, vectors] of Map.groupBy(cheapVectors, ({ by }) => by)) {
  Deno.test(`parseStoredHash() verifies the ${vectors.length} hashes of ${by}`, async () => {
    for (const vector of vectors) await verify(vector);
  });
}

async function verify({ password, hash }: Vector): Promise<void> {
  const { isFast } = parseStoredHash(hash);
  assert(await isHashOf(password, hash));
  // At its start, as bcrypt ignores what follows 72 bytes.
  assertFalse(await isHashOf(`!${password}`, hash));
  if (!isFast) return;
  const wrapped = await wrapHash(hash, pbkdf2(2));
  assertEquals(parseStoredHash(wrapped).isFast, false);
  assert(await isHashOf(password, wrapped));
  assertFalse(await isHashOf(`!${password}`, wrapped));
}
