/**
 * Draws the hash to verify for a login without one, so that time does not reveal which logins exist.
 *
 * An unknown login gets a stored hash of the works that the register has, in proportion to their counts: the times of
 * unknown logins have the distribution of those of known ones. The draw is a keyed digest of the login, so asking twice
 * tells nothing. The key is stored with the register, and the works are drawn from in the order of their names: a
 * restart and every other instance draw the same. When a count changes, only logins at the borders of shares change.
 * Shares follow each new hash of this instance at once; the register is counted at the start and hourly.
 */

import { createHmac } from "node:crypto";
import { type StoredHash, usableHash, workOf } from "./stored_hash.ts";

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
  /** In the order of their works. An import can make a thousand, so they are parsed when they are drawn. */
  #shares: readonly WorkShare[] = [];

  /** @param key secret, and the same for all instances of the service */
  constructor(key: string) {
    this.#key = key;
  }

  /** Sets the works to draw from. */
  update(works: readonly WorkShare[]): void {
    this.#shares = works.toSorted((one, other) => one.work < other.work ? -1 : 1);
  }

  /**
   * Counts a hash that was stored, and no longer the one that it replaced. Without it no unknown login would have the
   * times of the first hashes of a new setting. The next `update` corrects what this instance does not know.
   *
   * @param replaced by default it replaced no hash
   */
  replace(example: string, replaced = ""): void {
    const [work = "", replacedWork] = [example, replaced].map(workOf);
    if (work === replacedWork) return;
    const count = this.#shares.find((share) => share.work === work)?.count ?? 0;
    // Those that other instances have changed are not known.
    const others = this.#shares.filter((share) => share.work !== work).map((share) => {
      return share.work === replacedWork ? { ...share, count: Math.max(0, share.count - 1) } : share;
    });
    this.update([...others, { work, count: count + 1, example }]);
  }

  /** The most memory that a hash of the register takes, in bytes. */
  get memoryBytes(): number {
    return Math.max(0, ...this.#shares.map(({ example }) => usableHash(example)?.memoryBytes ?? 0));
  }

  /** The decoy of a login; `undefined` if the register has no hash. */
  hashOf(login: string): StoredHash | undefined {
    const digest = createHmac("sha256", this.#key).update(login).digest();
    const total = this.#shares.reduce((sum, { count }) => sum + count, 0);
    let rest = digest.readUIntBE(0, drawnBytes) / 2 ** (8 * drawnBytes) * total;
    const drawn = this.#shares.find(({ count }) => (rest -= count) < 0);
    return drawn && usableHash(drawn.example);
  }
}
