/** Damaged and hostile texts: every parser returns or refuses, at once, and what it returns is bounded. */
import { assertEquals, assertInstanceOf, assertLess, assertLessOrEqual } from "@std/assert";
import { parseStoredHash, type StoredHash, wrapHash } from "../../../../lib/passwords/stored_hash.ts";
import { pbkdf2 } from "../../../support/passwords/phc.ts";
import { derive } from "../../../support/passwords/verify.ts";
import { cheapVectors, costlyVectors } from "../../../support/passwords/vectors.ts";

const cheap = cheapVectors.map(({ hash }) => hash);
const hashes = [...cheapVectors, ...costlyVectors].map(({ hash }) => hash);
const pieces = [
  "$",
  ":",
  ",",
  "=",
  "*",
  "~",
  "+",
  "-",
  ".",
  "/",
  "0",
  "1",
  "9".repeat(30),
  "1e9",
  "{SHA}",
  "é",
  "\0",
  "\n",
  "A",
];
const maxMemoryBytes = 2 ** 30 + 2 ** 20;
/** Deterministic: a failure repeats. */
const seed = 14;

Deno.test("parseStoredHash() returns or refuses 40,000 damaged texts, each within 50 ms", () => {
  const random = randomOf(seed);
  let parsed = 0;
  for (let round = 0; round < 40_000; round++) {
    const text = damaged(hashes[random(hashes.length)] ?? "", random);
    const startedAt = performance.now();
    const stored = parseOrRefuse(text);
    // A pause of the machine is no fault of the parser: slow is what is slow twice.
    if (performance.now() - startedAt > 50) assertLess(msOf(() => parseOrRefuse(text)), 50, text);
    if (stored === undefined) continue;
    parsed++;
    assertLessOrEqual(stored.memoryBytes, maxMemoryBytes, text);
  }
  // Otherwise the damage is so large that only the first check is tested.
  assertLess(1_000, parsed);
});

Deno.test("parseStoredHash() derives what it accepts of damaged texts, of the length of the digest", async () => {
  const random = randomOf(seed + 1);
  for (let round = 0; round < 2_000; round++) {
    const text = damaged(cheap[random(cheap.length)] ?? "", random);
    const stored = parseOrRefuse(text);
    if (stored === undefined || !isCheap(stored)) continue;
    assertEquals((await derive(stored, new Uint8Array(3))).length, stored.digest.length, text);
  }
});

Deno.test("wrapHash() makes of every fast damaged text one that is accepted, and no longer fast", async () => {
  const random = randomOf(seed + 2);
  for (let round = 0; round < 2_000; round++) {
    const text = damaged(cheap[random(cheap.length)] ?? "", random);
    const stored = parseOrRefuse(text);
    if (stored === undefined || !stored.isFast) continue;
    const wrapped = parseStoredHash(await wrapHash(text, pbkdf2(1)));
    assertEquals([wrapped.isFast, wrapped.work], [false, `${stored.work} > pbkdf2-sha256 i=1`], text);
  }
});

Deno.test("parseStoredHash() takes at most 50 ms for repeated pieces of 2,048 characters", () => {
  for (const head of ["", ...new Set(cheap.map((hash) => hash.slice(0, 8)))]) {
    for (const piece of pieces) {
      const text = (head + piece.repeat(2_048)).slice(0, 2_048);
      parseOrRefuse(text);
      assertLess(msOf(() => parseOrRefuse(text)), 50, text.slice(0, 20));
    }
  }
});

function parseOrRefuse(text: string): StoredHash | undefined {
  try {
    return parseStoredHash(text);
  } catch (error) {
    assertInstanceOf(error, RangeError, text);
    return undefined;
  }
}

/** Few iterations and little memory: a damaged cost may be a thousand times the cost of the vector. */
function isCheap({ work, memoryBytes }: StoredHash): boolean {
  const cost = [...work.matchAll(/\d+/g)].reduce((product, [number]) => product * Math.max(1, Number(number)), 1);
  // That of bcrypt is a logarithm.
  const isLogarithm = work.includes("bcrypt");
  return memoryBytes < 2 ** 22 && cost < (isLogarithm ? 8 : 2 ** 24);
}

/** One to three changes: a part removed, repeated, replaced by a piece, or a digit changed. */
function damaged(hash: string, random: (below: number) => number): string {
  let text = hash;
  for (let changes = random(3); changes >= 0; changes--) {
    const start = random(text.length + 1);
    const end = start + random(4);
    const [head, part, tail] = [text.slice(0, start), text.slice(start, end), text.slice(end)];
    const piece = pieces[random(pieces.length)] ?? "";
    const middles = [
      tail === "" ? piece : "",
      part + part,
      piece,
      part + piece,
      part.replace(/\d/, () => `${random(10)}`),
    ];
    text = head + middles[random(middles.length)] + tail;
  }
  return text;
}

/** Numbers of a linear congruential generator (Numerical Recipes). */
function randomOf(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

function msOf(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
