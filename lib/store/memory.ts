/**
 * The store's rules over tables in memory: who may be inserted, replaced, ended, and in what order.
 *
 * What makes a change durable is handed in as `commit`; without it changes live as long as the process, which is
 * all that tests need. `FileStore` hands in its journal. Every change is made under the lock of its login, from
 * the look at what is kept to the end of `commit`, so that no two changes of one login overtake each other.
 */

import { iterationsOf } from "../password.ts";
import {
  type Actor,
  type ActorOptions,
  type Change,
  type Days,
  type HashCosts,
  isSameUser,
  type Put,
  type ReplaceOptions,
  type Session,
  type Store,
  StoreFullError,
  type StoreSize,
  type Ticket,
  type TicketOptions,
  type TicketPage,
  type TicketQuery,
  type User,
  type UserPage,
  type UserQuery,
  type UserSession,
} from "../store.ts";
import { recordsOf } from "./records.ts";
import { registrationsOn } from "./registrations.ts";
import { Tables } from "./tables.ts";
import { StoreLocks } from "./store_locks.ts";
import { isMadeByAdmin, ticketPageOf } from "./ticket_page.ts";
import { voidedTickets } from "./ticket_rules.ts";
import { pageOf } from "./user_page.ts";

/** Makes the changes durable as one, and then applies them to the tables, in this order. */
export type Commit = (changes: readonly Change[]) => Promise<void>;

/** Ended sessions are deleted this many at a time: few enough that one frame stays small. */
const sweepBatch = 1_000;
/** A `Store` that answers from memory. */
export class MemoryStore implements Store {
  readonly #tables: Tables;
  readonly #commit: Commit;
  readonly #locks: StoreLocks;

  /** @param tables what is kept already. @param commit by default the changes are only applied. */
  constructor(tables: Tables = new Tables(), commit?: Commit) {
    this.#tables = tables;
    this.#locks = new StoreLocks(tables);
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
    return this.#locks.ofLogin(user.login, () =>
      this.#locks.withTicket(ticketHash, async (used) => {
        if (this.#tables.user(user.login) !== undefined) return "taken";
        await this.#commit([{ kind: "put-user", user }, ...used]);
        return "done";
      }));
  }

  replaceUser(
    current: User,
    next: User,
    { actor, endSessionsBut, ticketHash }: ReplaceOptions = {},
  ): Promise<"done" | "stale" | "last-admin" | "no-ticket" | "forbidden"> {
    const { id, login } = current;
    if (login !== next.login) throw new TypeError(`Cannot replace user "${login}": its login cannot change`);
    const replace = async (used: readonly Change[]) => {
      if (!isSameUser(this.#tables.user(login), current)) return "stale" as const;
      const keptSession = next.disabled ? "" : endSessionsBut;
      const ended = keptSession === undefined ? [] : this.#endSessions(login, keptSession);
      const voided = voidedTickets(current, next, endSessionsBut !== undefined);
      const tickets = this.#deleteTickets((ticket) =>
        voided.made && ticket.maker === id || voided.resets && isResetOf(ticket, login)
      );
      await this.#commit([{ kind: "put-user", user: next }, ...ended, ...tickets, ...used]);
      return "done" as const;
    };
    return this.#locks.as(
      { actor, login },
      () =>
        this.#locks.withTicket(ticketHash, (used) => this.#locks.keepingAnAdmin({ login, next }, () => replace(used))),
    );
  }

  deleteUser(
    user: User,
    { actor }: ActorOptions = {},
  ): Promise<"done" | "missing" | "stale" | "last-admin" | "forbidden"> {
    const { id, login } = user;
    return this.#locks.as({ actor, login }, async () => {
      const kept = this.#tables.user(login);
      if (kept?.id !== id) return "missing";
      if (!isSameUser(kept, user)) return "stale";
      return await this.#locks.keepingAnAdmin({ login }, async () => {
        await this.#commit([
          { kind: "delete-user", login },
          ...this.#endSessions(login, ""),
          ...this.#deleteTickets((ticket) => ticket.maker === id || isResetOf(ticket, login)),
        ]);
        return "done" as const;
      });
    });
  }

  findSession(id: string): Promise<UserSession | undefined> {
    const session = this.#tables.session(id);
    const user = session && this.#tables.user(session.login);
    return Promise.resolve(session && user && { session, user });
  }

  insertSession(session: Session, user: User): Promise<boolean> {
    return this.#locks.ofLogin(session.login, async () => {
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

  deleteSession(id: string, { actor }: ActorOptions = {}): Promise<boolean> {
    return this.#withSession(id, () => this.#commit([{ kind: "delete-session", id }]), actor);
  }

  listSessions(login: string): Promise<readonly Session[]> {
    const sessions = this.#tables.sessionIdsOf(login).map((id) => this.#tables.session(id));
    return Promise.resolve(sessions.filter((session) => session !== undefined));
  }

  deleteSessions(login: string, { actor }: ActorOptions = {}): Promise<number | "forbidden"> {
    return this.#locks.as({ actor, login }, async () => {
      const maker = this.#tables.user(login)?.id;
      const ended = this.#endSessions(login, "");
      const tickets = maker === undefined ? [] : this.#deleteTickets((ticket) => ticket.maker === maker);
      if (ended.length + tickets.length > 0) await this.#commit([...ended, ...tickets]);
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
    const ticket = this.#tables.ticket(secretHash);
    return Promise.resolve(ticket !== undefined && isMadeByAdmin(ticket, this.#tables) ? ticket : undefined);
  }

  listTickets(query: TicketQuery): Promise<TicketPage> {
    return Promise.resolve(ticketPageOf(this.#tables, query));
  }

  insertTicket(
    ticket: Ticket,
    { actor, target }: TicketOptions = {},
  ): Promise<"done" | "missing" | "stale" | "forbidden"> {
    return this.#locks.as({ actor, login: ticket.login }, () =>
      this.#locks.ofTickets(async () => {
        const user = this.#tables.user(ticket.login);
        if (ticket.purpose === "reset" && user === undefined) return "missing";
        if (target !== undefined && !isSameUser(user, target)) return "stale";
        const replaced = ticket.purpose === "setup"
          ? this.#deleteTickets((other) => other.purpose === "setup" && other.secretHash !== ticket.secretHash)
          : [];
        await this.#commit([{ kind: "put-ticket", ticket }, ...replaced]);
        return "done";
      }));
  }

  deleteTicket(id: string, { actor }: ActorOptions = {}): Promise<"done" | "missing" | "forbidden"> {
    return this.#locks.as({ actor, login: "" }, async () => {
      const [found] = this.#deleteTickets((ticket) => ticket.id === id && ticket.purpose !== "setup");
      if (found?.kind !== "delete-ticket") return "missing";
      const outcome = await this.#locks.withTicket(found.secretHash, async (used) => {
        await this.#commit(used);
        return "done" as const;
      });
      return outcome === "no-ticket" ? "missing" : outcome;
    });
  }

  deleteExpiredTickets(expiresUntil: number): Promise<number> {
    return this.#locks.ofTickets(async () => {
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

  /** Runs `change` under the lock of the session's login. @returns `false` when it has ended, or the actor may not */
  async #withSession(id: string, change: (session: Session) => Promise<void>, actor?: Actor): Promise<boolean> {
    const login = this.#tables.session(id)?.login;
    if (login === undefined) return false;
    const outcome = await this.#locks.as({ actor, login }, async () => {
      const session = this.#tables.session(id);
      if (session === undefined) return "missing";
      await change(session);
      return "done";
    });
    return outcome === "done";
  }
}

function isResetOf({ purpose, login }: Ticket, ofLogin: string): boolean {
  return purpose === "reset" && login === ofLogin;
}
