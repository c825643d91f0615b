/**
 * The contract of a store: its errors and its promises, and from `store/records.ts` its records.
 *
 * Every implementation keeps these promises; `test/lib/store/` has a test of each:
 * - The promise of a change resolves when the change is durable, and no reader sees it earlier.
 * - A call is one change, applied wholly or not at all, also after a crash. Only a call that ends thousands of sessions
 *   may end some of them in earlier changes.
 * - Changes of one login happen one after another, so one of any number of parallel registrations succeeds.
 *
 * An outcome that callers handle is a value; anything else is an error.
 */

import type {
  Days,
  ExpiryLimits,
  HashWorks,
  ListedTicket,
  Page,
  SessionQuery,
  StoreSize,
  TicketQuery,
  UserQuery,
} from "./store/queries.ts";
import type {
  Credential,
  Factor,
  Secret,
  Session,
  SiteLogin,
  StoredRecord,
  Ticket,
  User,
  UserCredential,
  UserSession,
} from "./store/records.ts";

export * from "./store/records.ts";

/** The session whose rights a change needs. The change checks it again, as reading a body or hashing takes seconds. */
export interface Actor {
  /** Must not have ended, as it does when its user is deleted or disabled. */
  readonly session: Session;
  /** Whether the user must be an administrator. */
  readonly asAdmin: boolean;
}

export interface ActorOptions {
  /** By default no rights are checked. Otherwise the outcome is `forbidden` if the actor has lost them. */
  readonly actor?: Actor;
}

/** What else `replaceUser` does in the same change. */
export interface ReplaceOptions extends ActorOptions {
  /**
   * For a new password: ends all sessions of the user except this id ("" keeps none), and deletes the reset tickets for
   * the user and the tickets that the user created.
   */
  readonly keepSessionId?: string;
  /** Uses up this ticket. */
  readonly ticketHash?: string;
}

export interface TicketOptions extends ActorOptions {
  /** The user of a ticket for a login or a site; the outcome is `stale` if it cannot log in any more. */
  readonly target?: User;
}

/** Of any number of uses of a credential as it was read, one succeeds. */
export interface CredentialUse {
  readonly current: Credential;
  /** The same credential with another name, time of use or counter; `undefined` deletes it. */
  readonly next: Credential | undefined;
}

/** What proves the identity of a user, in the same change. */
export interface ProofOptions {
  /** Uses up this ticket. */
  readonly ticketHash?: string | undefined;
  /** Uses a credential of the user. */
  readonly use?: CredentialUse;
}

/** A step-up, as a user has proved its identity again, or a login at a site. */
export interface SessionUpdate extends ProofOptions {
  /** Are added to those of the session. */
  readonly factors?: readonly Factor[];
  readonly authenticatedAt?: number;
  /** Replaces the one of the same origin. */
  readonly site?: SiteLogin;
  /** With `site`: sites of other origins are dropped. By default all are known. */
  readonly knownOrigins?: readonly string[];
}

export interface InsertSessionOptions extends ProofOptions {
  /** At least 1, by default unlimited. More sessions than this end, those seen longest ago first. */
  readonly maxSessions?: number;
}

export interface DeleteCredentialsOptions extends ActorOptions {
  /** By default all. */
  readonly id?: string;
  /** Whether a passkey or TOTP of the user must remain; otherwise the outcome is `last`. */
  readonly keepsFactor?: boolean;
}

/** Users, sessions, credentials, tickets and secrets. */
export interface Store extends AsyncDisposable {
  /** @param login in lower case */
  findUser(login: string): Promise<User | undefined>;
  /**
   * Returns a page of users. O(users); yields to the event loop. A user that exists from the first page to the last is
   * on exactly one page, even if others are registered and deleted in between.
   */
  listUsers(query: UserQuery): Promise<Page<User>>;
  /** Counts the enabled administrators. */
  countAdmins(): Promise<number>;
  /** Counts the users registered on each of the days. O(users); yields to the event loop. */
  countRegistrations(days: Days): Promise<readonly number[]>;
  /** Counts the password hashes by the work that they take. O(users); yields to the event loop. */
  hashWorks(): Promise<HashWorks>;
  /**
   * Adds a user and uses up a ticket, if one is given; `lib/accounts/ticket.ts` checks it.
   * @returns `taken` if the login exists, `no-ticket` if the ticket was used meanwhile
   */
  insertUser(user: User, ticketHash?: string): Promise<"done" | "taken" | "no-ticket">;
  /**
   * Replaces `current` by `next`, with the same login. Disabling a user ends its sessions; `lib/store/rules.ts`
   * says which tickets become void.
   * @returns `stale` if the stored user is not `current`; `last-admin` if no other remains; `no-ticket` as above
   */
  replaceUser(
    current: User,
    next: User,
    options?: ReplaceOptions,
  ): Promise<"done" | "stale" | "last-admin" | "no-ticket" | "forbidden">;
  /**
   * Deletes a user with its sessions, its credentials, the tickets for it alone, and the tickets it created: the login
   * may be another's tomorrow.
   * @returns `missing` if the login does not exist or is another user's; otherwise as `replaceUser`
   */
  deleteUser(user: User, options?: ActorOptions): Promise<"done" | "missing" | "stale" | "last-admin" | "forbidden">;
  /** Returns a session that may have expired: `lib/accounts/session.ts` checks that. */
  findSession(id: string): Promise<UserSession | undefined>;
  /**
   * Adds a session of `user`. On a full disk it may last only until the next start, as the counter of a credential; a
   * ticket and a recovery code stay used up.
   * @returns `false` if the user was deleted or disabled, or has another password, or the ticket or the credential was
   *   used meanwhile
   */
  insertSession(session: Session, user: User, options?: InsertSessionOptions): Promise<boolean>;
  /** Adds a step-up or a login at a site to a session. @returns `false` if it has ended; else as `insertSession` */
  updateSession(id: string, user: User, update: SessionUpdate): Promise<boolean>;
  /**
   * Sets `lastSeenAt`, unless it is later already. If a time of the session is later by more than `maxSessionAheadMs`,
   * all of them are set back. An ended session stays ended.
   */
  touchSession(id: string, lastSeenAt: number): Promise<void>;
  /** Ends a session. @returns `false` if it does not exist or the actor has lost the rights */
  deleteSession(id: string, options?: ActorOptions): Promise<boolean>;
  listSessions(login: string, query: SessionQuery): Promise<Page<Session>>;
  /** Ends all sessions of a user and deletes the tickets it created. @returns the number of sessions */
  deleteSessions(login: string, options?: ActorOptions): Promise<number | "forbidden">;
  /** Ends all expired sessions. @returns how many */
  deleteExpiredSessions(limits: ExpiryLimits): Promise<number>;
  /** Returns the credentials of a user, in order of their ids. */
  listCredentials(login: string): Promise<readonly Credential[]>;
  findCredential(kind: Credential["kind"], key: string): Promise<UserCredential | undefined>;
  /**
   * Adds credentials of `user`, at least one. TOTP and recovery codes replace those that the user has.
   * @returns `stale` if the stored user is not `user`; `taken` if a key exists, or the user has the secret of TOTP or a
   *   passkey with the `counter`; `full` beyond `maxCredentials` of `rules.ts`
   */
  insertCredentials(
    user: User,
    credentials: readonly Credential[],
    options?: ActorOptions,
  ): Promise<"done" | "stale" | "taken" | "full" | "forbidden">;
  /** Uses or renames a credential. @returns `stale` if the stored one is not `current` */
  useCredential(use: CredentialUse, options?: ActorOptions): Promise<"done" | "stale" | "forbidden">;
  /**
   * Deletes one or all credentials of a user, however they were used since.
   * @returns how many, or `last` if no passkey or TOTP would remain, and one must
   */
  deleteCredentials(login: string, options?: DeleteCredentialsOptions): Promise<number | "last" | "forbidden">;
  /** Returns a ticket, unless its maker is no longer an administrator. */
  findTicket(secretHash: string): Promise<Ticket | undefined>;
  listTickets(query: TicketQuery): Promise<Page<ListedTicket>>;
  /**
   * Adds a ticket. A setup ticket replaces those for the same login, or for any; one for a login or a site the
   * oldest one of its purpose beyond `maxPendingLogins`.
   * @returns `missing` if the user of a ticket for a reset, a login or a site does not exist
   */
  insertTicket(ticket: Ticket, options?: TicketOptions): Promise<"done" | "missing" | "stale" | "forbidden">;
  /** Deletes a ticket that `listTickets` can return. */
  deleteTicket(id: string, options?: ActorOptions): Promise<"done" | "missing" | "forbidden">;
  /** Deletes all tickets that expire at `expiresUntil` or earlier. @returns how many */
  deleteExpiredTickets(expiresUntil: number): Promise<number>;
  /** Adds a secret, unless one of that name exists. @returns the stored value, the same for every caller */
  ensureSecret(secret: Secret): Promise<string>;
  /**
   * Returns all records in batches: users and sessions in order of their ids, then tickets in order of their hashes,
   * secrets in order of their names, and credentials in order of their keys. A record that changes meanwhile may be old
   * or new.
   */
  records(): AsyncIterable<readonly StoredRecord[]>;
  /**
   * Adds records as one change without further checks, for copies while nothing else changes the store. Existing
   * records stay as they are. Sessions, credentials and tickets for resets, logins and sites need their user.
   */
  insertRecords(records: readonly StoredRecord[]): Promise<void>;
  /** Cheap enough to call every second. */
  size(): Promise<StoreSize>;
  /** Returns why the store rejects changes, or `undefined` while it accepts them. */
  failure(): Promise<string | undefined>;
}

/** The store has no room for a change, which was not applied. A later one may succeed. */
export class StoreFullError extends Error {
  override name = "StoreFullError";
}

/** The store accepts no changes until it is opened again. It can still be read. */
export class StoreClosedError extends Error {
  override name = "StoreClosedError";
}

/** The store is unreachable or rejects changes for now. Whether the change was applied is unknown. */
export class StoreUnavailableError extends Error {
  override name = "StoreUnavailableError";
}
