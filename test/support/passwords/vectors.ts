/** Password hashes that other programs made. */
import given from "../../lib/passwords/hashes.json" with { type: "json" };

/** A hash, and its password. */
export interface Vector {
  /** The program that made it. */
  readonly by: string;
  readonly password: string;
  readonly hash: string;
}

/** Of little cost, except those of Firebase. */
export const cheapVectors: readonly Vector[] = (
  await Deno.readTextFile(new URL("../../lib/passwords/kinds/vectors.jsonl", import.meta.url))
).trimEnd().split("\n").map((line) => JSON.parse(line));

/** Of the cost that the programs choose. */
export const costlyVectors: readonly Vector[] = Object.entries(given.hashes).map(([by, hash]) => ({
  by,
  password: given.password,
  hash,
}));
