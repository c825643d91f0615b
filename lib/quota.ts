/**
 * How often a thing may be done by each of many, in an hour.
 *
 * As `hourly` in `lib/counter.ts` has it; the number of those that are counted is bounded by where that is done, see
 * `lib/counts.ts`.
 */

import { type Counter, hourly } from "./counter.ts";
import type { Limiter } from "./limiter.ts";

/** A quota for each key, such as a client. */
export class Quota {
  readonly #limiter: Limiter;
  readonly #countersOf: (key: string) => readonly Counter[];

  /** @param name tells it from other kinds of counters. @param perHour how many at once and per hour; 0 is unlimited */
  constructor(limiter: Limiter, { name, perHour }: { readonly name: string; readonly perHour: number }) {
    const kinds = perHour === 0 ? [] : [hourly(name, perHour)];
    this.#limiter = limiter;
    this.#countersOf = (key) => kinds.map((kind) => ({ kind, of: [key] }));
  }

  /** The whole seconds after which there will be one for the key; 0 when there is. */
  waitSeconds(key: string): Promise<number> {
    return this.#limiter.waitSeconds(this.#countersOf(key));
  }

  /**
   * Takes one.
   *
   * @returns 0 when there was one, else as `waitSeconds`
   */
  take(key: string): Promise<number> {
    return this.#limiter.take(this.#countersOf(key));
  }

  /** Puts back one that was taken. */
  putBack(key: string): Promise<void> {
    return this.#limiter.change(this.#countersOf(key).map((counter) => ({ counter, step: counter.kind.putBack })));
  }
}
