/**
 * Takes from counters, several at once, and changes them: what the throttle and the quotas have in common.
 *
 * The time is that of this instance. Where several share the counts, their clocks are taken to agree to a second or so:
 * by as much a wait that one of them tells may be wrong. Where they differ by more than a minute, who goes from one to
 * another may do a little more than the limit.
 */

import { type Count, type Counter, type CounterKind, noCount, type Step } from "./limit_rule.ts";
import type { Counts } from "./limit_store.ts";

/** What is to become of one counter. */
export interface Change {
  readonly counter: Counter;
  readonly step: Step;
}

/** Counts within limits. */
export class RateLimiter {
  readonly #counts: Counts;
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(counts: Counts, now: () => number) {
    this.#counts = counts;
    this.#now = now;
  }

  /** The whole seconds after which there will be one of each; 0 when there is. */
  async waitSeconds(counters: readonly Counter[]): Promise<number> {
    const counts = await this.#counts.read(counters);
    const now = this.#now();
    // Kept, as what is only read would be as far ahead, or as long to wait for, the next time.
    if (counters.some(({ kind }, index) => isBroughtBack(kind, counts[index] ?? noCount, now))) {
      await this.change(counters.map((counter) => ({ counter, step: counter.kind.bringBack })));
    }
    return this.#longest(counters, counts);
  }

  /**
   * Takes one of each, unless there is none of one of them: then none is taken.
   *
   * @returns 0 when it has taken them, else as `waitSeconds`
   */
  async take(counters: readonly Counter[]): Promise<number> {
    // Looked at first: to change counters may be to have them alone, and a flood that is refused would hold up others.
    let waitSeconds = await this.waitSeconds(counters);
    if (waitSeconds > 0) return waitSeconds;
    await this.#counts.change(counters, (counts) => {
      waitSeconds = this.#longest(counters, counts);
      const now = this.#now();
      return waitSeconds > 0 ? undefined : counters.map(({ kind }, index) => kind.take(counts[index] ?? noCount, now));
    });
    return waitSeconds;
  }

  /** Changes counters, each of which is among them once. */
  async change(changes: readonly Change[]): Promise<void> {
    await this.#counts.change(changes.map(({ counter }) => counter), (counts) => {
      const now = this.#now();
      return changes.map(({ step }, index) => step(counts[index] ?? noCount, now));
    });
  }

  #longest(counters: readonly Counter[], counts: readonly Count[]): number {
    const now = this.#now();
    return Math.max(0, ...counters.map(({ kind }, index) => kind.waitSeconds(counts[index] ?? noCount, now)));
  }
}

function isBroughtBack({ bringBack }: CounterKind, count: Count, now: number): boolean {
  return bringBack(count, now) !== count;
}
