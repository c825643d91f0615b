/**
 * A map of bounded size: it keeps what was put last, and forgets what was put longest ago.
 *
 * Whatever is counted by something that clients choose, addresses or logins, is kept in one of these, so that no number
 * of them can use up the memory.
 */

/** Keeps at most so many entries. */
export class RecentMap<Key, Value> {
  readonly #maxSize: number;
  /** In the order in which they were put, as a `Map` keeps it. */
  readonly #entries = new Map<Key, Value>();

  /** @param maxSize how many entries; at least 1 */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** Puts an entry, which is then the last to be forgotten. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#maxSize) this.#forgetFirst();
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  #forgetFirst(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}
