/**
 * Work on one key, one after another; work on different keys runs side by side.
 *
 * The order is that of the calls. A key costs memory only while work on it runs or waits.
 */

/** Serializes asynchronous work by key, within this process. */
export class KeyedLock {
  /** Settles when the last work queued for the key has ended; never rejects. */
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Runs `work` once all earlier work on `key` has ended, however it ended.
   *
   * @returns what `work` returns
   * @throws what `work` throws
   */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#tails.get(key);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#tails.set(key, ended);
    if (before !== undefined) await before;
    try {
      return await work();
    } finally {
      end();
      if (this.#tails.get(key) === ended) this.#tails.delete(key);
    }
  }

  /** How many keys have work running or waiting. */
  get size(): number {
    return this.#tails.size;
  }
}
