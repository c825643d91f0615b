import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { Decoys, type WorkShare } from "../../../lib/passwords/decoys.ts";

const salt = "A".repeat(22);
const logins = Array.from({ length: 2_000 }, (_, index) => `user${index}`);

/** PBKDF2 of so many iterations. */
function shareOf(iterations: number, count: number): WorkShare {
  const work = `pbkdf2-sha256 i=${iterations}`;
  return { work, count, example: `$pbkdf2-sha256$i=${iterations}$${salt}$${"B".repeat(43)}` };
}

const shares = [shareOf(1, 100), shareOf(2, 200), shareOf(3, 700)];

function decoysOf(works: readonly WorkShare[], key = "key"): Decoys {
  const decoys = new Decoys(key);
  decoys.update(works);
  return decoys;
}

/** The works that all logins draw. */
function drawsOf(decoys: Decoys): readonly (string | undefined)[] {
  return logins.map((login) => decoys.hashOf(login)?.work);
}

Deno.test("Decoys draw works in proportion to their counts", () => {
  const draws = drawsOf(decoysOf(shares));
  for (const { work, count } of shares) {
    const drawn = draws.filter((draw) => draw === work).length;
    // The standard deviation is 20 at most.
    assertLess(Math.abs(drawn - 2 * count), 90, `${work}: ${drawn}`);
  }
});

Deno.test("Decoys draw the same for a login each time, by every instance, in any order of the works", () => {
  const decoys = decoysOf(shares);
  const draws = drawsOf(decoys);
  assertEquals(drawsOf(decoys), draws);
  assertEquals(drawsOf(decoysOf(shares.toReversed())), draws);
});

Deno.test("Decoys draw otherwise with another key", () => {
  const [draws, others] = [drawsOf(decoysOf(shares)), drawsOf(decoysOf(shares, "other"))];
  // Two independent draws differ with 1 - (0.1² + 0.2² + 0.7²) = 0.46.
  const differing = draws.filter((draw, index) => draw !== others[index]).length;
  assertLess(Math.abs(differing - 920), 90);
});

Deno.test("Decoys draw the same for nearly all logins after some users were hashed again", () => {
  const before = drawsOf(decoysOf(shares));
  const after = drawsOf(decoysOf([shareOf(1, 95), shareOf(2, 200), shareOf(3, 705)]));
  const changed = before.flatMap((work, index) => work === after[index] ? [] : [`${work} to ${after[index]}`]);
  // Two borders move by 0.5 % of all logins each.
  assert(changed.length > 8 && changed.length < 40, String(changed.length));
  assertEquals(new Set(changed), new Set(["1 to 2", "2 to 3"].map((text) => text.replaceAll(/\d/g, nameOf))));
});

function nameOf(digit: string): string {
  return `pbkdf2-sha256 i=${digit}`;
}

Deno.test("Decoys of an empty register, or of an unusable hash, are undefined", () => {
  const unusable = { ...shareOf(1, 5), example: "no hash" };
  for (const works of [[], [unusable]]) assertEquals(decoysOf(works).hashOf("alice"), undefined);
});

Deno.test("Decoys.update() replaces the works", () => {
  const decoys = decoysOf(shares);
  const draws = drawsOf(decoys);
  decoys.update([shareOf(4, 1)]);
  assertEquals(new Set(drawsOf(decoys)), new Set([nameOf("4")]));
  decoys.update([]);
  assertEquals(decoys.hashOf("alice"), undefined);
  decoys.update(shares);
  assertEquals(drawsOf(decoys), draws);
});

Deno.test("Decoys draw by the whole login, of any characters", () => {
  const decoys = decoysOf(Array.from({ length: 1_000 }, (_, index) => shareOf(index + 1, 1)));
  for (const [one, other] of [["alice", "alice\0"], ["", " "], ["ä", "a"], ["\ud800", "x"]] as const) {
    assertNotEquals(decoys.hashOf(one)?.work, decoys.hashOf(other)?.work);
  }
});

Deno.test("Decoys.replace() counts a new hash at once, and no longer the one that it replaces", () => {
  const decoys = new Decoys("key");
  decoys.replace(shareOf(2, 1).example);
  assertEquals(new Set(drawsOf(decoys)), new Set([nameOf("2")]));
  decoys.replace(shareOf(1, 1).example, shareOf(2, 1).example);
  assertEquals(new Set(drawsOf(decoys)), new Set([nameOf("1")]));
  decoys.replace(shareOf(3, 1).example);
  assertEquals(drawsOf(decoys), drawsOf(decoysOf([shareOf(1, 1), shareOf(3, 1)])));
  // Of a work that only another instance knows.
  decoys.replace(shareOf(3, 1).example, shareOf(4, 1).example);
  assertEquals(drawsOf(decoys), drawsOf(decoysOf([shareOf(1, 1), shareOf(3, 2)])));
  // Once more than there are.
  decoys.update([shareOf(1, 2), shareOf(2, 1), shareOf(3, 2)]);
  for (const _ of [1, 2]) decoys.replace(shareOf(3, 1).example, shareOf(2, 1).example);
  assertEquals(drawsOf(decoys), drawsOf(decoysOf([shareOf(1, 2), shareOf(3, 4)])));
  decoys.update([shareOf(4, 1)]);
  assertEquals(new Set(drawsOf(decoys)), new Set([nameOf("4")]));
});

Deno.test("Decoys.memoryBytes is the most that a hash of the register takes", () => {
  const decoys = decoysOf(shares);
  assertEquals(decoys.memoryBytes, 0);
  decoys.replace(`$argon2id$v=19$m=19456,t=2,p=1$${salt}$${"B".repeat(43)}`);
  assertEquals(decoys.memoryBytes, 19_456 * 1_024);
});
