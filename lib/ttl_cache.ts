/** Caches the result of one expensive query for a limited time. */

export interface TtlCacheOptions {
  /** Maximum age of a result; 0 caches nothing. */
  readonly keepMs: number;
  /** Keeps a result at least this many times as long as the query took. */
  readonly timesCost?: number;
}

/** Queries when the last result is too old. Concurrent calls share one query. */
export class TtlCache<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #options: TtlCacheOptions;
  #answer: Promise<Answer> | undefined;
  /** As `performance.now()`. */
  #keptUntil = Infinity;

  constructor(ask: () => Promise<Answer>, options: TtlCacheOptions) {
    this.#ask = ask;
    this.#options = options;
  }

  /** @throws what the query throws; an error is not cached */
  get(): Promise<Answer> {
    if (this.#answer === undefined || performance.now() >= this.#keptUntil) {
      this.#keptUntil = Infinity;
      this.#answer = this.#askNow();
    }
    return this.#answer;
  }

  async #askNow(): Promise<Answer> {
    const { keepMs, timesCost = 0 } = this.#options;
    const startedAt = performance.now();
    try {
      const answer = await this.#ask();
      const now = performance.now();
      this.#keptUntil = keepMs === 0 ? now : now + Math.max(keepMs, timesCost * (now - startedAt));
      return answer;
    } catch (error) {
      this.#answer = undefined;
      throw error;
    }
  }
}
