/**
 * All records in memory, and what makes changes of them durable.
 *
 * The tables change only by `apply`, one record at a time; `TableStore` has the rules. Users are in order of
 * registration, as a `Map` keeps the order of insertion, also when a record is replaced.
 */

import {
  type Change,
  type Credential,
  type CredentialUse,
  isAdmin,
  type Secret,
  type Session,
  type StoredRecord,
  type Ticket,
  type User,
} from "../../store.ts";
import { isSameCredential } from "../rules.ts";
import { KeysByLogin } from "./keys_by_login.ts";

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

/** The tables: users by login, sessions by id, tickets by the hash of their code, secrets by name, the rest by key. */
export class Tables {
  readonly #users = new Map<string, User>();
  readonly #sessions = new Map<string, Session>();
  readonly #tickets = new Map<string, Ticket>();
  readonly #secrets = new Map<string, Secret>();
  readonly #credentials = new Map<string, Credential>();
  readonly #sessionIdsByLogin = new KeysByLogin();
  readonly #credentialKeysByLogin = new KeysByLogin();
  /** Logins. */
  readonly #admins = new Set<string>();
  readonly users: ReadonlyMap<string, User> = this.#users;
  readonly sessions: ReadonlyMap<string, Session> = this.#sessions;
  readonly tickets: ReadonlyMap<string, Ticket> = this.#tickets;
  readonly secrets: ReadonlyMap<string, Secret> = this.#secrets;
  readonly credentials: ReadonlyMap<string, Credential> = this.#credentials;

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

  /** Reports whether the maker of a ticket is an administrator now, or the service itself. */
  isMadeByAdmin({ maker }: Ticket): boolean {
    return maker === "" || this.adminOf(maker) !== undefined;
  }

  /** Returns the deletion of the ticket that a change uses, if it needs one; `undefined` if that was used meanwhile. */
  useOf(secretHash: string | undefined): readonly Change[] | undefined {
    if (secretHash === undefined) return [];
    return this.#tickets.has(secretHash) ? [{ kind: "delete-ticket", secretHash }] : undefined;
  }

  /** There are few tickets, as administrators create them, so they have no index. */
  ticketDeletions(isDeleted: (ticket: Ticket) => boolean): readonly Change[] {
    return Array.from(this.#tickets.values()).filter(isDeleted).flatMap(({ secretHash }) =>
      this.useOf(secretHash) ?? []
    );
  }

  /** Returns the sessions of a user, nearly in order of creation. */
  sessionsOf(login: string, isWanted: (session: Session) => boolean = () => true): readonly Session[] {
    const sessions = this.#sessionIdsByLogin.of(login).map((id) => this.#sessions.get(id));
    return sessions.filter((session): session is Session => session !== undefined && isWanted(session));
  }

  /** Returns the credentials of a user, in order of their ids. */
  credentialsOf(login: string): readonly Credential[] {
    const credentials = this.#credentialKeysByLogin.of(login).flatMap((key) => this.#credentials.get(key) ?? []);
    return credentials.sort((one, other) => one.id < other.id ? -1 : 1);
  }

  /** Returns the change that uses a credential, if one is given; `undefined` if it was used meanwhile. */
  changeOf(use: CredentialUse | undefined): readonly Change[] | undefined {
    if (use === undefined) return [];
    const { current: { key }, current, next } = use;
    if (!isSameCredential(this.#credentials.get(key), current)) return undefined;
    return [next === undefined ? { kind: "delete-credential", key } : { kind: "put-credential", credential: next }];
  }

  /** Reports whether there is a record of the same key. */
  has(record: StoredRecord): boolean {
    if ("user" in record) return this.#users.has(record.user.login);
    if ("session" in record) return this.#sessions.has(record.session.id);
    if ("ticket" in record) return this.#tickets.has(record.ticket.secretHash);
    if ("secret" in record) return this.#secrets.has(record.secret.name);
    return this.#credentials.has(record.credential.key);
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
        this.#sessionIdsByLogin.delete(this.#sessions.get(change.id)?.login, change.id);
        this.#sessions.delete(change.id);
        return;
      case "put-ticket":
        this.#tickets.set(change.ticket.secretHash, change.ticket);
        return;
      case "delete-ticket":
        this.#tickets.delete(change.secretHash);
        return;
      case "put-secret":
        this.#secrets.set(change.secret.name, change.secret);
        return;
      case "put-credential":
        this.#credentials.set(change.credential.key, change.credential);
        this.#credentialKeysByLogin.add(change.credential.login, change.credential.key);
        return;
      case "delete-credential":
        this.#credentialKeysByLogin.delete(this.#credentials.get(change.key)?.login, change.key);
        this.#credentials.delete(change.key);
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
    for (const secret of this.#secrets.values()) yield { kind: "put-secret", secret };
    for (const credential of this.#credentials.values()) yield { kind: "put-credential", credential };
  }

  #putSession(put: Session): void {
    const user = this.#users.get(put.login);
    // Shares the text of the user: what is read from disk has a copy of the login in each session.
    const session = user === undefined ? put : { ...put, login: user.login };
    this.#sessionIdsByLogin.add(session.login, session.id);
    this.#sessions.set(session.id, session);
  }
}
