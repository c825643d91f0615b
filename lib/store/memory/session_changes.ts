/** How `TableStore` adds and ends sessions: thousands may end at once, but only so many in one change. */

import { type Change, type Session, StoreFullError } from "../../store.ts";
import type { ExpiryLimits } from "../queries.ts";
import { forEachYielding } from "./scan.ts";
import type { TableLocks, TableStorage } from "./tables.ts";

type Commit = (changes: readonly Change[]) => Promise<void>;

/** Sessions that end in one change, few enough for a short frame; and users whose sessions end side by side. */
const maxAtOnce = 1_000;

/**
 * Adds a session and ends those that are too many, under the user's lock. If the disk is full, both last until the next
 * restart only, so that users can still log in.
 */
export async function addSession(
  storage: TableStorage,
  session: Session,
  { maxSessions }: { maxSessions: number },
): Promise<void> {
  const commit: Commit = async (changes) => {
    try {
      await storage.commit(changes);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      for (const change of changes) storage.tables.apply(change);
    }
  };
  const surplus = await seenLongestAgo(storage.tables.sessionsOf(session.login), maxSessions - 1);
  await commit([{ kind: "put-session", session }, ...await endAllButLast(surplus, commit)]);
}

/** Ends sessions of a user, under the user's lock. @returns the changes that end the last of them, to be committed */
export function endSessionsOf(
  storage: TableStorage,
  login: string,
  isEnded: (session: Session) => boolean = () => true,
): Promise<readonly Change[]> {
  const ended = Array.from(storage.tables.sessionsOf(login)).filter(isEnded);
  return endAllButLast(ended, (changes) => storage.commit(changes));
}

/** Ends expired sessions, as `Store.deleteExpiredSessions`. */
export async function endExpiredSessions(
  storage: TableStorage,
  { limits: { lastSeenUntil, createdUntil }, locks }: { limits: ExpiryLimits; locks: TableLocks },
): Promise<number> {
  const isExpired = (session: Session) => session.lastSeenAt <= lastSeenUntil || session.createdAt <= createdUntil;
  const found = new Set<string>();
  await forEachYielding(storage.tables.sessions.values(), (session) => {
    if (isExpired(session)) found.add(session.login);
  });
  const logins = [...found];
  let total = 0;
  const endExpired = (login: string) =>
    locks.ofLogin(login, async () => {
      // Again under the lock: a session may have been seen meanwhile.
      total += Array.from(storage.tables.sessionsOf(login)).filter(isExpired).length;
      const last = await endSessionsOf(storage, login, isExpired);
      if (last.length > 0) await storage.commit(last);
    });
  for (let start = 0; start < logins.length; start += maxAtOnce) {
    await Promise.all(logins.slice(start, start + maxAtOnce).map(endExpired));
  }
  return total;
}

/**
 * Returns all sessions but the `keptCount` that were seen last, and of those seen at the same time the newest. Yields
 * to the event loop, as an earlier version had no limit of sessions.
 */
async function seenLongestAgo(sessions: Iterable<Session>, keptCount: number): Promise<readonly Session[]> {
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

/** Ends sessions in changes of `maxAtOnce`. @returns the changes that end the last of them, to be committed */
async function endAllButLast(sessions: readonly Session[], commit: Commit): Promise<readonly Change[]> {
  const changes = sessions.map(({ id }): Change => ({ kind: "delete-session", id }));
  let start = 0;
  for (; changes.length - start > maxAtOnce; start += maxAtOnce) await commit(changes.slice(start, start + maxAtOnce));
  return changes.slice(start);
}
