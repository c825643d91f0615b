/**
 * A queue that is fair at each level of a path: to networks, to the clients in them, to the logins of a client.
 *
 * The parts of a level take turns, one item each, however many items a part has. Paths with the same beginning have the
 * same length.
 */

/** Items by path. Each operation takes O(length of the path), `evictable` O(parts). */
export class FairQueue<Item> {
  #size = 0;
  /** In the order of their turns. */
  readonly #parts = new Map<string, FairQueue<Item>>();
  /** Items whose path ends here, the oldest first. */
  readonly #items: Item[] = [];

  get size(): number {
    return this.#size;
  }

  /** Adds an item behind all others of its path. */
  add(item: Item, [name, ...rest]: readonly string[]): void {
    this.#size++;
    if (name === undefined) {
      this.#items.push(item);
      return;
    }
    const part = this.#parts.get(name) ?? new FairQueue<Item>();
    this.#parts.set(name, part);
    part.add(item, rest);
  }

  /** The next item. Those that are added later do not come before it. */
  peek(): Item | undefined {
    for (const part of this.#parts.values()) return part.peek();
    return this.#items[0];
  }

  /** Takes the next item. Its part then comes last. */
  take(): Item | undefined {
    if (this.#size === 0) return undefined;
    this.#size--;
    for (const [name, part] of this.#parts) {
      const item = part.take();
      this.#parts.delete(name);
      if (part.size > 0) this.#parts.set(name, part);
      return item;
    }
    return this.#items.shift();
  }

  /** Removes an item. @returns whether it was in the queue */
  remove(item: Item, [name, ...rest]: readonly string[]): boolean {
    if (name === undefined) {
      const index = this.#items.lastIndexOf(item);
      if (index === -1) return false;
      this.#items.splice(index, 1);
    } else {
      const part = this.#parts.get(name);
      if (part === undefined || !part.remove(item, rest)) return false;
      if (part.size === 0) this.#parts.delete(name);
    }
    this.#size--;
    return true;
  }

  /**
   * Returns the item to evict in favour of a new one: the newest of the longest part, at the first level where that
   * part has at least two items more than the part of the new item. Otherwise refusing the new item is fairer.
   */
  evictable([name, ...rest]: readonly string[]): Item | undefined {
    const longest = this.#longest();
    if (name === undefined || longest === undefined) return undefined;
    const own = this.#parts.get(name);
    if (own !== undefined && own.size >= longest.size) return own.evictable(rest);
    return longest.size > (own?.size ?? 0) + 1 ? longest.#newest() : undefined;
  }

  #newest(): Item | undefined {
    const longest = this.#longest();
    return longest === undefined ? this.#items.at(-1) : longest.#newest();
  }

  #longest(): FairQueue<Item> | undefined {
    let longest: FairQueue<Item> | undefined;
    for (const part of this.#parts.values()) {
      if (part.size > (longest?.size ?? 0)) longest = part;
    }
    return longest;
  }
}
