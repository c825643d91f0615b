/**
 * A queue that is fair at each level of a path: to networks, to the clients in them, to the logins of a client.
 *
 * Parts of one level take turns, one item of each before a second of any, however much waits in a part. A part that was
 * served goes behind the others. When it is too full, an item of the part with the most makes room for one with less.
 */

/** Items by their paths; all paths that begin alike are of the same length. */
export class FairQueue<Item> {
  #size = 0;
  /** In order of turn. */
  readonly #parts = new Map<string, FairQueue<Item>>();
  /** Of those whose path ends here. */
  readonly #items: Item[] = [];

  /** How many items there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item, behind all others of its path. */
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

  /** Takes the item whose turn it is. */
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

  /** Takes out an item. @returns whether it was there */
  remove(item: Item, [name, ...rest]: readonly string[]): boolean {
    if (name === undefined) {
      const index = this.#items.indexOf(item);
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

  /** Takes out the newest item of a path, where there is one. */
  removeNewest([name, ...rest]: readonly string[]): Item | undefined {
    const part = name === undefined ? undefined : this.#parts.get(name);
    const item = name === undefined ? this.#items.pop() : part?.removeNewest(rest);
    if (item !== undefined) this.#size--;
    if (name !== undefined && part?.size === 0) this.#parts.delete(name);
    return item;
  }

  /**
   * The path whose newest item makes room for a newcomer, where that is fairer than to refuse the newcomer: from the
   * first level at which another part has at least two more than the newcomer's.
   */
  pathToShorten([name, ...rest]: readonly string[]): readonly string[] | undefined {
    const [longestName, longest] = this.#longestPart();
    if (name === undefined || longestName === undefined || longest === undefined) return undefined;
    const own = this.#parts.get(name);
    if (own !== undefined && own.size >= longest.size) {
      const path = own.pathToShorten(rest);
      return path === undefined ? undefined : [name, ...path];
    }
    return longest.size > (own?.size ?? 0) + 1 ? [longestName, ...longest.#longestPath()] : undefined;
  }

  #longestPath(): readonly string[] {
    const [name, part] = this.#longestPart();
    return name === undefined || part === undefined ? [] : [name, ...part.#longestPath()];
  }

  #longestPart(): readonly [name: string, part: FairQueue<Item>] | readonly [] {
    let longest: readonly [name: string, part: FairQueue<Item>] | readonly [] = [];
    for (const entry of this.#parts) {
      if (entry[1].size > (longest[1]?.size ?? 0)) longest = entry;
    }
    return longest;
  }
}
