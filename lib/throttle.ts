/**
 * How often one client may do a thing: a token bucket for each, refilled evenly.
 *
 * Of each bucket only the moment is kept at which it is full again (the generic cell rate algorithm, ITU-T I.371), so
 * taking is one look-up, and nothing has to be refilled. The number of buckets is bounded.
 */

const hourMs = 60 * 60 * 1_000;
/**
 * Buckets kept: 100,000 clients take some 10 MB. Beyond it the one not taken from for longest is given up, and so full.
 */
const maxBuckets = 100_000;

/** A quota for each client. */
export class Quota {
  readonly #perHour: number;
  readonly #now: () => number;
  /** When the client's bucket is full again, in milliseconds since the epoch. */
  readonly #fullAt = new Map<string, number>();

  /** @param perHour how many at once and per hour; 0 is unlimited. @param now milliseconds since the epoch */
  constructor(perHour: number, now: () => number) {
    this.#perHour = perHour;
    this.#now = now;
  }

  /**
   * Takes one from the client's bucket.
   *
   * @returns 0 when there was one, else the whole seconds after which there will be
   */
  take(client: string): number {
    if (this.#perHour === 0) return 0;
    const now = this.#now();
    const refillMs = hourMs / this.#perHour;
    const fullAt = Math.max(now, this.#fullAt.get(client) ?? now) + refillMs;
    const waitMs = fullAt - now - hourMs;
    // Half a millisecond is what sums of fractions may be off by.
    if (waitMs > 0.5) return Math.ceil(waitMs / 1_000);
    this.#fullAt.delete(client);
    this.#fullAt.set(client, fullAt);
    if (this.#fullAt.size > maxBuckets) this.#forgetOldest();
    return 0;
  }

  #forgetOldest(): void {
    for (const client of this.#fullAt.keys()) {
      this.#fullAt.delete(client);
      return;
    }
  }
}
