/**
 * The whole state in memory: what a journal is replayed into and a snapshot is written from.
 *
 * It changes by `apply` alone, one record at a time, and knows nothing of disks or of what is allowed. Users stand
 * in order of registration, as a `Map` keeps the order of insertion and a record put again keeps its place.
 */

import { type Change, isAdmin, type Session, type StoredRecord, type Ticket, type User } from "../../store.ts";

/** Users and sessions, and which sessions a user has. */
export class Tables {
  readonly #users = new Map<string, User>();
  readonly #sessions = new Map<string, Session>();
  /** One id alone where there is one, as nearly everywhere: a `Set` of it would take 200 bytes. */
  readonly #sessionIdsByLogin = new Map<string, string | Set<string>>();

  readonly #tickets = new Map<string, Ticket>();
  readonly #admins = new Set<string>();

  get userCount(): number {
    return this.#users.size;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get ticketCount(): number {
    return this.#tickets.size;
  }

  /** Users that administer the register. */
  get adminCount(): number {
    return this.#admins.size;
  }

  /** The user of that id, if they administer the register. */
  adminOf(id: string): User | undefined {
    for (const login of this.#admins) {
      const user = this.#users.get(login);
      if (user?.id === id) return user;
    }
    return undefined;
  }

  user(login: string): User | undefined {
    return this.#users.get(login);
  }

  session(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  ticket(secretHash: string): Ticket | undefined {
    return this.#tickets.get(secretHash);
  }

  tickets(): Iterable<Ticket> {
    return this.#tickets.values();
  }

  users(): Iterable<User> {
    return this.#users.values();
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** The sessions of a user, nearly in order of their making. They may change while they are read. */
  *sessionsOf(login: string): Generator<Session> {
    const ids = this.#sessionIdsByLogin.get(login) ?? [];
    for (const id of typeof ids === "string" ? [ids] : ids) {
      const session = this.#sessions.get(id);
      if (session !== undefined) yield session;
    }
  }

  /** Whether there is a record in the place of that one. */
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

  /** Puts or deletes one record. Applied twice it is as applied once. */
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
   * It may be read slowly while `apply` goes on: a `Map`'s iterator visits what is added behind it, skips what is
   * deleted before it and shows each record as it is when visited. Hence the fuzzy snapshot of `snapshot.ts`.
   */
  *changes(): Generator<Change> {
    for (const user of this.#users.values()) yield { kind: "put-user", user };
    for (const session of this.#sessions.values()) yield { kind: "put-session", session };
    for (const ticket of this.#tickets.values()) yield { kind: "put-ticket", ticket };
  }

  #putSession(put: Session): void {
    const user = this.#users.get(put.login);
    // One text for both: what is read from the disk has a copy of the login in each session.
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
