/**
 * The store's rules over tables in memory: who may be inserted, replaced, ended, and in what order.
 *
 * What makes a change durable is handed in as `commit`; without it changes live as long as the process, which is
 * all that tests need. `FileStore` hands in its journal. Every change is made under the lock of its login, from
 * the look at what is kept to the end of `commit`, so that no two changes of one login overtake each other.
 */

import { KeyedLock } from "../keyed_lock.ts";
import { type Change, type Session, type Store, StoreFullError, type User } from "../store.ts";
import { Tables } from "./tables.ts";

/** Makes the changes durable as one, and then applies them to the tables, in this order. */
export type Commit = (changes: readonly Change[]) => Promise<void>;

/** Ended sessions are deleted this many at a time: few enough that one frame stays small. */
const sweepBatch = 1_000;

/** A `Store` that answers from memory. */
export class MemoryStore implements Store {
  readonly #tables: Tables;
  readonly #commit: Commit;
  readonly #lock = new KeyedLock();

  /** @param tables what is kept already. @param commit by default the changes are only applied. */
  constructor(tables: Tables = new Tables(), commit?: Commit) {
    this.#tables = tables;
    this.#commit = commit ?? ((changes) => {
      for (const change of changes) tables.apply(change);
      return Promise.resolve();
    });
  }

  findUser(login: string): Promise<User | undefined> {
    return Promise.resolve(this.#tables.user(login));
  }

  insertUser(user: User): Promise<boolean> {
    return this.#lock.run(user.login, async () => {
      if (this.#tables.user(user.login) !== undefined) return false;
      await this.#commit([{ kind: "put-user", user }]);
      return true;
    });
  }

  replaceUser(current: User, next: User): Promise<boolean> {
    if (current.login !== next.login) {
      throw new TypeError(`Cannot replace user "${current.login}": its login cannot change`);
    }
    return this.#lock.run(current.login, async () => {
      if (!isSameUser(this.#tables.user(current.login), current)) return false;
      const ended = next.disabled ? this.#endSessions(current.login) : [];
      await this.#commit([{ kind: "put-user", user: next }, ...ended]);
      return true;
    });
  }

  deleteUser(login: string): Promise<boolean> {
    return this.#lock.run(login, async () => {
      if (this.#tables.user(login) === undefined) return false;
      await this.#commit([{ kind: "delete-user", login }, ...this.#endSessions(login)]);
      return true;
    });
  }

  findSession(id: string): Promise<Session | undefined> {
    return Promise.resolve(this.#tables.session(id));
  }

  insertSession(session: Session, user: User): Promise<boolean> {
    return this.#lock.run(session.login, async () => {
      const kept = this.#tables.user(session.login);
      if (kept?.id !== user.id || kept.passwordHash !== user.passwordHash || kept.disabled) return false;
      await this.#commitOrRemember({ kind: "put-session", session });
      return true;
    });
  }

  async touchSession(id: string, lastSeenAt: number): Promise<void> {
    await this.#withSession(id, async (session) => {
      if (session.lastSeenAt >= lastSeenAt) return;
      await this.#commit([{ kind: "put-session", session: { ...session, lastSeenAt } }]);
    });
  }

  deleteSession(id: string): Promise<boolean> {
    return this.#withSession(id, () => this.#commit([{ kind: "delete-session", id }]));
  }

  async deleteExpiredSessions(limits: { lastSeenUntil: number; createdUntil: number }): Promise<number> {
    const { lastSeenUntil, createdUntil } = limits;
    const expired: string[] = [];
    for (const session of this.#tables.sessions()) {
      if (session.lastSeenAt <= lastSeenUntil || session.createdAt <= createdUntil) expired.push(session.id);
    }
    let count = 0;
    for (let start = 0; start < expired.length; start += sweepBatch) {
      const ids = expired.slice(start, start + sweepBatch);
      const deleted = await Promise.all(ids.map((id) => this.deleteSession(id)));
      count += deleted.filter(Boolean).length;
    }
    return count;
  }

  fault(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /** A full disk must not keep people from logging in: a session that finds no room is kept until the next restart. */
  async #commitOrRemember(change: Change): Promise<void> {
    try {
      await this.#commit([change]);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      this.#tables.apply(change);
    }
  }

  #endSessions(login: string): Change[] {
    return this.#tables.sessionIdsOf(login).map((id) => ({ kind: "delete-session", id }));
  }

  /** Runs `change` under the lock of the session's login. @returns `false` when the session has ended */
  async #withSession(id: string, change: (session: Session) => Promise<void>): Promise<boolean> {
    const login = this.#tables.session(id)?.login;
    if (login === undefined) return false;
    return await this.#lock.run(login, async () => {
      const session = this.#tables.session(id);
      if (session === undefined) return false;
      await change(session);
      return true;
    });
  }
}

/** A record is replaced whole and never written to, so the same state is the same in these fields. */
function isSameUser(kept: User | undefined, expected: User): boolean {
  return kept !== undefined && kept.id === expected.id && kept.passwordHash === expected.passwordHash &&
    kept.disabled === expected.disabled && kept.groups.join() === expected.groups.join();
}
