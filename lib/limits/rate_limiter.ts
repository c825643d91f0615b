/**
 * Applies rules to stored states: several limits at once, all or none.
 *
 * The states of one process are in its memory and end with it. Several instances share theirs in PostgreSQL, see
 * `lib/limits/postgres_limit_store.ts`. The clocks of instances should agree within a second: if they differ by more
 * than a minute, a client that changes between instances can slightly exceed a limit.
 */

import { randomBytes } from "node:crypto";
import { BoundedMap } from "../bounded_map.ts";
import { clampToClock, keyDigest, type LimitKey, type LimitState, type LimitStep, unused } from "./limit_rule.ts";

/**
 * States stored for each rule, in 26 MB of memory; then the least recently changed state is evicted. To make room that
 * way, a thousand clients or a hundred IPv6 /48 have to use up their wrong passwords of an hour.
 */
export const maxStoredStates = 100_000;

/** Maps current states to the next ones, or to `undefined`, which changes nothing. */
export type UpdateStates = (states: readonly LimitState[]) => readonly LimitState[] | undefined;

/**
 * Stores states of limits. `test/lib/limits/limit_store_test.ts` tests what every implementation promises:
 * - Updates that share a key are serialized; each is applied completely or not at all.
 * - Once the promise of an update has resolved, every reader of the store sees it.
 */
export interface LimitStore {
  /** Returns the state of each key, `unused` if nothing is stored. */
  read(keys: readonly LimitKey[]): Promise<readonly LimitState[]>;
  /** Replaces the states of distinct keys. It may call `update` more than once; the last call counts. */
  update(keys: readonly LimitKey[], update: UpdateStates): Promise<void>;
  /** Deletes states that no longer matter. @param now milliseconds since the epoch. @returns how many */
  deleteIdle(now: number): Promise<number>;
}

/** States in the memory of this process. */
export class MemoryLimitStore implements LimitStore {
  /** A memory dump must not reveal what was typed as a login, as it may be a password. */
  readonly #secret = randomBytes(32).toString("hex");
  /** By the name of the rule, so that filling one rule evicts nothing of another. */
  readonly #rules = new Map<string, BoundedMap<string, LimitState>>();

  // deno-lint-ignore require-await -- databases need the promise.
  async read(keys: readonly LimitKey[]): Promise<readonly LimitState[]> {
    return keys.map((key) => this.#find(key).state);
  }

  // deno-lint-ignore require-await -- without an await, nothing runs between reading and writing.
  async update(keys: readonly LimitKey[], update: UpdateStates): Promise<void> {
    const found = keys.map((key) => this.#find(key));
    const next = update(found.map(({ state }) => state));
    for (const [index, { states, digest }] of found.entries()) {
      const state = next?.[index];
      // An unused state needs no entry, which could evict another.
      if (state === unused) states.delete(digest);
      else if (state !== undefined) states.set(digest, state);
    }
  }

  /** Does nothing: eviction bounds the memory. */
  deleteIdle(): Promise<number> {
    return Promise.resolve(0);
  }

  #find(key: LimitKey) {
    const states = this.#rules.get(key.rule.name) ?? new BoundedMap<string, LimitState>(maxStoredStates);
    this.#rules.set(key.rule.name, states);
    const digest = keyDigest(key, this.#secret);
    return { states, digest, state: states.get(digest) ?? unused };
  }
}

/** Takes attempts from limits. */
export class RateLimiter {
  readonly #store: LimitStore;
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(store: LimitStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Returns the whole seconds until every limit allows one attempt, 0 if they allow it now. */
  async waitSeconds(keys: readonly LimitKey[]): Promise<number> {
    const stored = await this.#store.read(keys);
    const states = this.#clamped(stored);
    // Stored, as otherwise the next read finds the state as far ahead.
    if (states.some((state, index) => state !== stored[index])) {
      await this.update(new Map(keys.map((key) => [key, clampToClock])));
    }
    return this.#longestWait(keys, states);
  }

  /**
   * Consumes one attempt of every limit, or of no limit if one is used up.
   *
   * @returns 0 if it has consumed them, else the seconds to wait
   */
  async take(keys: readonly LimitKey[]): Promise<number> {
    // Read first: an update may lock rows, and a flood of refused attempts would delay others.
    let waitSeconds = await this.waitSeconds(keys);
    if (waitSeconds > 0) return waitSeconds;
    await this.#store.update(keys, (stored) => {
      const states = this.#clamped(stored);
      waitSeconds = this.#longestWait(keys, states);
      const now = this.#now();
      return waitSeconds > 0 ? undefined : keys.map(({ rule }, index) => rule.take(states[index] ?? unused, now));
    });
    return waitSeconds;
  }

  /** Undoes `take`. */
  putBack(keys: readonly LimitKey[]): Promise<void> {
    return this.update(new Map(keys.map((key) => [key, key.rule.putBack])));
  }

  /** Applies a step to each limit. */
  update(steps: ReadonlyMap<LimitKey, LimitStep>): Promise<void> {
    return this.#store.update([...steps.keys()], (stored) => {
      const [states, now] = [this.#clamped(stored), this.#now()];
      return Array.from(steps.values(), (step, index) => step(states[index] ?? unused, now));
    });
  }

  #clamped(states: readonly LimitState[]): readonly LimitState[] {
    const now = this.#now();
    return states.map((state) => clampToClock(state, now));
  }

  #longestWait(keys: readonly LimitKey[], states: readonly LimitState[]): number {
    const now = this.#now();
    return Math.max(0, ...keys.map(({ rule }, index) => rule.waitSeconds(states[index] ?? unused, now)));
  }
}
