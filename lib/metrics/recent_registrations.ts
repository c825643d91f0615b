/** Registrations on each of the last days, for the status page. */

import type { Store } from "../store.ts";
import type { Days } from "../store/queries.ts";
import { TtlCache } from "../ttl_cache.ts";

const dayMs = 24 * 60 * 60 * 1_000;
/** Today included. */
const shownDays = 30;
/** Counting is O(users): however many status pages are open, it takes at most a twentieth of the time. */
const age = { keepMs: 10_000, timesCost: 20 };

/** Days (UTC), and how many users registered on each of them. */
export type RecentRegistrations = TtlCache<{ readonly days: Days; readonly counts: readonly number[] }>;

/** Counts the registrations when they are asked for. @param now milliseconds since the epoch */
export function recentRegistrations(store: Store, now: () => number): RecentRegistrations {
  return new TtlCache(async () => {
    const days = { first: Math.floor(now() / dayMs) - shownDays + 1, count: shownDays };
    return { days, counts: await store.countRegistrations(days) };
  }, age);
}
