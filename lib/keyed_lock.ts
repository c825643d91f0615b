/**
 * Runs asynchronous work on the same key one after another, in the order of the calls; work on different keys runs
 * concurrently. A key takes memory only while work on it runs or waits.
 */

/** A lock per key, within this process. */
export class KeyedLock {
  /** Resolves when the last work queued for the key has ended; never rejects. */
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Runs `work` when all earlier work on these keys has ended or failed. A call queues for all of its keys at once, so
   * calls never deadlock.
   *
   * @returns what `work` returns
   * @throws what `work` throws
   */
  async run<Result>(keys: readonly string[], work: () => Promise<Result>): Promise<Result> {
    const before = keys.flatMap((key) => this.#tails.get(key) ?? []);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    for (const key of keys) this.#tails.set(key, ended);
    if (before.length > 0) await Promise.all(before);
    try {
      return await work();
    } finally {
      end();
      for (const key of keys) if (this.#tails.get(key) === ended) this.#tails.delete(key);
    }
  }

  /** How many keys have work running or waiting. */
  get size(): number {
    return this.#tails.size;
  }
}
