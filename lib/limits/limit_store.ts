/**
 * Where counts are kept, and what is promised of it. It is one test each in `test/lib/limits/limit_store_test.ts`:
 * - A change of several is whole or absent, and happens before or after every other change of any of them.
 * - What was changed is read by everyone who shares the counts, once its promise has resolved.
 *
 * Those of one process are in its memory and gone with it; several instances share theirs in a database, see
 * `lib/limits/postgres_limit_store.ts`.
 */

import { randomBytes } from "node:crypto";
import { type Count, type Counter, counterKey, noCount } from "./limit_rule.ts";
import { BoundedMap } from "../bounded_map.ts";

/**
 * So many are kept of each kind: 26 MB of memory. Beyond it the one not changed for longest is given up. Where clients
 * could make room by filling it, that takes more wrong passwords than a thousand of them, or a hundred IPv6 /48, may
 * try in an hour.
 */
export const maxKeptCounts = 100_000;

/** Counts of any number of counters, `noCount` of those that nothing is kept of. */
export interface Counts {
  /** What each of them has counted. */
  read(counters: readonly Counter[]): Promise<readonly Count[]>;

  /**
   * Changes what several counters have counted.
   *
   * @param counters each of them once
   * @param change is given what each has counted, and returns what each shall have, or `undefined`: then nothing is
   *   changed. It may be called more than once; the last time counts.
   */
  change(
    counters: readonly Counter[],
    change: (counts: readonly Count[]) => readonly Count[] | undefined,
  ): Promise<void>;

  /** Forgets what makes no difference any more. @param now milliseconds since the epoch. @returns how many counts */
  deleteIdle(now: number): Promise<number>;
}

/** Counts in the memory of this process. */
export class MemoryCounts implements Counts {
  /** A dump of the memory is not to tell what was typed as a login: that may have been a password. */
  readonly #secret = randomBytes(32).toString("hex");
  /** Kinds apart from each other: nobody pushes out a count of one by filling another. */
  readonly #kinds = new Map<string, BoundedMap<string, Count>>();

  // deno-lint-ignore require-await -- the interface is for databases too.
  async read(counters: readonly Counter[]): Promise<readonly Count[]> {
    return counters.map((counter) => countAt(this.#placeOf(counter)));
  }

  // deno-lint-ignore require-await -- as nothing is awaited here, nothing comes in between.
  async change(
    counters: readonly Counter[],
    change: (counts: readonly Count[]) => readonly Count[] | undefined,
  ): Promise<void> {
    const places = counters.map((counter) => this.#placeOf(counter));
    const next = change(places.map(countAt)) ?? [];
    for (const [index, count] of next.entries()) {
      // What counts nothing needs no place, or it could push out what does.
      if (count === noCount) places[index]?.kept.delete(places[index].key);
      else places[index]?.kept.set(places[index].key, count);
    }
  }

  /** The bound is enough: what makes no difference is given up before long. */
  deleteIdle(): Promise<number> {
    return Promise.resolve(0);
  }

  #placeOf(counter: Counter): Place {
    const { name } = counter.kind;
    const kept = this.#kinds.get(name) ?? new BoundedMap<string, Count>(maxKeptCounts);
    this.#kinds.set(name, kept);
    return { kept, key: counterKey(counter, this.#secret) };
  }
}

/** Where a count is. */
interface Place {
  readonly kept: BoundedMap<string, Count>;
  readonly key: string;
}

function countAt({ kept, key }: Place): Count {
  return kept.get(key) ?? noCount;
}
