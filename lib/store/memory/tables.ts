/**
 * All users, sessions and tickets in memory, what makes changes of them durable, and the locks of changes.
 *
 * The tables change only by `apply`, one record at a time; `TableStore` has the rules. Users are in order of
 * registration, as a `Map` keeps the order of insertion, also when a record is replaced.
 */

import { KeyedLock } from "../../keyed_lock.ts";
import {
  type Actor,
  type Change,
  isAdmin,
  type Session,
  type StoredRecord,
  type Ticket,
  type User,
} from "../../store.ts";

/** These and the keys of single tickets contain a space, so no login equals them. */
const ticketsKey = "all tickets";
const adminsKey = "all admins";

/** Tables, and how changes of them become durable. */
export interface TableStorage {
  readonly tables: Tables;
  /** Bytes on disk. */
  readonly bytes: number;
  /** Why changes are rejected; `undefined` while they are accepted. */
  readonly failure: string | undefined;
  /** Makes the changes durable as one change, then applies them to the tables. */
  commit(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

/** Storage that lasts as long as the process. */
export function memoryStorage(tables: Tables = new Tables()): TableStorage {
  return {
    tables,
    bytes: 0,
    failure: undefined,
    commit(changes) {
      for (const change of changes) tables.apply(change);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

/** The tables: users by login, sessions by id, tickets by the hash of their code. */
export class Tables {
  readonly #users = new Map<string, User>();
  readonly #sessions = new Map<string, Session>();
  readonly #tickets = new Map<string, Ticket>();
  /** A single id is stored as it is, as most users have one session and a `Set` takes 200 bytes. */
  readonly #sessionIdsByLogin = new Map<string, string | Set<string>>();
  /** Logins. */
  readonly #admins = new Set<string>();
  readonly users: ReadonlyMap<string, User> = this.#users;
  readonly sessions: ReadonlyMap<string, Session> = this.#sessions;
  readonly tickets: ReadonlyMap<string, Ticket> = this.#tickets;

  get adminCount(): number {
    return this.#admins.size;
  }

  /** Returns the user of that id if it is an administrator. */
  adminOf(id: string): User | undefined {
    for (const login of this.#admins) {
      const user = this.#users.get(login);
      if (user?.id === id) return user;
    }
    return undefined;
  }

  /** The sessions of a user, nearly in order of creation. They may change while they are read. */
  *sessionsOf(login: string): Generator<Session> {
    const ids = this.#sessionIdsByLogin.get(login) ?? [];
    for (const id of typeof ids === "string" ? [ids] : ids) {
      const session = this.#sessions.get(id);
      if (session !== undefined) yield session;
    }
  }

  /** Reports whether there is a record of the same key. */
  has(record: StoredRecord): boolean {
    switch (record.kind) {
      case "put-user":
        return this.#users.has(record.user.login);
      case "put-session":
        return this.#sessions.has(record.session.id);
      case "put-ticket":
        return this.#tickets.has(record.ticket.secretHash);
    }
  }

  /** Puts or deletes one record. Idempotent. */
  apply(change: Change): void {
    switch (change.kind) {
      case "put-user":
        this.#users.set(change.user.login, change.user);
        if (isAdmin(change.user)) this.#admins.add(change.user.login);
        else this.#admins.delete(change.user.login);
        return;
      case "delete-user":
        this.#users.delete(change.login);
        this.#admins.delete(change.login);
        return;
      case "put-session":
        this.#putSession(change.session);
        return;
      case "delete-session":
        this.#deleteSession(change.id);
        return;
      case "put-ticket":
        this.#tickets.set(change.ticket.secretHash, change.ticket);
        return;
      case "delete-ticket":
        this.#tickets.delete(change.secretHash);
        return;
    }
  }

  /**
   * Every record as the change that puts it, users first.
   *
   * `apply` may change the tables while it is read: the iterator of a `Map` visits added records, skips deleted ones
   * and shows each record as it is when visited. `snapshot.ts` relies on that.
   */
  *changes(): Generator<Change> {
    for (const user of this.#users.values()) yield { kind: "put-user", user };
    for (const session of this.#sessions.values()) yield { kind: "put-session", session };
    for (const ticket of this.#tickets.values()) yield { kind: "put-ticket", ticket };
  }

  #putSession(put: Session): void {
    const user = this.#users.get(put.login);
    // Shares the text of the user: what is read from disk has a copy of the login in each session.
    const session = user === undefined ? put : { ...put, login: user.login };
    const ids = this.#sessionIdsByLogin.get(session.login) ?? session.id;
    if (typeof ids !== "string") ids.add(session.id);
    else this.#sessionIdsByLogin.set(session.login, ids === session.id ? ids : new Set([ids, session.id]));
    this.#sessions.set(session.id, session);
  }

  #deleteSession(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    const ids = this.#sessionIdsByLogin.get(session.login);
    if (typeof ids === "object") ids.delete(id);
    if (typeof ids === "string" || ids?.size === 0) this.#sessionIdsByLogin.delete(session.login);
  }
}

/**
 * The locks of changes, with the checks that need them: of a login, of a ticket, of all tickets, of all administrators.
 * They are acquired in this order, and those of two logins in alphabetical order, so that changes never deadlock.
 */
export class TableLocks {
  readonly #tables: Tables;
  readonly #lock = new KeyedLock();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  ofLogin<Outcome>(login: string, change: () => Promise<Outcome>): Promise<Outcome> {
    return this.#lock.run(login, change);
  }

  ofTickets<Outcome>(change: () => Promise<Outcome>): Promise<Outcome> {
    return this.#lock.run(ticketsKey, change);
  }

  /**
   * Runs `change` under the locks of the login and of the actor, unless the actor has lost the rights. Every change
   * that takes them away needs the lock of the actor too.
   */
  async as<Outcome>(
    { actor, login }: { actor: Actor | undefined; login: string },
    change: () => Promise<Outcome>,
  ): Promise<Outcome | "forbidden"> {
    if (actor === undefined) return await this.#lock.run(login, change);
    const checked = async () => this.#mayAct(actor) ? await change() : "forbidden" as const;
    const own = actor.session.login;
    if (own === login) return await this.#lock.run(login, checked);
    const [first, second] = own < login ? [own, login] : [login, own];
    return await this.#lock.run(first, () => this.#lock.run(second, checked));
  }

  /** Runs `change` with the deletion of the ticket, if one is given. Of parallel changes only one finds the ticket. */
  async withTicket<Outcome>(
    secretHash: string | undefined,
    change: (used: readonly Change[]) => Promise<Outcome>,
  ): Promise<Outcome | "no-ticket"> {
    if (secretHash === undefined) return await change([]);
    return await this.#lock.run(`ticket ${secretHash}`, async () => {
      if (this.#tables.tickets.get(secretHash) === undefined) return "no-ticket";
      return await change([{ kind: "delete-ticket", secretHash }]);
    });
  }

  /** Runs `change` unless it removes the last administrator. One at a time, as two could remove each other. */
  async keepingAnAdmin<Outcome>(
    { login, next }: { login: string; next?: User },
    change: () => Promise<Outcome>,
  ): Promise<Outcome | "last-admin"> {
    const isAdminNow = () => isAdminUser(this.#tables.users.get(login));
    if (!isAdminNow() || isAdminUser(next)) return await change();
    return await this.#lock.run(adminsKey, async () => {
      if (isAdminNow() && this.#tables.adminCount === 1) return "last-admin";
      return await change();
    });
  }

  #mayAct({ session, asAdmin }: Actor): boolean {
    if (this.#tables.sessions.get(session.id) === undefined) return false;
    return !asAdmin || isAdminUser(this.#tables.users.get(session.login));
  }
}

function isAdminUser(user: User | undefined): boolean {
  return user !== undefined && isAdmin(user);
}
