/** An answer that costs something, remembered for a while. */

export interface TtlCacheOptions {
  /** How old an answer may be; 0 remembers none. */
  readonly keepMs: number;
  /** Keeps an answer for at least so many times as long as it took to get. */
  readonly timesCost?: number;
}

/** Asks when it is asked and the last answer is too old. Whoever asks meanwhile gets the answer that is under way. */
export class TtlCache<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #options: TtlCacheOptions;
  #answer: Promise<Answer> | undefined;
  /** Of the clock of `performance.now`. */
  #keptUntil = Infinity;

  constructor(ask: () => Promise<Answer>, options: TtlCacheOptions) {
    this.#ask = ask;
    this.#options = options;
  }

  /** @throws what asking throws; that is not remembered */
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
