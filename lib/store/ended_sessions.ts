/** Which sessions end for a new one, and how many of any end in one change. */

import type { Change, Session } from "../store.ts";

/** Few enough that one frame of them, or one statement, stays small. */
export const maxEndedAtOnce = 1_000;

/** All sessions but the `keptCount` that were seen last; of those seen at once the newest stay. */
export function seenLongestAgo(sessions: readonly Session[], keptCount: number): readonly Session[] {
  if (sessions.length <= keptCount) return [];
  const sorted = sessions.toSorted((one, other) => {
    return one.lastSeenAt - other.lastSeenAt || (one.id < other.id ? -1 : 1);
  });
  return sorted.slice(0, sessions.length - keptCount);
}

/** The changes that end sessions. */
export function deletionsOf(sessions: readonly Session[]): readonly Change[] {
  return sessions.map(({ id }) => ({ kind: "delete-session", id }));
}

/** Commits changes in order while they are too many for one frame. @returns those that are left for another change */
export async function inBatches(
  changes: readonly Change[],
  commit: (changes: readonly Change[]) => Promise<void>,
): Promise<readonly Change[]> {
  let start = 0;
  for (; changes.length - start > maxEndedAtOnce; start += maxEndedAtOnce) {
    await commit(changes.slice(start, start + maxEndedAtOnce));
  }
  return changes.slice(start);
}
