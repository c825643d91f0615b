/**
 * Durations: counted in buckets since the start, as Prometheus needs them. The latest are kept exactly, for quantiles
 * of the last minute.
 */

const recentMs = 60 * 1_000;
/** Durations that are kept: enough for a p99, and sorted in about 0.1 ms. */
const maxRecent = 1_000;

/** A histogram of durations. */
export class Histogram {
  /** Upper bounds of the buckets in seconds, ascending. */
  readonly bounds: readonly number[];
  readonly #now: () => number;
  readonly #countsUntil: number[];
  #sumSeconds = 0;
  #count = 0;
  /** The latest durations in seconds, and when each was observed: a ring. */
  readonly #recent = new Float64Array(maxRecent);
  readonly #recentAt = new Float64Array(maxRecent).fill(-Infinity);

  /** @param now milliseconds since the epoch */
  constructor(bounds: readonly number[], now: () => number) {
    this.bounds = bounds;
    this.#now = now;
    this.#countsUntil = bounds.map(() => 0);
  }

  get count(): number {
    return this.#count;
  }

  get sumSeconds(): number {
    return this.#sumSeconds;
  }

  /** For each bound, the durations up to it. */
  get countsUntil(): readonly number[] {
    return this.#countsUntil;
  }

  observe(seconds: number): void {
    this.bounds.forEach((bound, index) => {
      if (seconds <= bound) this.#countsUntil[index] = (this.#countsUntil[index] ?? 0) + 1;
    });
    const place = this.#count++ % maxRecent;
    this.#recent[place] = seconds;
    this.#recentAt[place] = this.#now();
    this.#sumSeconds += seconds;
  }

  /**
   * Quantiles of the last minute in seconds, by the nearest rank, of the latest 1,000 durations at most; `undefined` if
   * there were none. @param shares from 0 to 1
   */
  recentQuantiles(shares: readonly number[]): (number | undefined)[] {
    const now = this.#now();
    // Moments after now were observed before the clock was set back.
    const isRecent = (at: number) => now - recentMs < at && at <= now;
    const recent = this.#recent.filter((_, index) => isRecent(this.#recentAt[index] ?? 0)).sort();
    return shares.map((share) => recent[Math.ceil(share * recent.length) - 1]);
  }
}
