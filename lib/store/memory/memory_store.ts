/**
 * The store's rules over tables in memory: who may be inserted, replaced, ended, and in what order.
 *
 * What makes a change durable is handed in as `commit`; without it changes live as long as the process, which is
 * all that tests need. `FileStore` hands in its journal. Every change is made under the lock of its login, from
 * the look at what is kept to the end of `commit`, so that no two changes of one login overtake each other.
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

/** Makes the changes durable as one, and then applies them to the tables, in this order. */
export type Commit = (changes: readonly Change[]) => Promise<void>;

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
        await this.#commit([{ kind: "put-user", user }, ...used]);
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
        const ended = await this.#endSessionsBut(login, "");
        const tickets = this.#deleteTickets((ticket) => ticket.maker === id || isResetOf(ticket, login));
        await this.#commit([{ kind: "delete-user", login }, ...ended, ...tickets]);
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
      const commit: Commit = (changes) => this.#commitOrRemember(changes);
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
      await this.#commit([{ kind: "put-session", session: { ...session, createdAt, lastSeenAt } }]);
    });
  }

  deleteSession(id: string, { actor }: ActorOptions = {}): Promise<boolean> {
    return this.#withSession(id, () => this.#commit([{ kind: "delete-session", id }]), actor);
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
      if (ended.length + tickets.length > 0) await this.#commit([...ended, ...tickets]);
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

  records(): AsyncIterable<readonly StoredRecord[]> {
    return recordsOf(this.#tables);
  }

  async insertRecords(records: readonly StoredRecord[]): Promise<void> {
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
  async #commitOrRemember(changes: readonly Change[]): Promise<void> {
    try {
      await this.#commit(changes);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      for (const change of changes) this.#tables.apply(change);
    }
  }

  /** Ends all sessions of a user but one, under the user's lock. @returns the changes that end the last of them */
  #endSessionsBut(login: string, keptId: string): Promise<readonly Change[]> {
    return commitAllButLast(
      deletionsOf(Array.from(this.#tables.sessionsOf(login)).filter(({ id }) => id !== keptId)),
      this.#commit,
    );
  }

  /** Ends what has expired of a user's sessions. @returns how many */
  #endExpired(login: string, isExpired: (session: Session) => boolean): Promise<number> {
    return this.#locks.ofLogin(login, async () => {
      const ended = deletionsOf(Array.from(this.#tables.sessionsOf(login)).filter(isExpired));
      const last = await commitAllButLast(ended, this.#commit);
      if (last.length > 0) await this.#commit(last);
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
