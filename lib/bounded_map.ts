/**
 * A map of bounded size: it keeps what was put last, and forgets what was put longest ago.
 *
 * Whatever is counted by something that clients choose, addresses or logins, is kept in one of these, so that no number
 * of them can use up the memory.
 *
 * The order is a linked list of the entries. A `Map` has an order too, but its first key is found by walking over all
 * that were deleted before it, which took 6.5 µs, and up to 26, for each entry put into a full map of 100,000.
 */

interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  older: Entry<Key, Value> | undefined;
  newer: Entry<Key, Value> | undefined;
}

/** Keeps at most so many entries. */
export class BoundedMap<Key, Value> {
  readonly #maxSize: number;
  readonly #entries = new Map<Key, Entry<Key, Value>>();
  #oldest: Entry<Key, Value> | undefined;
  #newest: Entry<Key, Value> | undefined;

  /** @param maxSize how many entries; at least 1 */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** Puts an entry, which is then the last to be forgotten. */
  set(key: Key, value: Value): void {
    const found = this.#entries.get(key);
    if (found !== undefined) {
      found.value = value;
      this.#unlink(found);
      this.#append(found);
      return;
    }
    if (this.#oldest !== undefined && this.#entries.size >= this.#maxSize) this.delete(this.#oldest.key);
    const entry: Entry<Key, Value> = { key, value, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
  }

  delete(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#unlink(entry);
  }

  #append(entry: Entry<Key, Value>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry<Key, Value>): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
