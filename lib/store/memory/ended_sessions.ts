/** Which sessions end for a new one, and how many of any end in one change. */

import type { Change, Session } from "../../store.ts";
import { forEachYielding } from "./scan.ts";

/** Few enough that one frame of them, or one statement, stays small. */
export const maxEndedAtOnce = 1_000;

/**
 * All sessions but the `keptCount` that were seen last; of those seen at once the newest stay. Yields to the event
 * loop, as an earlier version let a user have any number.
 */
export async function seenLongestAgo(sessions: Iterable<Session>, keptCount: number): Promise<readonly Session[]> {
  const kept: Session[] = [];
  const ended: Session[] = [];
  await forEachYielding(sessions, (session) => {
    let place = kept.length;
    // From the end, as sessions come nearly in the order in which they were seen.
    for (let last = kept[place - 1]; last !== undefined && isSeenBefore(session, last); last = kept[place - 1]) place--;
    kept.splice(place, 0, session);
    if (kept.length > keptCount) ended.push(...kept.splice(0, 1));
  });
  return ended;
}

function isSeenBefore(one: Session, other: Session): boolean {
  return one.lastSeenAt < other.lastSeenAt || one.lastSeenAt === other.lastSeenAt && one.id < other.id;
}

/** The changes that end sessions. */
export function deletionsOf(sessions: readonly Session[]): readonly Change[] {
  return sessions.map(({ id }) => ({ kind: "delete-session", id }));
}

/** Commits changes in order while they are too many for one frame. @returns those that are left for another change */
export async function commitAllButLast(
  changes: readonly Change[],
  commit: (changes: readonly Change[]) => Promise<void>,
): Promise<readonly Change[]> {
  let start = 0;
  for (; changes.length - start > maxEndedAtOnce; start += maxEndedAtOnce) {
    await commit(changes.slice(start, start + maxEndedAtOnce));
  }
  return changes.slice(start);
}
