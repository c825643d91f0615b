/** An answer that costs something, remembered for a while. */

/** So many times as long as it took to get an answer it is remembered at least: asking takes a twentieth of the time. */
const costFactor = 20;

/** Asks when it is asked and the last answer is too old. Whoever asks meanwhile gets the answer that is under way. */
export class Remembered<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #keepMs: number;
  #answer: Promise<Answer> | undefined;
  /** Of the clock of `performance.now`. */
  #keptUntil = Infinity;

  /** @param keepMs how old an answer may be; 0 remembers none */
  constructor(ask: () => Promise<Answer>, keepMs: number) {
    this.#ask = ask;
    this.#keepMs = keepMs;
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
    const startedAt = performance.now();
    try {
      const answer = await this.#ask();
      const now = performance.now();
      this.#keptUntil = now + (this.#keepMs === 0 ? 0 : Math.max(this.#keepMs, costFactor * (now - startedAt)));
      return answer;
    } catch (error) {
      this.#answer = undefined;
      throw error;
    }
  }
}
