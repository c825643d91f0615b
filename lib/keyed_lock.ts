/**
 * Runs asynchronous work on the same key one after another, in the order of the calls; work on different keys runs
 * concurrently. A key takes memory only while work on it runs or waits.
 */

/** A lock per key, within this process. */
export class KeyedLock {
  /** Resolves when the last work queued for the key has ended; never rejects. */
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Runs `work` when all earlier work on `key` has ended or failed.
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
