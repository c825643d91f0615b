/**
 * Counters: how often a thing was done, how often it may be, and when it may be done again.
 *
 * There are two kinds. One renews itself, evenly, within an hour: a token bucket, of which only the moment is kept at
 * which it is full again (the generic cell rate algorithm, ITU-T I.371), so that nothing has to be refilled. The other
 * counts what fails in a row, until that ends. This is arithmetic alone: `lib/limits/limit_store.ts` is where counts are kept.
 *
 * A clock may be set back, and those of several instances differ by a little. So no moment counts that is further ahead
 * of now than its rule allows, and a count that was taken further ahead than clocks differ is brought back to now: with
 * what was left to wait then, and no more.
 */

import { createHash } from "node:crypto";

export const hourMs = 60 * 60 * 1_000;
/** Milliseconds that sums of fractions may be off by. */
const roundingMs = 0.5;
/** When to come again while a row is full: time alone does not help. */
const fullSeconds = 60 * 60;
/**
 * What is under way for longer counts no more: whoever took it was killed. That is far more than the 5 s that a
 * password may wait for its turn.
 */
export const openMs = 60 * 1_000;
/** What was taken further ahead of now than this was so by a clock that was wrong. */
export const maxAheadMs = 60 * 1_000;

/** What is kept of one counter: of each kind its own members, the others are 0. */
export interface Count {
  /** When all may be done again, in milliseconds since the epoch. */
  readonly fullAt: number;
  /** Failed in a row. */
  readonly wrongCount: number;
  /** Taken, and under way: they may fail too. */
  readonly openCount: number;
  /** When the last was taken, in milliseconds since the epoch. */
  readonly openedAt: number;
}

/** Counts as of which nothing was done. */
export const noCount: Count = Object.freeze({ fullAt: 0, wrongCount: 0, openCount: 0, openedAt: 0 });

/** What a count becomes. @param now milliseconds since the epoch */
export type Step = (count: Count, now: number) => Count;

/** The rules of a kind of counter. */
export interface CounterKind {
  /** Tells it from every other. */
  readonly name: string;
  /** The whole seconds after which it may be done; 0 when it may be now. @param now milliseconds since the epoch */
  readonly waitSeconds: (count: Count, now: number) => number;
  /** Takes one, which is then under way. */
  readonly take: Step;
  /** Puts back one that was taken. */
  readonly putBack: Step;
  /** Brings a count that is too far ahead of now back to it; any other is returned as it is. */
  readonly bringBack: Step;
}

/** Counts failures in a row. */
export interface RowKind extends CounterKind {
  /** One that was taken has failed. */
  readonly fail: Step;
  /** Ends the row. What is under way counts on: it may fail after this. */
  readonly end: Step;
}

/** What counts, and for whom or what. */
export interface Counter<Kind extends CounterKind = CounterKind> {
  readonly kind: Kind;
  readonly of: readonly string[];
}

/** A kind of which so many may be done at once, and in an hour. @param perHour at least 1 */
export function tokenBucket(name: string, perHour: number): CounterKind {
  const refillMs = hourMs / perHour;
  return {
    name,
    waitSeconds: (count, now) => {
      const waitMs = fullMsOf(count, now) + refillMs - hourMs;
      return waitMs > roundingMs ? Math.ceil(waitMs / 1_000) : 0;
    },
    take: (count, now) => ({ ...noCount, fullAt: now + fullMsOf(count, now) + refillMs, openedAt: now }),
    putBack: (count, now) => {
      const beforeMs = fullMsOf(count, now) - refillMs;
      return beforeMs > roundingMs
        ? { ...count, fullAt: now + beforeMs, openedAt: Math.min(count.openedAt, now) }
        : noCount;
    },
    bringBack: (count, now) => {
      if (!isAhead(count, now) && count.fullAt - now <= hourMs + maxAheadMs) return count;
      const fullMs = fullMsOf(count, now);
      return fullMs > roundingMs ? { ...noCount, fullAt: now + fullMs, openedAt: now } : noCount;
    },
  };
}

/** A kind of which so many may fail one after another. */
export function consecutiveFailures(name: string, limit: number): RowKind {
  return {
    name,
    waitSeconds: (count, now) => {
      if (count.wrongCount >= limit) return fullSeconds;
      // Those that are under way may still turn out right, soon.
      return count.wrongCount + openCountOf(count, now) >= limit ? 1 : 0;
    },
    take: (count, now) => ({ ...count, openCount: openCountOf(count, now) + 1, openedAt: now }),
    putBack: (count, now) => whole({ ...count, openCount: openCountOf(count, now) - 1 }),
    fail: (count, now) => {
      return whole({ ...count, wrongCount: count.wrongCount + 1, openCount: openCountOf(count, now) - 1 });
    },
    end: (count) => whole({ ...count, wrongCount: 0 }),
    bringBack: (count, now) => isAhead(count, now) ? whole({ ...count, openCount: 0, openedAt: now }) : count,
  };
}

/**
 * What a counter is kept by, besides the name of its kind: a digest of its texts as JSON, so that "a", "bc" is not
 * "ab", "c".
 *
 * @param secret keeps whoever sees the digest from finding the texts
 */
export function counterKey({ of }: Counter, secret: string): string {
  return createHash("sha256").update(secret + JSON.stringify(of)).digest("hex");
}

function openCountOf(count: Count, now: number): number {
  return now - count.openedAt > openMs || isAhead(count, now) ? 0 : count.openCount;
}

/** After how many milliseconds all may be done again. */
function fullMsOf(count: Count, now: number): number {
  const { fullAt, openedAt } = count;
  return Math.min(Math.max(0, fullAt - (isAhead(count, now) ? openedAt : now)), hourMs);
}

function isAhead({ openedAt }: Count, now: number): boolean {
  return openedAt - now > maxAheadMs;
}

/** One that was over by time, or given up, may end after it. */
function whole(count: Count): Count {
  const openCount = Math.max(0, count.openCount);
  return count.wrongCount + openCount === 0 ? noCount : { ...count, openCount };
}
