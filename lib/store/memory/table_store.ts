/**
 * The rules of a store over tables in memory: each method checks a change against the tables and commits it.
 *
 * The storage it is given holds the tables and commits changes to them: in memory only, or to a data folder first
 * (`lib/store/file/file_store.ts`). A change holds the lock of its login from the check to the end of the commit, so
 * that changes of one login never interleave.
 */

import {
  type Actor,
  type ActorOptions,
  type Change,
  type InsertSessionOptions,
  maxSessionAheadMs,
  type ReplaceOptions,
  type Session,
  type SessionPage,
  type Store,
  type StoredRecord,
  type Ticket,
  type TicketOptions,
  type User,
  type UserPage,
} from "../../store.ts";
import type { Days, ExpiryLimits, SessionQuery, TicketQuery, UserQuery } from "../queries.ts";
import { isSameUser, voidedTickets } from "../rules.ts";
import { hashCostsOf, pageOf, recordsOf, registrationsOn } from "./scan.ts";
import { addSession, endExpiredSessions, endSessionsOf } from "./session_changes.ts";
import { memoryStorage, TableLocks, type Tables, type TableStorage } from "./tables.ts";
import { insertTicket, isMadeByAdmin, isResetOf, ticketDeletions, ticketPageOf } from "./ticket_changes.ts";

/** A store that answers from memory. */
export class TableStore implements Store {
  readonly #storage: TableStorage;
  readonly #tables: Tables;
  readonly #locks: TableLocks;

  constructor(storage: TableStorage = memoryStorage()) {
    this.#storage = storage;
    this.#tables = storage.tables;
    this.#locks = new TableLocks(storage.tables);
  }

  findUser(login: string): Promise<User | undefined> {
    return Promise.resolve(this.#tables.users.get(login));
  }

  async listUsers({ limit, after, prefix = "", contains = "", group = "", sort }: UserQuery): Promise<UserPage> {
    const { items, ...rest } = await pageOf(this.#tables.users.values(), {
      limit,
      after,
      isListed: ({ login, groups }) =>
        login.startsWith(prefix) && login.includes(contains) && (group === "" || groups.includes(group)),
      ...sort === "login" && { keyOf: ({ login }: User) => login },
      isDescending: sort === "-registered_at",
    });
    return { users: items, ...rest };
  }

  countAdmins() {
    return Promise.resolve(this.#tables.adminCount);
  }

  countRegistrations(days: Days) {
    return registrationsOn(days, this.#tables.users.values());
  }

  hashCosts() {
    return Promise.resolve(hashCostsOf(this.#tables.users.values()));
  }

  insertUser(user: User, ticketHash?: string): Promise<"done" | "taken" | "no-ticket"> {
    return this.#locks.ofLogin(user.login, () =>
      this.#locks.withTicket(ticketHash, async (used) => {
        if (this.#tables.users.get(user.login) !== undefined) return "taken";
        await this.#storage.commit([{ kind: "put-user", user }, ...used]);
        return "done";
      }));
  }

  replaceUser(
    current: User,
    next: User,
    { actor, keepSessionId, ticketHash }: ReplaceOptions = {},
  ): Promise<"done" | "stale" | "last-admin" | "no-ticket" | "forbidden"> {
    const { id, login } = current;
    if (login !== next.login) throw new TypeError(`Cannot replace user "${login}": its login cannot change`);
    const replace = async (used: readonly Change[]) => {
      if (!isSameUser(this.#tables.users.get(login), current)) return "stale" as const;
      const keptId = next.disabled ? "" : keepSessionId;
      const ended = keptId === undefined ? [] : await endSessionsOf(this.#storage, login, ({ id }) => id !== keptId);
      const voided = voidedTickets({ current, next, isNewPassword: keepSessionId !== undefined });
      const tickets = ticketDeletions(
        this.#tables,
        (ticket) => voided.made && ticket.maker === id || voided.resets && isResetOf(ticket, login),
      );
      await this.#storage.commit([{ kind: "put-user", user: next }, ...ended, ...tickets, ...used]);
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
      const kept = this.#tables.users.get(login);
      if (kept?.id !== id) return "missing";
      if (!isSameUser(kept, user)) return "stale";
      return await this.#locks.keepingAnAdmin({ login }, async () => {
        const ended = await endSessionsOf(this.#storage, login);
        const tickets = ticketDeletions(this.#tables, (ticket) => ticket.maker === id || isResetOf(ticket, login));
        await this.#storage.commit([{ kind: "delete-user", login }, ...ended, ...tickets]);
        return "done" as const;
      });
    });
  }

  findSession(id: string) {
    const session = this.#tables.sessions.get(id);
    const user = session && this.#tables.users.get(session.login);
    return Promise.resolve(session && user && { session, user });
  }

  insertSession(session: Session, user: User, { maxSessions = Infinity }: InsertSessionOptions = {}): Promise<boolean> {
    return this.#locks.ofLogin(session.login, async () => {
      const kept = this.#tables.users.get(session.login);
      if (kept?.id !== user.id || kept.passwordHash !== user.passwordHash || kept.disabled) return false;
      await addSession(this.#storage, session, { maxSessions });
      return true;
    });
  }

  async touchSession(id: string, lastSeenAt: number): Promise<void> {
    await this.#withSession(id, async (session) => {
      const isAhead = Math.max(session.createdAt, session.lastSeenAt) - lastSeenAt > maxSessionAheadMs;
      if (session.lastSeenAt >= lastSeenAt && !isAhead) return;
      const createdAt = Math.min(session.createdAt, lastSeenAt);
      await this.#storage.commit([{ kind: "put-session", session: { ...session, createdAt, lastSeenAt } }]);
    });
  }

  deleteSession(id: string, { actor }: ActorOptions = {}): Promise<boolean> {
    return this.#withSession(id, () => this.#storage.commit([{ kind: "delete-session", id }]), actor);
  }

  async listSessions(
    login: string,
    { limit, after, seenAfter = -Infinity, createdAfter = -Infinity }: SessionQuery,
  ): Promise<SessionPage> {
    const isListed = (session: Session) => session.lastSeenAt > seenAfter && session.createdAt > createdAfter;
    const { items, ...rest } = await pageOf(this.#tables.sessionsOf(login), { limit, after, isListed });
    return { sessions: items, ...rest };
  }

  deleteSessions(login: string, { actor }: ActorOptions = {}): Promise<number | "forbidden"> {
    return this.#locks.as({ actor, login }, async () => {
      const maker = this.#tables.users.get(login)?.id;
      const count = Array.from(this.#tables.sessionsOf(login)).length;
      const ended = await endSessionsOf(this.#storage, login);
      const tickets = maker === undefined ? [] : ticketDeletions(this.#tables, (ticket) => ticket.maker === maker);
      if (ended.length + tickets.length > 0) await this.#storage.commit([...ended, ...tickets]);
      return count;
    });
  }

  deleteExpiredSessions(limits: ExpiryLimits): Promise<number> {
    return endExpiredSessions(this.#storage, { limits, locks: this.#locks });
  }

  findTicket(secretHash: string): Promise<Ticket | undefined> {
    const ticket = this.#tables.tickets.get(secretHash);
    return Promise.resolve(ticket !== undefined && isMadeByAdmin(ticket, this.#tables) ? ticket : undefined);
  }

  listTickets(query: TicketQuery) {
    return Promise.resolve(ticketPageOf(this.#tables, query));
  }

  insertTicket(ticket: Ticket, options: TicketOptions = {}): Promise<"done" | "missing" | "stale" | "forbidden"> {
    return insertTicket(this.#storage, ticket, { ...options, locks: this.#locks });
  }

  deleteTicket(id: string, { actor }: ActorOptions = {}): Promise<"done" | "missing" | "forbidden"> {
    return this.#locks.as({ actor, login: "" }, async () => {
      const found = Array.from(this.#tables.tickets.values()).find((other) =>
        other.id === id && other.purpose !== "setup"
      );
      if (found === undefined) return "missing";
      const commit = (used: readonly Change[]) => this.#storage.commit(used).then(() => "done" as const);
      const outcome = await this.#locks.withTicket(found.secretHash, commit);
      return outcome === "done" ? outcome : "missing";
    });
  }

  deleteExpiredTickets(expiresUntil: number): Promise<number> {
    return this.#locks.ofTickets(async () => {
      const deletions = ticketDeletions(this.#tables, (ticket) => ticket.expiresAt <= expiresUntil);
      if (deletions.length > 0) await this.#storage.commit(deletions);
      return deletions.length;
    });
  }

  records(): AsyncIterable<readonly StoredRecord[]> {
    return recordsOf(this.#tables);
  }

  async insertRecords(records: readonly StoredRecord[]): Promise<void> {
    const added = records.filter((record) => !this.#tables.has(record));
    if (added.length > 0) await this.#storage.commit(added);
  }

  size() {
    const { users, sessions } = this.#tables;
    return Promise.resolve({ users: users.size, sessions: sessions.size, bytes: this.#storage.bytes });
  }

  failure(): Promise<string | undefined> {
    return Promise.resolve(this.#storage.failure);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#storage.close();
  }

  /** Runs `change` under the lock of the session's login. @returns `false` if the session ended or the actor may not */
  async #withSession(id: string, change: (session: Session) => Promise<void>, actor?: Actor): Promise<boolean> {
    const login = this.#tables.sessions.get(id)?.login;
    if (login === undefined) return false;
    const outcome = await this.#locks.as({ actor, login }, async () => {
      const session = this.#tables.sessions.get(id);
      if (session === undefined) return "missing";
      await change(session);
      return "done";
    });
    return outcome === "done";
  }
}
