/**
 * Draws the hash to verify for a login without one, so that time does not reveal which logins exist.
 *
 * An unknown login gets a stored hash of the works that the register has, in proportion to their counts: the times of
 * unknown logins have the distribution of those of known ones. The draw is a keyed digest of the login, so asking twice
 * tells nothing. The key is stored with the register, and the works are drawn from in the order of their names: a
 * restart and every other instance draw the same. When a count changes, only logins at the borders of shares change.
 */

import { createHmac } from "node:crypto";
import { type StoredHash, usableHash } from "./stored_hash.ts";

/** Hashes of a register that take the same work. */
export interface WorkShare {
  /** See `ParsedHash.work`. */
  readonly work: string;
  readonly count: number;
  /** One of these hashes. */
  readonly example: string;
}

/** Bytes of the digest that a draw uses: as many as a number holds exactly. */
const drawnBytes = 6;

/** The decoys of a register. */
export class Decoys {
  readonly #key: string;
  /** In the order of their works; `end` is the sum of the counts up to here. */
  #shares: readonly { readonly end: number; readonly hash: StoredHash }[] = [];

  /** @param key secret, and the same for all instances of the service */
  constructor(key: string) {
    this.#key = key;
  }

  /** Sets the works to draw from. */
  update(works: readonly WorkShare[]): void {
    let end = 0;
    this.#shares = works.toSorted((one, other) => one.work < other.work ? -1 : 1).flatMap(({ count, example }) => {
      const hash = usableHash(example);
      return hash === undefined ? [] : { end: end += count, hash };
    });
  }

  /** The most memory that a hash of the register takes, in bytes. */
  get memoryBytes(): number {
    return Math.max(0, ...this.#shares.map(({ hash }) => hash.memoryBytes));
  }

  /** The decoy of a login; `undefined` if the register has no hash. */
  hashOf(login: string): StoredHash | undefined {
    const digest = createHmac("sha256", this.#key).update(login).digest();
    const total = this.#shares.at(-1)?.end ?? 0;
    const drawn = digest.readUIntBE(0, drawnBytes) / 2 ** (8 * drawnBytes) * total;
    return this.#shares.find(({ end }) => drawn < end)?.hash;
  }
}
