/**
 * How long a thing takes: counted by ranges since the start, as Prometheus has it, and the last few exactly, for
 * quantiles of the last minute.
 */

const recentMs = 60 * 1_000;
/** So many of the last are kept: enough for a p99, and sorted in some 0.1 ms. */
const maxRecent = 1_000;

/** Counts durations. */
export class Histogram {
  /** Upper ends of the ranges, in seconds, ascending; what is above the last has a range of its own. */
  readonly bounds: readonly number[];
  readonly #now: () => number;
  readonly #counts: number[];
  #sumSeconds = 0;
  #count = 0;
  readonly #recentSeconds = new Float64Array(maxRecent);
  /** When each of them was observed. */
  readonly #recentAt = new Float64Array(maxRecent).fill(-Infinity);

  /** @param now milliseconds since the epoch */
  constructor(bounds: readonly number[], now: () => number) {
    this.bounds = bounds;
    this.#now = now;
    this.#counts = bounds.map(() => 0);
  }

  get count(): number {
    return this.#count;
  }

  get sumSeconds(): number {
    return this.#sumSeconds;
  }

  /** For each bound, how many were no longer. */
  get countsUntil(): number[] {
    let sum = 0;
    return this.#counts.map((count) => sum += count);
  }

  observe(seconds: number): void {
    const range = this.bounds.findIndex((bound) => seconds <= bound);
    if (range >= 0) this.#counts[range] = (this.#counts[range] ?? 0) + 1;
    const place = this.#count % maxRecent;
    this.#recentSeconds[place] = seconds;
    this.#recentAt[place] = this.#now();
    this.#sumSeconds += seconds;
    this.#count++;
  }

  /**
   * For each share, what so many of the last minute's did not exceed, in seconds, by the nearest rank; `undefined` when
   * there were none. Of more than 1,000 the last count.
   */
  recentQuantiles(shares: readonly number[]): (number | undefined)[] {
    const now = this.#now();
    // What was ahead of now was so by a clock that was set back since.
    const isRecent = (at: number) => now - recentMs < at && at <= now;
    const recent = this.#recentSeconds.filter((_, index) => isRecent(this.#recentAt[index] ?? 0)).sort();
    return shares.map((share) => recent[Math.ceil(share * recent.length) - 1]);
  }
}
