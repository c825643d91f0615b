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
import { parseStoredHash, type StoredHash, usableHash } from "./stored_hash.ts";

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

/** Hashes that take the same work, of which one is the decoy. */
interface Share {
  count: number;
  readonly hash: StoredHash;
}

/** The decoys of a register. */
export class Decoys {
  readonly #key: string;
  /** In the order of their works. */
  #shares: readonly Share[] = [];

  /** @param key secret, and the same for all instances of the service */
  constructor(key: string) {
    this.#key = key;
  }

  /** Sets the works to draw from. */
  update(works: readonly WorkShare[]): void {
    this.#shares = inOrder(works.flatMap(({ count, example }) => {
      const hash = usableHash(example);
      return hash === undefined ? [] : { count, hash };
    }));
  }

  /**
   * Counts a new hash, and no longer the one that it replaces. Without it no unknown login would have the times of the
   * first hashes of a new setting. The next `update` corrects what this instance does not know.
   *
   * @param replacedWork by default it replaces no hash
   */
  replace(passwordHash: string, replacedWork?: string): void {
    const hash = parseStoredHash(passwordHash);
    const replaced = this.#find(replacedWork);
    // A user that logs in several times at once is hashed as often.
    if (replaced !== undefined && replaced.count > 0) replaced.count--;
    const share = this.#find(hash.work);
    if (share === undefined) this.#shares = inOrder([...this.#shares, { count: 1, hash }]);
    else share.count++;
  }

  /** The most memory that a hash of the register takes, in bytes. */
  get memoryBytes(): number {
    return Math.max(0, ...this.#shares.map(({ hash }) => hash.memoryBytes));
  }

  /** The decoy of a login; `undefined` if the register has no hash. */
  hashOf(login: string): StoredHash | undefined {
    const digest = createHmac("sha256", this.#key).update(login).digest();
    const total = this.#shares.reduce((sum, { count }) => sum + count, 0);
    let rest = digest.readUIntBE(0, drawnBytes) / 2 ** (8 * drawnBytes) * total;
    return this.#shares.find(({ count }) => (rest -= count) < 0)?.hash;
  }

  #find(work: string | undefined): Share | undefined {
    return this.#shares.find(({ hash }) => hash.work === work);
  }
}

function inOrder(shares: readonly Share[]): readonly Share[] {
  return shares.toSorted((one, other) => one.hash.work < other.hash.work ? -1 : 1);
}
