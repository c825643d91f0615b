/**
 * Rules of limits: pure functions of the state of one limit. `lib/limits/rate_limiter.ts` stores and applies them.
 *
 * - A token bucket refills evenly within an hour. Its state is the time at which it is full again, so nothing has to
 *   refill it (generic cell rate algorithm, ITU-T I.371).
 * - Consecutive failures add up until a success; time does not reset them.
 *
 * A clock can be set back, and the clocks of instances differ slightly. A state that is more than `maxAheadMs` ahead of
 * the clock is moved back to it; the time left to wait stays the same.
 */

import { createHash } from "node:crypto";
import { networksOf } from "../http/client_address.ts";

export const hourMs = 60 * 60 * 1_000;
/** Pending attempts expire after this, as their process may be killed. A hash waits at most 5 s. */
export const pendingMs = 60 * 1_000;
/** A state further ahead of the clock was written by a wrong clock. */
export const maxAheadMs = 60 * 1_000;
/** Rounding errors of sums of fractional milliseconds are smaller. */
const roundingMs = 0.5;
/**
 * Limits of a client, an IPv6 /56 (256 clients) and a /48 (65,536), as multiples of the first. They bound how many
 * states one network can evict: at 100 an hour, a /48 fills the 100,000 states of a rule in 100 hours.
 */
const clientFactors = [["", 1], ["-network-1", 4], ["-network-2", 10]] as const;

/** State of one limit. Each rule uses its own members; the others are 0. */
export interface LimitState {
  /** When a token bucket is full again, in milliseconds since the epoch. */
  readonly fullAt: number;
  /** Consecutive failures. */
  readonly wrongCount: number;
  /** Attempts that were taken and are pending: they can still fail. */
  readonly openCount: number;
  /** When the last attempt was taken, in milliseconds since the epoch. */
  readonly openedAt: number;
}

/** State of a limit that was never used. */
export const unused: LimitState = Object.freeze({ fullAt: 0, wrongCount: 0, openCount: 0, openedAt: 0 });

/** Computes the next state. @param now milliseconds since the epoch */
export type LimitStep = (state: LimitState, now: number) => LimitState;

/** How one kind of limit counts. Its functions expect a state that `clampToClock` has returned. */
export interface LimitRule {
  /** Unique. */
  readonly name: string;
  /** Whole seconds until the next attempt is allowed, 0 if it is allowed now. */
  readonly waitSeconds: (state: LimitState, now: number) => number;
  /** Takes one attempt, which is then pending. */
  readonly take: LimitStep;
  /** Undoes `take`. */
  readonly putBack: LimitStep;
  /** A pending attempt has succeeded. */
  readonly succeed: LimitStep;
  /** A pending attempt has failed. Without this step it stays taken. */
  readonly fail?: LimitStep;
}

/** A rule, and what it limits: a login, a client, or both. */
export interface LimitKey {
  readonly rule: LimitRule;
  readonly parts: readonly string[];
}

/** Returns the keys of a client and of its IPv6 networks. @param client see `rateLimitKey` */
export type ClientLimit = (client: string) => readonly LimitKey[];

/** Allows a burst of `perHour` attempts, and that many per hour. @param perHour at least 1 */
export function tokenBucket(name: string, perHour: number): LimitRule {
  const refillMs = hourMs / perHour;
  const putBack = (state: LimitState, now: number) => {
    const ms = missingMs(state, now) - refillMs;
    return ms > roundingMs ? { ...state, fullAt: now + ms } : unused;
  };
  return {
    name,
    waitSeconds: (state, now) => {
      const waitMs = missingMs(state, now) + refillMs - hourMs;
      return waitMs > roundingMs ? Math.ceil(waitMs / 1_000) : 0;
    },
    take: (state, now) => ({ ...unused, fullAt: now + missingMs(state, now) + refillMs, openedAt: now }),
    putBack,
    succeed: putBack,
  };
}

/** Allows `limit` failures in a row, pending attempts included. */
export function consecutiveFailures(name: string, limit: number): LimitRule {
  const end = (state: LimitState, now: number) => normalized({ ...state, openCount: pendingCount(state, now) - 1 });
  return {
    name,
    waitSeconds: (state, now) => {
      // Nominal, as time does not reset the row.
      if (state.wrongCount >= limit) return hourMs / 1_000;
      // Pending attempts may succeed soon.
      return state.wrongCount + pendingCount(state, now) >= limit ? 1 : 0;
    },
    take: (state, now) => ({ ...state, openCount: pendingCount(state, now) + 1, openedAt: now }),
    putBack: end,
    succeed: (state, now) => end(resetFailures(state), now),
    fail: (state, now) => end({ ...state, wrongCount: state.wrongCount + 1 }, now),
  };
}

/** Resets the failures in a row. Pending attempts still count, as they can fail later. */
export function resetFailures(state: LimitState): LimitState {
  return normalized({ ...state, wrongCount: 0 });
}

/** Limits each client, and its IPv6 networks. @param perHour of one client, as in `tokenBucket`; 0 is unlimited */
export function clientLimit(name: string, perHour: number): ClientLimit {
  if (perHour === 0) return () => [];
  const rules = clientFactors.map(([suffix, factor]) => tokenBucket(name + suffix, factor * perHour));
  return (client) => {
    const parts = [client, ...networksOf(client)];
    return rules.slice(0, parts.length).map((rule, index) => ({ rule, parts: parts.slice(index, index + 1) }));
  };
}

/** Moves a state that is ahead of the clock back to it, and returns any other state itself. */
export function clampToClock(state: LimitState, now: number): LimitState {
  const isAhead = state.openedAt - now > maxAheadMs;
  if (!isAhead && state.fullAt - now <= hourMs + maxAheadMs) return state;
  const ms = missingMs(state, isAhead ? state.openedAt : now);
  const openCount = isAhead ? 0 : pendingCount(state, now);
  return normalized({ ...state, fullAt: ms > roundingMs ? now + ms : 0, openCount, openedAt: now });
}

/**
 * Digest of the parts of a key. They are hashed as JSON, so that "a", "bc" differs from "ab", "c".
 *
 * @param secret prevents a reader of the digest from guessing the parts
 */
export function keyDigest({ parts }: LimitKey, secret: string): string {
  return createHash("sha256").update(secret + JSON.stringify(parts)).digest("hex");
}

/** Milliseconds until the bucket is full. */
function missingMs({ fullAt }: LimitState, now: number): number {
  return Math.min(Math.max(0, fullAt - now), hourMs);
}

function pendingCount({ openCount, openedAt }: LimitState, now: number): number {
  return now - openedAt > pendingMs ? 0 : openCount;
}

/** An attempt can end after it has expired or its state was evicted: the count stays at least 0. */
function normalized(state: LimitState): LimitState {
  const openCount = Math.max(0, state.openCount);
  return state.fullAt + state.wrongCount + openCount === 0 ? unused : { ...state, openCount };
}
