/**
 * How often a thing may be done by each of many: a token bucket for each key, refilled evenly.
 *
 * Of each bucket only the moment is kept at which it is full again (the generic cell rate algorithm, ITU-T I.371), so
 * taking is one look-up, and nothing has to be refilled. The number of buckets is bounded.
 */

import { RecentMap } from "./recent_map.ts";

const hourMs = 60 * 60 * 1_000;
/**
 * Buckets kept: 100,000 take some 10 MB. Beyond it the one not taken from for longest is given up, and so full.
 */
const maxBuckets = 100_000;
/** Milliseconds that sums of fractions may be off by. */
const roundingMs = 0.5;

/** A quota for each key, such as a client. */
export class Quota {
  readonly #perHour: number;
  readonly #now: () => number;
  /** When a key's bucket is full again, in milliseconds since the epoch. */
  readonly #fullAt = new RecentMap<string, number>(maxBuckets);

  /** @param perHour how many at once and per hour; 0 is unlimited. @param now milliseconds since the epoch */
  constructor(perHour: number, now: () => number) {
    this.#perHour = perHour;
    this.#now = now;
  }

  /** The whole seconds after which there will be one in the key's bucket; 0 when there is one. */
  waitSeconds(key: string): number {
    if (this.#perHour === 0) return 0;
    const waitMs = this.#fullAtOf(key) + this.#refillMs - this.#now() - hourMs;
    return waitMs > roundingMs ? Math.ceil(waitMs / 1_000) : 0;
  }

  /**
   * Takes one from the key's bucket.
   *
   * @returns 0 when there was one, else as `waitSeconds`
   */
  take(key: string): number {
    const seconds = this.waitSeconds(key);
    if (seconds === 0 && this.#perHour > 0) this.#fullAt.set(key, this.#fullAtOf(key) + this.#refillMs);
    return seconds;
  }

  /** Puts back one that was taken. */
  putBack(key: string): void {
    if (this.#perHour === 0) return;
    const fullAt = this.#fullAtOf(key) - this.#refillMs;
    // A full one needs no place, or what is put back could push out what is not.
    if (fullAt - this.#now() > roundingMs) this.#fullAt.set(key, fullAt);
    else this.#fullAt.delete(key);
  }

  get #refillMs(): number {
    return hourMs / this.#perHour;
  }

  #fullAtOf(key: string): number {
    const now = this.#now();
    return Math.max(now, this.#fullAt.get(key) ?? now);
  }
}
