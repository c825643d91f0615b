/**
 * The store's rules over tables in memory: who may be inserted, replaced, ended, and in what order.
 *
 * What makes a change durable is handed in as `commit`; without it changes live as long as the process, which is
 * all that tests need. `FileStore` hands in its journal. Every change is made under the lock of its login, from
 * the look at what is kept to the end of `commit`, so that no two changes of one login overtake each other.
 */

import { KeyedLock } from "../keyed_lock.ts";
import { iterationsOf } from "../password.ts";
import {
  type Change,
  type Days,
  type HashCosts,
  isAdmin,
  isSameUser,
  type Put,
  type ReplaceOptions,
  type Session,
  type Store,
  StoreFullError,
  type StoreSize,
  type Ticket,
  type User,
  type UserPage,
  type UserQuery,
  type UserSession,
} from "../store.ts";
import { recordsOf } from "./records.ts";
import { registrationsOn } from "./registrations.ts";
import { Tables } from "./tables.ts";
import { pageOf } from "./user_page.ts";

/** Makes the changes durable as one, and then applies them to the tables, in this order. */
export type Commit = (changes: readonly Change[]) => Promise<void>;

/** Ended sessions are deleted this many at a time: few enough that one frame stays small. */
const sweepBatch = 1_000;
/**
 * Locks of their own, as that of each ticket: no login has a space. They are taken inside that of a login, admins last.
 */
const ticketsKey = "all tickets";
const adminsKey = "all admins";

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

  listUsers(query: UserQuery): Promise<UserPage> {
    return pageOf(this.#tables.users(), query);
  }

  countAdmins(): Promise<number> {
    return Promise.resolve(this.#tables.adminCount);
  }

  countRegistrations(days: Days): Promise<readonly number[]> {
    return registrationsOn(days, this.#tables.users());
  }

  hashCosts(): Promise<HashCosts> {
    let [highestIterations, unusableCount] = [0, 0];
    let head = "";
    for (const { passwordHash } of this.#tables.users()) {
      // Nearly all cost the same, which is seen in a tenth of the time that parsing takes.
      if (head !== "" && passwordHash.startsWith(head)) continue;
      const iterations = iterationsOf(passwordHash);
      if (iterations === 0) unusableCount++;
      highestIterations = Math.max(highestIterations, iterations);
      head = iterations === 0 ? "" : passwordHash.slice(0, passwordHash.indexOf("$", passwordHash.indexOf("i=")) + 1);
    }
    return Promise.resolve({ highestIterations, unusableCount });
  }

  insertUser(user: User, ticketHash?: string): Promise<"done" | "taken" | "no-ticket"> {
    return this.#lock.run(user.login, () =>
      this.#withTicket(ticketHash, async (used) => {
        if (this.#tables.user(user.login) !== undefined) return "taken";
        await this.#commit([{ kind: "put-user", user }, ...used]);
        return "done";
      }));
  }

  replaceUser(
    current: User,
    next: User,
    options: ReplaceOptions = {},
  ): Promise<"done" | "stale" | "last-admin" | "no-ticket"> {
    const { login } = current;
    if (login !== next.login) throw new TypeError(`Cannot replace user "${login}": its login cannot change`);
    const replace = async (used: Change[]) => {
      if (!isSameUser(this.#tables.user(login), current)) return "stale" as const;
      const keptSession = next.disabled ? "" : options.endSessionsBut;
      const ended = keptSession === undefined ? [] : this.#endSessions(login, keptSession);
      const resets = options.endSessionsBut === undefined ? [] : this.#deleteResets(login);
      await this.#commit([{ kind: "put-user", user: next }, ...ended, ...resets, ...used]);
      return "done" as const;
    };
    return this.#lock.run(
      login,
      () => this.#withTicket(options.ticketHash, (used) => this.#keepingAnAdmin(login, next, () => replace(used))),
    );
  }

  deleteUser(login: string): Promise<"done" | "missing" | "last-admin"> {
    return this.#lock.run(login, () =>
      this.#keepingAnAdmin(login, undefined, async () => {
        if (this.#tables.user(login) === undefined) return "missing";
        await this.#commit([
          { kind: "delete-user", login },
          ...this.#endSessions(login, ""),
          ...this.#deleteResets(login),
        ]);
        return "done";
      }));
  }

  findSession(id: string): Promise<UserSession | undefined> {
    const session = this.#tables.session(id);
    const user = session && this.#tables.user(session.login);
    return Promise.resolve(session && user && { session, user });
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

  listSessions(login: string): Promise<readonly Session[]> {
    const sessions = this.#tables.sessionIdsOf(login).map((id) => this.#tables.session(id));
    return Promise.resolve(sessions.filter((session) => session !== undefined));
  }

  deleteSessions(login: string): Promise<number> {
    return this.#lock.run(login, async () => {
      const ended = this.#endSessions(login, "");
      if (ended.length > 0) await this.#commit(ended);
      return ended.length;
    });
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

  findTicket(secretHash: string): Promise<Ticket | undefined> {
    return Promise.resolve(this.#tables.ticket(secretHash));
  }

  insertTicket(ticket: Ticket): Promise<boolean> {
    return this.#lock.run(ticket.login, () =>
      this.#lock.run(ticketsKey, async () => {
        if (ticket.purpose === "reset" && this.#tables.user(ticket.login) === undefined) return false;
        const replaced = ticket.purpose === "setup"
          ? this.#deleteTickets((other) => other.purpose === "setup" && other.secretHash !== ticket.secretHash)
          : [];
        await this.#commit([{ kind: "put-ticket", ticket }, ...replaced]);
        return true;
      }));
  }

  deleteExpiredTickets(expiresUntil: number): Promise<number> {
    return this.#lock.run(ticketsKey, async () => {
      const deleted = this.#deleteTickets((ticket) => ticket.expiresAt <= expiresUntil);
      if (deleted.length > 0) await this.#commit(deleted);
      return deleted.length;
    });
  }

  records(): AsyncIterable<readonly Put[]> {
    return recordsOf(this.#tables);
  }

  async insertRecords(records: readonly Put[]): Promise<void> {
    const added = records.filter((record) => !this.#tables.has(record));
    if (added.length > 0) await this.#commit(added);
  }

  size(): Promise<StoreSize> {
    return Promise.resolve({ users: this.#tables.userCount, sessions: this.#tables.sessionCount, bytes: 0 });
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

  #endSessions(login: string, keptId: string): Change[] {
    const ids = this.#tables.sessionIdsOf(login).filter((id) => id !== keptId);
    return ids.map((id) => ({ kind: "delete-session", id }));
  }

  #deleteTickets(isDeleted: (ticket: Ticket) => boolean): Change[] {
    return Array.from(this.#tables.tickets()).filter(isDeleted)
      .map(({ secretHash }) => ({ kind: "delete-ticket", secretHash }));
  }

  #deleteResets(login: string): Change[] {
    return this.#deleteTickets((ticket) => ticket.purpose === "reset" && ticket.login === login);
  }

  /** Runs `change` with what uses up the ticket, if there is one, so that of any number at once one finds it. */
  async #withTicket<Outcome>(
    ticketHash: string | undefined,
    change: (used: Change[]) => Promise<Outcome>,
  ): Promise<Outcome | "no-ticket"> {
    if (ticketHash === undefined) return await change([]);
    return await this.#lock.run(`ticket ${ticketHash}`, async () => {
      if (this.#tables.ticket(ticketHash) === undefined) return "no-ticket";
      return await change([{ kind: "delete-ticket", secretHash: ticketHash }]);
    });
  }

  /** Runs `change` unless it takes away the last admin: one at a time, as two admins could each remove the other. */
  async #keepingAnAdmin<Outcome>(
    login: string,
    next: User | undefined,
    change: () => Promise<Outcome>,
  ): Promise<Outcome | "last-admin"> {
    const isAdminNow = () => isAdminUser(this.#tables.user(login));
    if (!isAdminNow() || isAdminUser(next)) return await change();
    return await this.#lock.run(adminsKey, async () => {
      if (isAdminNow() && this.#tables.adminCount === 1) return "last-admin";
      return await change();
    });
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

function isAdminUser(user: User | undefined): boolean {
  return user !== undefined && isAdmin(user);
}
