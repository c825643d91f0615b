/**
 * All records in memory, and what makes changes of them durable.
 *
 * The tables change only by `apply`, one record at a time; `TableStore` has the rules. Users are in order of
 * registration, as a `Map` keeps the order of insertion, also when a record is replaced.
 */

import {
  type Change,
  type Credential,
  isAdmin,
  keyOf,
  type ProofOptions,
  type RecordKind,
  recordKinds,
  type Records,
  type Secret,
  type Session,
  type StoredRecord,
  type Ticket,
  type User,
} from "../../store.ts";
import { isSameCredential } from "../rules.ts";

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

/** Users by login. */
class UserTable extends Map<string, User> {
  /** Logins. */
  readonly admins = new Set<string>();

  override set(login: string, user: User): this {
    if (isAdmin(user)) this.admins.add(login);
    else this.admins.delete(login);
    return super.set(login, user);
  }

  override delete(login: string): boolean {
    this.admins.delete(login);
    return super.delete(login);
  }
}

/** Records that belong to users, by their key. */
class OwnedTable<Item extends { readonly login: string }> extends Map<string, Item> {
  readonly #users: ReadonlyMap<string, User>;
  /** A single key is stored as it is, as most users have one session and a `Set` takes 200 bytes. */
  readonly #keysByLogin = new Map<string, string | Set<string>>();

  constructor(users: ReadonlyMap<string, User>) {
    super();
    this.#users = users;
  }

  /** Returns the records of a user, nearly in order of creation. */
  of(login: string): readonly Item[] {
    const keys = this.#keysByLogin.get(login) ?? [];
    return Array.from(typeof keys === "string" ? [keys] : keys).flatMap((key) => this.get(key) ?? []);
  }

  override set(key: string, item: Item): this {
    // Shares the text of the user: what is read from disk has a copy of the login in each record.
    const login = this.#users.get(item.login)?.login ?? item.login;
    const keys = this.#keysByLogin.get(login) ?? key;
    if (typeof keys !== "string") keys.add(key);
    else this.#keysByLogin.set(login, keys === key ? key : new Set([keys, key]));
    return super.set(key, { ...item, login });
  }

  override delete(key: string): boolean {
    const login = this.get(key)?.login;
    if (login === undefined) return false;
    const keys = this.#keysByLogin.get(login);
    if (typeof keys === "object") keys.delete(key);
    if (typeof keys === "string" || keys?.size === 0) this.#keysByLogin.delete(login);
    return super.delete(key);
  }
}

/** The tables, each with its records by their keys (`keyOf`). */
export class Tables {
  readonly #users = new UserTable();
  readonly #sessions = new OwnedTable<Session>(this.#users);
  readonly #credentials = new OwnedTable<Credential>(this.#users);
  readonly #byKind: { readonly [Kind in keyof Records]: Map<string, Records[Kind]> } = {
    user: this.#users,
    session: this.#sessions,
    ticket: new Map(),
    secret: new Map(),
    credential: this.#credentials,
  };
  readonly users: ReadonlyMap<string, User> = this.#users;
  readonly sessions: ReadonlyMap<string, Session> = this.#sessions;
  readonly tickets: ReadonlyMap<string, Ticket> = this.#byKind.ticket;
  readonly secrets: ReadonlyMap<string, Secret> = this.#byKind.secret;
  readonly credentials: ReadonlyMap<string, Credential> = this.#credentials;

  get adminCount(): number {
    return this.#users.admins.size;
  }

  /** Returns the user of that id if it is an administrator. */
  adminOf(id: string): User | undefined {
    for (const login of this.#users.admins) {
      const user = this.users.get(login);
      if (user?.id === id) return user;
    }
    return undefined;
  }

  /** Reports whether the maker of a ticket is an administrator now, or the service itself. */
  isMadeByAdmin({ maker }: Ticket): boolean {
    return maker === "" || this.adminOf(maker) !== undefined;
  }

  /** Returns the sessions of a user, nearly in order of creation. */
  sessionsOf(login: string): readonly Session[] {
    return this.#sessions.of(login);
  }

  /** Returns the credentials of a user, in order of their ids. */
  credentialsOf(login: string): readonly Credential[] {
    return this.#credentials.of(login).toSorted((one, other) => one.id < other.id ? -1 : 1);
  }

  /** Returns the deletions of tickets. There are few, as administrators create them, so they have no index. */
  ticketDeletions(isDeleted: (ticket: Ticket) => boolean): readonly Change[] {
    return deletionsOf(
      "ticket",
      Array.from(this.tickets.values()).filter(isDeleted).map((ticket) => ticket.secretHash),
    );
  }

  /** Returns the changes that use a ticket and a credential, if given; `undefined` if one was used meanwhile. */
  usesOf({ ticketHash, use }: ProofOptions): readonly Change[] | undefined {
    const tickets = ticketHash === undefined ? [] : [ticketHash];
    if (!tickets.every((hash) => this.tickets.has(hash))) return undefined;
    if (use === undefined) return deletionsOf("ticket", tickets);
    const { current: { key }, current, next } = use;
    if (!isSameCredential(this.credentials.get(key), current)) return undefined;
    const used: Change = next === undefined
      ? { kind: "credential", deletedKey: key }
      : { kind: "credential", record: next };
    return [...deletionsOf("ticket", tickets), used];
  }

  /** Counts the records of each kind. */
  counts(): Readonly<Record<RecordKind, number>> {
    const counts = recordKinds.map((kind) => [kind, this.#byKind[kind].size] as const);
    return Object.fromEntries(counts) as Record<RecordKind, number>;
  }

  /** Reports whether there is a record of the same key. */
  has(stored: StoredRecord): boolean {
    return this.#byKind[stored.kind].has(keyOf(stored));
  }

  /** Puts or deletes one record. Idempotent. */
  apply(change: Change): void {
    const table: Map<string, unknown> = this.#byKind[change.kind];
    if ("record" in change) table.set(keyOf(change), change.record);
    else table.delete(change.deletedKey);
  }

  /**
   * Every record as the change that puts it, users first.
   *
   * `apply` may change the tables while it is read: the iterator of a `Map` visits added records, skips deleted ones
   * and shows each record as it is when visited. `snapshot.ts` relies on that.
   */
  *changes(kinds = recordKinds): Generator<StoredRecord> {
    // The type of a table does not tell that its records are of its kind.
    for (const kind of kinds) {
      for (const record of this.#byKind[kind].values()) yield { kind, record } as StoredRecord;
    }
  }
}

/** Returns the changes that delete records by their keys. */
export function deletionsOf(kind: RecordKind, keys: readonly string[]): readonly Change[] {
  return keys.map((deletedKey) => ({ kind, deletedKey }));
}
