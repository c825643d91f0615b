/**
 * A map of bounded size that evicts the entry that was set longest ago.
 *
 * Every map whose keys clients choose, such as addresses and logins, is a BoundedMap, so that clients cannot exhaust
 * the memory.
 */

export class BoundedMap<Key, Value> {
  readonly #maxSize: number;
  /** In the order in which they were set. */
  readonly #entries = new Map<Key, Value>();
  /**
   * Keys in order of eviction. One iterator serves many evictions: a new one walks over all keys deleted before, which
   * took up to 26 µs in a full map of 100,000.
   */
  #oldest = this.#entries.keys();
  /** A resting iterator keeps each table that the `Map` has outgrown, so it is replaced from time to time. */
  #setsSinceNew = 0;

  /** @param maxSize number of entries, at least 1 */
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

  /** Sets an entry, which is evicted after all others from now on. */
  set(key: Key, value: Value): void {
    if (++this.#setsSinceNew > this.#maxSize) {
      this.#oldest = this.#entries.keys();
      this.#setsSinceNew = 0;
    }
    if (!this.#entries.delete(key) && this.#entries.size >= this.#maxSize) this.#evict();
    this.#entries.set(key, value);
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  #evict(): void {
    const { value, done } = this.#oldest.next();
    if (!done) this.#entries.delete(value);
  }
}
