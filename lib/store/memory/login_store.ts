/** The rules of sessions over tables in memory. `TableStore` adds those of users, tickets and secrets. */

import {
  type ActorOptions,
  type InsertSessionOptions,
  maxSessionAheadMs,
  type Session,
  type User,
} from "../../store.ts";
import type { ExpiryLimits, SessionQuery } from "../queries.ts";
import { forEachYielding, pageOf, seenLongestAgo } from "./scan.ts";
import type { TableChanges } from "./table_changes.ts";
import type { Tables } from "./tables.ts";

/** Users whose sessions are ended side by side. */
const maxUsersAtOnce = 1_000;

/** The part of a `TableStore` that holds sessions. */
export abstract class LoginStore {
  readonly #tables: Tables;
  readonly #changes: TableChanges;

  constructor(tables: Tables, changes: TableChanges) {
    this.#tables = tables;
    this.#changes = changes;
  }

  findSession(id: string) {
    const session = this.#tables.sessions.get(id);
    const user = session && this.#tables.users.get(session.login);
    return Promise.resolve(session && user && { session, user });
  }

  insertSession(session: Session, user: User, { maxSessions = Infinity }: InsertSessionOptions = {}) {
    return this.#changes.run([session.login], async () => {
      const kept = this.#tables.users.get(session.login);
      if (kept?.id !== user.id || kept.passwordHash !== user.passwordHash || kept.disabled) return false;
      const ended = await seenLongestAgo(this.#tables.sessionsOf(session.login), maxSessions - 1);
      // Users can log in on a full disk too.
      await this.#changes.commitOrApply({ kind: "put-session", session }, ended);
      return true;
    });
  }

  async touchSession(id: string, lastSeenAt: number) {
    await this.#changes.runOnSession({ id }, async (session) => {
      const isAhead = Math.max(session.createdAt, session.lastSeenAt) - lastSeenAt > maxSessionAheadMs;
      if (session.lastSeenAt >= lastSeenAt && !isAhead) return;
      const createdAt = Math.min(session.createdAt, lastSeenAt);
      await this.#changes.commit([{ kind: "put-session", session: { ...session, createdAt, lastSeenAt } }]);
    });
  }

  deleteSession(id: string, { actor }: ActorOptions = {}) {
    return this.#changes.runOnSession({ id, actor }, (session) => this.#changes.commit([], [session]));
  }

  listSessions(login: string, { lastSeenUntil = -Infinity, createdUntil = -Infinity, ...query }: SessionQuery) {
    const isListed = (session: Session) => session.lastSeenAt > lastSeenUntil && session.createdAt > createdUntil;
    return pageOf(this.#tables.sessionsOf(login), { ...query, isListed });
  }

  deleteSessions(login: string, { actor }: ActorOptions = {}) {
    return this.#changes.runAs({ keys: [login], actor }, async () => {
      const user = this.#tables.users.get(login);
      const ended = this.#tables.sessionsOf(login);
      await this.#changes.commit(this.#tables.ticketDeletions(({ maker }) => maker === user?.id), ended);
      return ended.length;
    });
  }

  async deleteExpiredSessions({ lastSeenUntil, createdUntil }: ExpiryLimits) {
    const isExpired = (session: Session) => session.lastSeenAt <= lastSeenUntil || session.createdAt <= createdUntil;
    const found = new Set<string>();
    await forEachYielding(this.#tables.sessions.values(), (session) => {
      if (isExpired(session)) found.add(session.login);
    });
    let total = 0;
    const endExpired = (login: string) =>
      this.#changes.run([login], async () => {
        // Again under the lock: a session may have been seen meanwhile.
        const ended = this.#tables.sessionsOf(login, isExpired);
        await this.#changes.commit([], ended);
        return total += ended.length;
      });
    const logins = [...found];
    while (logins.length > 0) await Promise.all(logins.splice(-maxUsersAtOnce).map(endExpired));
    return total;
  }
}
