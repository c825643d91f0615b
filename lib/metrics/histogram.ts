/** Durations, counted in buckets since the start as Prometheus needs them. */

const recentMs = 60 * 1_000;
/** The number of latest durations: enough for a p99, and sorted in about 0.1 ms. */
const maxRecent = 1_000;

/** A histogram of durations. To observe one takes nanoseconds, as each request of a guarded site is observed. */
export class Histogram {
  /** Upper bounds of the buckets in seconds, ascending. */
  readonly bounds: readonly number[];
  /** Durations of each bucket; the last one has no bound. */
  readonly #counts: number[];
  sumSeconds = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  /** For each bound, the durations up to it. */
  get countsUntil(): readonly number[] {
    let total = 0;
    return this.bounds.map((_, index) => total += this.#counts[index] ?? 0);
  }

  observe(seconds: number): void {
    let index = 0;
    while (seconds > (this.bounds[index] ?? Infinity)) index++;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.sumSeconds += seconds;
    this.count++;
  }
}

/** A histogram that also keeps the latest durations exactly, for quantiles of the last minute. */
export class RecentHistogram extends Histogram {
  readonly #now: () => number;
  /** The latest durations in seconds, and when each was observed: a ring. */
  readonly #recent = new Float64Array(maxRecent);
  readonly #recentAt = new Float64Array(maxRecent).fill(-Infinity);

  /** @param now milliseconds since the epoch */
  constructor(bounds: readonly number[], now: () => number) {
    super(bounds);
    this.#now = now;
  }

  override observe(seconds: number): void {
    const place = this.count % maxRecent;
    this.#recent[place] = seconds;
    this.#recentAt[place] = this.#now();
    super.observe(seconds);
  }

  /**
   * Quantiles of the last minute in seconds, by the nearest rank, of the latest 1,000 durations at most; `undefined` if
   * there were no durations. @param shares from 0 to 1
   */
  recentQuantiles(shares: readonly number[]): (number | undefined)[] {
    const now = this.#now();
    // Moments after now were observed before the clock was set back.
    const isRecent = (at: number) => now - recentMs < at && at <= now;
    const recent = this.#recent.filter((_, index) => isRecent(this.#recentAt[index] ?? 0)).sort();
    return shares.map((share) => recent[Math.ceil(share * recent.length) - 1]);
  }
}
