/**
 * The rules of a store over tables in memory: each method checks a change against the tables and commits it.
 *
 * The storage it is given holds the tables and commits changes to them: in memory only, or to a data folder first
 * (`lib/store/file/file_store.ts`). A change holds the lock of its login from the check to the end of the commit, so
 * that changes of one login never interleave.
 */

import { iterationsOf } from "../../passwords/password_hash.ts";
import {
  type Actor,
  type ActorOptions,
  type Change,
  type Days,
  type ExpiryLimits,
  type HashCosts,
  type InsertSessionOptions,
  isSameUser,
  maxSessionAheadMs,
  type ReplaceOptions,
  type Session,
  type SessionPage,
  type SessionQuery,
  type Store,
  type StoredRecord,
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
} from "../../store.ts";
import { commitAllButLast, deletionsOf, maxEndedAtOnce, seenLongestAgo } from "./ended_sessions.ts";
import { pageOf } from "./record_page.ts";
import { recordsOf } from "./records.ts";
import { registrationsOn } from "./registrations.ts";
import { Tables } from "./tables.ts";
import { StoreLocks } from "./store_locks.ts";
import { isMadeByAdmin, ticketPageOf } from "./ticket_page.ts";
import { voidedTickets } from "./ticket_rules.ts";
import { forEachYielding } from "./scan.ts";

/** Tables, and how changes of them become durable. */
export interface TableStorage {
  readonly tables: Tables;
  /** Bytes on disk. */
  readonly bytes: number;
  /** Why changes are rejected; `undefined` while they are accepted. */
  readonly fault: string | undefined;
  /** Makes the changes durable as one change, then applies them to the tables. */
  commit(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

/** Storage that lasts as long as the process. */
export function memoryStorage(tables = new Tables()): TableStorage {
  return {
    tables,
    bytes: 0,
    fault: undefined,
    commit(changes) {
      for (const change of changes) tables.apply(change);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

/** A store that answers from memory. */
export class TableStore implements Store {
  readonly #storage: TableStorage;
  readonly #tables: Tables;
  readonly #locks: StoreLocks;

  constructor(storage = memoryStorage()) {
    this.#storage = storage;
    this.#tables = storage.tables;
    this.#locks = new StoreLocks(storage.tables);
  }

  findUser(login: string): Promise<User | undefined> {
    return Promise.resolve(this.#tables.user(login));
  }

  async listUsers({ limit, after, prefix = "", contains = "", group = "", sort }: UserQuery): Promise<UserPage> {
    const isListed = ({ login, groups }: User) =>
      login.startsWith(prefix) && login.includes(contains) && (group === "" || groups.includes(group));
    const { items, ...rest } = await pageOf(this.#tables.users(), {
      limit,
      after,
      isListed,
      ...sort === "login" && { keyOf: ({ login }: User) => login },
      isDescending: sort === "-registered_at",
    });
    return { users: items, ...rest };
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
      if (!isSameUser(this.#tables.user(login), current)) return "stale" as const;
      const keptSession = next.disabled ? "" : keepSessionId;
      const ended = keptSession === undefined ? [] : await this.#endSessionsBut(login, keptSession);
      const voided = voidedTickets(current, next, keepSessionId !== undefined);
      const tickets = this.#deleteTickets((ticket) =>
        voided.made && ticket.maker === id || voided.resets && isResetOf(ticket, login)
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
      const kept = this.#tables.user(login);
      if (kept?.id !== id) return "missing";
      if (!isSameUser(kept, user)) return "stale";
      return await this.#locks.keepingAnAdmin({ login }, async () => {
        const ended = await this.#endSessionsBut(login, "");
        const tickets = this.#deleteTickets((ticket) => ticket.maker === id || isResetOf(ticket, login));
        await this.#storage.commit([{ kind: "delete-user", login }, ...ended, ...tickets]);
        return "done" as const;
      });
    });
  }

  findSession(id: string): Promise<UserSession | undefined> {
    const session = this.#tables.session(id);
    const user = session && this.#tables.user(session.login);
    return Promise.resolve(session && user && { session, user });
  }

  insertSession(session: Session, user: User, options: InsertSessionOptions = {}): Promise<boolean> {
    const { login } = session;
    const { maxSessions = Infinity } = options;
    return this.#locks.ofLogin(login, async () => {
      const kept = this.#tables.user(login);
      if (kept?.id !== user.id || kept.passwordHash !== user.passwordHash || kept.disabled) return false;
      const commit = (changes: readonly Change[]) => this.#commitOrRemember(changes);
      const surplus = await commitAllButLast(
        deletionsOf(await seenLongestAgo(this.#tables.sessionsOf(login), maxSessions - 1)),
        commit,
      );
      await commit([{ kind: "put-session", session }, ...surplus]);
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

  async listSessions(login: string, query: SessionQuery): Promise<SessionPage> {
    const { limit, after, seenAfter = -Infinity, createdAfter = -Infinity } = query;
    const isListed = (session: Session) => session.lastSeenAt > seenAfter && session.createdAt > createdAfter;
    const { items, ...rest } = await pageOf(this.#tables.sessionsOf(login), { limit, after, isListed });
    return { sessions: items, ...rest };
  }

  deleteSessions(login: string, { actor }: ActorOptions = {}): Promise<number | "forbidden"> {
    return this.#locks.as({ actor, login }, async () => {
      const maker = this.#tables.user(login)?.id;
      const length = Array.from(this.#tables.sessionsOf(login)).length;
      const ended = await this.#endSessionsBut(login, "");
      const tickets = maker === undefined ? [] : this.#deleteTickets((ticket) => ticket.maker === maker);
      if (ended.length + tickets.length > 0) await this.#storage.commit([...ended, ...tickets]);
      return length;
    });
  }

  async deleteExpiredSessions({ lastSeenUntil, createdUntil }: ExpiryLimits): Promise<number> {
    const isExpired = (session: Session) => session.lastSeenAt <= lastSeenUntil || session.createdAt <= createdUntil;
    const found = new Set<string>();
    await forEachYielding(this.#tables.sessions(), (session) => {
      if (isExpired(session)) found.add(session.login);
    });
    const logins = [...found];
    let count = 0;
    for (let start = 0; start < logins.length; start += maxEndedAtOnce) {
      const some = logins.slice(start, start + maxEndedAtOnce);
      const counts = await Promise.all(some.map((login) => this.#endExpired(login, isExpired)));
      count += counts.reduce((sum, one) => sum + one, 0);
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
        await this.#storage.commit([{ kind: "put-ticket", ticket }, ...replaced]);
        return "done";
      }));
  }

  deleteTicket(id: string, { actor }: ActorOptions = {}): Promise<"done" | "missing" | "forbidden"> {
    return this.#locks.as({ actor, login: "" }, async () => {
      const [found] = this.#deleteTickets((ticket) => ticket.id === id && ticket.purpose !== "setup");
      if (found?.kind !== "delete-ticket") return "missing";
      const outcome = await this.#locks.withTicket(found.secretHash, async (used) => {
        await this.#storage.commit(used);
        return "done" as const;
      });
      return outcome === "no-ticket" ? "missing" : outcome;
    });
  }

  deleteExpiredTickets(expiresUntil: number): Promise<number> {
    return this.#locks.ofTickets(async () => {
      const deleted = this.#deleteTickets((ticket) => ticket.expiresAt <= expiresUntil);
      if (deleted.length > 0) await this.#storage.commit(deleted);
      return deleted.length;
    });
  }

  records(): AsyncIterable<readonly StoredRecord[]> {
    return recordsOf(this.#tables);
  }

  async insertRecords(records: readonly StoredRecord[]): Promise<void> {
    const added = records.filter((record) => !this.#tables.has(record));
    if (added.length > 0) await this.#storage.commit(added);
  }

  size(): Promise<StoreSize> {
    return Promise.resolve({
      users: this.#tables.userCount,
      sessions: this.#tables.sessionCount,
      bytes: this.#storage.bytes,
    });
  }

  fault(): Promise<string | undefined> {
    return Promise.resolve(this.#storage.fault);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#storage.close();
  }

  /** A full disk must not keep people from logging in: a session that finds no room is kept until the next restart. */
  async #commitOrRemember(changes: readonly Change[]): Promise<void> {
    try {
      await this.#storage.commit(changes);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      for (const change of changes) this.#tables.apply(change);
    }
  }

  /** Ends all sessions of a user but one, under the user's lock. @returns the changes that end the last of them */
  #endSessionsBut(login: string, keptId: string): Promise<readonly Change[]> {
    return commitAllButLast(
      deletionsOf(Array.from(this.#tables.sessionsOf(login)).filter(({ id }) => id !== keptId)),
      (changes) => this.#storage.commit(changes),
    );
  }

  /** Ends what has expired of a user's sessions. @returns how many */
  #endExpired(login: string, isExpired: (session: Session) => boolean): Promise<number> {
    return this.#locks.ofLogin(login, async () => {
      const ended = deletionsOf(Array.from(this.#tables.sessionsOf(login)).filter(isExpired));
      const last = await commitAllButLast(ended, (changes) => this.#storage.commit(changes));
      if (last.length > 0) await this.#storage.commit(last);
      return ended.length;
    });
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
