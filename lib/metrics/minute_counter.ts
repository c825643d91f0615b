/**
 * How often a thing happened: since the start, and in each of the last 60 minutes.
 *
 * Each minute has one place in a ring, which is cleared when its turn comes again: counting needs no timer.
 */

const minuteMs = 60 * 1_000;
/** So many minutes are told apart, the present one among them. */
export const keptMinutes = 60;

/** Counts, by the minute. */
export class MinuteCounter {
  readonly #now: () => number;
  readonly #counts = new Uint32Array(keptMinutes);
  /** The last that was counted in, in minutes since the epoch. */
  #minute: number;
  #total = 0;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
    this.#minute = this.#currentMinute;
  }

  /** Since the start. */
  get total(): number {
    return this.#total;
  }

  /** In each of the last 60 minutes, the present one at the end. */
  get lastHour(): number[] {
    this.#clearUntilNow();
    return Array.from({ length: keptMinutes }, (_, index) => this.#countOf(this.#minute + 1 + index));
  }

  /** In the present minute. */
  get lastMinute(): number {
    this.#clearUntilNow();
    return this.#countOf(this.#minute);
  }

  add(): void {
    this.#clearUntilNow();
    this.#counts[this.#minute % keptMinutes] = this.#countOf(this.#minute) + 1;
    this.#total++;
  }

  get #currentMinute(): number {
    return Math.floor(this.#now() / minuteMs);
  }

  /** The same for all minutes that have the same place in the ring. */
  #countOf(minute: number): number {
    return this.#counts[minute % keptMinutes] ?? 0;
  }

  /**
   * A clock that was set back by a little goes on in the minute in which it was; by more than is kept, it begins anew.
   */
  #clearUntilNow(): void {
    const current = this.#currentMinute;
    if (Math.abs(current - this.#minute) >= keptMinutes) {
      this.#counts.fill(0);
      this.#minute = current;
    } else while (this.#minute < current) this.#counts[++this.#minute % keptMinutes] = 0;
    this.#minute = Math.max(this.#minute, current);
  }
}
