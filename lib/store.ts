/**
 * What Gatehouse keeps, and what a store of it promises.
 *
 * The promises, which hold for every implementation and are one test each in `test/lib/store/store_test.ts`:
 * - A promise of a change resolves when the change is durable, and no reader sees it before.
 * - A change is whole or absent, also after a crash; changes of one call are one change. Of thousands of sessions that
 *   one call ends, some may end before the others, and before the rest of the change: they would be too many for one.
 * - Changes of one login happen one after another, so of any number of parallel registrations of it one wins.
 *
 * An outcome that the caller must branch on is a value; a fault is thrown: `StoreFullError` when there is no room,
 * `StoreClosedError` when the store takes no more changes, `StoreUnavailableError` when it cannot be reached. This file
 * imports nothing.
 */

/** A registered user, as kept. It never leaves the service in this shape: see `publicUser` in `lib/accounts/user.ts`. */
export interface User {
  /** ULID, unique for all time: a login that is deleted and registered again has another. */
  readonly id: string;
  /** The name to log in with, in lower case; unique. */
  readonly login: string;
  /** PHC text, see `lib/passwords/password_hash.ts`. */
  readonly passwordHash: string;
  /** Milliseconds since the epoch. */
  readonly registeredAt: number;
  readonly groups: readonly string[];
  /** A disabled user cannot log in, and has no sessions. */
  readonly disabled: boolean;
}

/**
 * A session that was made or seen further ahead was so by a clock that was set back since; those of instances differ
 * less.
 */
export const maxSessionAheadMs = 60 * 60 * 1_000;

/** A login that lasts, as kept: the token itself is not among it. */
export interface Session {
  /** ULID; the public half of the token. */
  readonly id: string;
  /** Whose it is. */
  readonly login: string;
  /** SHA-256 of the token's secret half, hex. */
  readonly secretHash: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Milliseconds since the epoch; written now and then, see `lib/accounts/session.ts`. */
  readonly lastSeenAt: number;
  /** The `User-Agent` at login, at most 256 characters. */
  readonly userAgent: string;
  /** The client's address at login. */
  readonly address: string;
}

/** A session, and whose it is, as both are at one moment. */
export interface UserSession {
  readonly session: Session;
  readonly user: User;
}

/** A single-use permission, made by an administrator or at start, as kept: its code is not among it. */
export interface Ticket {
  /** ULID; its public name, in the order of creation. */
  readonly id: string;
  /** SHA-256 of the code, hex; the key of the record. */
  readonly secretHash: string;
  /** `setup` makes the first administrator, `register` a user, `reset` sets the password of one. */
  readonly purpose: "setup" | "register" | "reset";
  /** The only login that it is for; "" is any. */
  readonly login: string;
  /** The `User.id` of the administrator who made it; "" when the service or an older version did. */
  readonly maker: string;
  /** Milliseconds since the epoch; 0 when an older version made it. */
  readonly createdAt: number;
  /** Milliseconds since the epoch; it is not valid from then on. */
  readonly expiresAt: number;
}

/** One record put or deleted, whole: doing it twice is doing it once. What journals and snapshots are made of. */
export type Change =
  | { readonly kind: "put-user"; readonly user: User }
  | { readonly kind: "delete-user"; readonly login: string }
  | { readonly kind: "put-session"; readonly session: Session }
  | { readonly kind: "delete-session"; readonly id: string }
  | { readonly kind: "put-ticket"; readonly ticket: Ticket }
  | { readonly kind: "delete-ticket"; readonly secretHash: string };

/** A record, as the change that puts it. */
export type StoredRecord = Exclude<Change, { readonly kind: `delete-${string}` }>;

/** The order of a list of users; "-" is descending. Users are registered in the order of their ids. */
export type UserSort = "registered_at" | "-registered_at" | "login";

/** The users that a list shows: those that meet every condition. */
export interface UserQuery {
  /** At most this many; at least 1. */
  readonly limit: number;
  /** The cursor: only users after the one of this id, or of this login when sorted by login. */
  readonly after?: string;
  /** Only logins that begin with this text. */
  readonly prefix?: string;
  /** Only logins that contain this text. */
  readonly contains?: string;
  /** Only members of this group, a name without a comma; "" is every user. */
  readonly group?: string;
  /** By default `registered_at`. */
  readonly sort?: UserSort;
}

export interface UserPage {
  readonly users: readonly User[];
  /** How many users meet the conditions, on all pages. */
  readonly total: number;
  /** The cursor of the next page; `undefined` on the last. */
  readonly next: string | undefined;
}

/** Which tickets a list is to show: of those that are good at `now`, but for the setup. */
export interface TicketQuery {
  /** At the most; at least 1. */
  readonly limit: number;
  /** Only tickets behind the one of this id. */
  readonly after?: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A ticket, and the login of its maker if an administrator made it. */
export interface ListedTicket {
  readonly ticket: Ticket;
  readonly madeBy: string | undefined;
}

export interface TicketPage {
  /** In order of their ids. */
  readonly tickets: readonly ListedTicket[];
  /** On all pages. */
  readonly total: number;
  /** What the next page is `after`; `undefined` on the last. */
  readonly next: string | undefined;
}

/** Which sessions of a user a list shows. */
export interface SessionQuery {
  /** At the most; at least 1. */
  readonly limit: number;
  /** Only sessions behind the one of this id. */
  readonly after?: string | undefined;
  /** Only sessions last seen later, and made later: the others have expired. Milliseconds since the epoch. */
  readonly seenAfter?: number;
  readonly createdAfter?: number;
}

export interface SessionPage {
  /** In order of their ids, which is that of creation. */
  readonly sessions: readonly Session[];
  /** How many there are on all pages. */
  readonly total: number;
  /** What the next page is `after`; `undefined` on the last. */
  readonly next: string | undefined;
}

/** Which sessions have expired, in milliseconds since the epoch: each limit is among them. */
export interface ExpiryLimits {
  readonly lastSeenUntil: number;
  readonly createdUntil: number;
}

/** Days of UTC, one after another, counted from 1970-01-01. */
export interface Days {
  readonly first: number;
  readonly count: number;
}

/** How much is kept. */
export interface StoreSize {
  readonly users: number;
  /** Those that have expired and were not deleted yet among them. */
  readonly sessions: number;
  /** On disk; 0 when nothing is. */
  readonly bytes: number;
}

/** The group whose members administer the register. */
export const adminGroup = "admin";

/** Whether the user administers the register now. */
export function isAdmin(user: User): boolean {
  return !user.disabled && user.groups.includes(adminGroup);
}

/** Whether what is kept is what is expected. A record is replaced whole, so that these fields tell. */
export function isSameUser(kept: User | undefined, expected: User): boolean {
  return kept !== undefined && kept.id === expected.id && kept.passwordHash === expected.passwordHash &&
    kept.disabled === expected.disabled && kept.groups.join() === expected.groups.join();
}

/**
 * By whose rights a change is made. They are checked again with the change, as they may have gone since the request was
 * checked: a body takes seconds to come, and so does a hash.
 */
export interface Actor {
  /** Must not have ended, as it has with its user's account, or when that is disabled. */
  readonly session: Session;
  /** Whether the user must administer the register. */
  readonly asAdmin: boolean;
}

export interface ActorOptions {
  /** The change is refused as `forbidden` when the rights have gone; by default nobody's are asked for. */
  readonly actor?: Actor;
}

/** What else `replaceUser` changes, in the same change. */
export interface ReplaceOptions extends ActorOptions {
  /**
   * For a new password: ends the sessions of the user but the one of this id ("" ends all), the tickets for a reset,
   * and the tickets that the user has made.
   */
  readonly keepSessionId?: string;
  /** Uses up this ticket. */
  readonly ticketHash?: string;
}

/** What password hashes cost. */
export interface HashCosts {
  /** The most iterations of any that can be verified; 0 when there is none. */
  readonly highestIterations: number;
  /** How many cannot be verified, or are dearer than any setting: nobody logs in with them. */
  readonly unusableCount: number;
}

/** What an insertion of a ticket depends on. */
export interface TicketOptions extends ActorOptions {
  /** Whom a reset is for: `stale` when the user is no longer so. */
  readonly target?: User;
}

/** What else `insertSession` changes, in the same change. */
export interface InsertSessionOptions {
  /**
   * At least 1. When the user has more sessions with the new one, those seen longest ago end. By default any number.
   */
  readonly maxSessions?: number;
}

/** The register of users and their sessions. */
export interface Store extends AsyncDisposable {
  /** The user of that login (in lower case), or `undefined`. */
  findUser(login: string): Promise<User | undefined>;

  /**
   * One page of users. O(users); yields to the event loop. A user that exists from the first page to the last is on
   * exactly one page, even if others are registered and deleted in between.
   */
  listUsers(query: UserQuery): Promise<UserPage>;

  /** How many users administer the register. */
  countAdmins(): Promise<number>;

  /** How many of the users that are kept were registered on each of the days. Looks at every user, in no haste. */
  countRegistrations(days: Days): Promise<readonly number[]>;

  /** What the password hashes that are kept cost. Looks at every user. */
  hashCosts(): Promise<HashCosts>;

  /**
   * Adds a user, and uses up a ticket in the same change.
   * @param ticketHash of a ticket that is good for it; whether it is, is for `lib/accounts/ticket.ts` to say
   * @returns `taken` when the login is, `no-ticket` when the ticket was used meanwhile
   */
  insertUser(user: User, ticketHash?: string): Promise<"done" | "taken" | "no-ticket">;

  /**
   * Puts `next` in the place of `current`; the login stays the same. Disabling a user ends the sessions. Tickets become
   * void as `lib/store/memory/ticket_rules.ts` says.
   * @returns `stale` when what is kept is no longer `current`: somebody else was faster; `last-admin` when nobody would
   *   administer the register any more; `no-ticket` when the ticket was used meanwhile; `forbidden` see `ActorOptions`
   */
  replaceUser(
    current: User,
    next: User,
    options?: ReplaceOptions,
  ): Promise<"done" | "stale" | "last-admin" | "no-ticket" | "forbidden">;

  /**
   * Deletes the user with every session, every ticket for a reset and every ticket that the user has made: the login
   * may be another's tomorrow.
   * @returns `missing` when the login is nobody's or another user's by now; `stale` when what is kept is no longer `user`;
   *   `last-admin` when nobody would administer the register any more; `forbidden` see `ActorOptions`
   */
  deleteUser(user: User, options?: ActorOptions): Promise<"done" | "missing" | "stale" | "last-admin" | "forbidden">;

  /** The session of that id with its user, or `undefined`. Whether it has expired is for `lib/accounts/session.ts` to say. */
  findSession(id: string): Promise<UserSession | undefined>;

  /**
   * Adds a session of `user`. When there is no room for it, it may be gone when the store is opened again.
   * @returns `false` when the user is gone, disabled, or has another password by now
   */
  insertSession(session: Session, user: User, options?: InsertSessionOptions): Promise<boolean>;

  /**
   * Notes that a session was seen, which is never earlier than noted, unless that is further ahead than
   * `maxSessionAheadMs`: then its creation is brought back to it too. A session that has ended meanwhile stays ended.
   */
  touchSession(id: string, lastSeenAt: number): Promise<void>;

  /** Ends a session. @returns `false` when there is none, or the actor may not */
  deleteSession(id: string, options?: ActorOptions): Promise<boolean>;

  /** The sessions of a user that a query asks for. */
  listSessions(login: string, query: SessionQuery): Promise<SessionPage>;

  /** Ends every session of a user, and the tickets that the user has made. @returns how many sessions */
  deleteSessions(login: string, options?: ActorOptions): Promise<number | "forbidden">;

  /**
   * Ends every session last seen at `lastSeenUntil` or earlier, or made at `createdUntil` or earlier. @returns how many
   */
  deleteExpiredSessions(limits: ExpiryLimits): Promise<number>;

  /** The ticket whose code has this SHA-256, or `undefined`; also when its maker administers the register no more. */
  findTicket(secretHash: string): Promise<Ticket | undefined>;

  /** The tickets that a query asks for. */
  listTickets(query: TicketQuery): Promise<TicketPage>;

  /**
   * Adds a ticket. One for the setup takes the place of every other of that purpose.
   * @returns `missing` when it is for a reset and there is no such user; `stale` see `TicketOptions`; `forbidden` see
   *   `ActorOptions`
   */
  insertTicket(ticket: Ticket, options?: TicketOptions): Promise<"done" | "missing" | "stale" | "forbidden">;

  /**
   * Deletes a ticket that is not for the setup. @returns `missing` when there is none; `forbidden` see `ActorOptions`
   */
  deleteTicket(id: string, options?: ActorOptions): Promise<"done" | "missing" | "forbidden">;

  /** Deletes every ticket that expires at `expiresUntil` or earlier. @returns how many */
  deleteExpiredTickets(expiresUntil: number): Promise<number>;

  /**
   * Every record, a batch at a time: users in order of their ids, then sessions in order of theirs, then tickets in
   * order of their hashes. What changes meanwhile may be shown as it was or as it is.
   */
  records(): AsyncIterable<readonly StoredRecord[]>;

  /**
   * Adds records as they are, as one change, without asking whether they may be: for copies, while nobody else changes
   * the store. What is kept already stays as it is. Sessions, and tickets for a reset, need their user.
   */
  insertRecords(records: readonly StoredRecord[]): Promise<void>;

  /** How much it keeps. Cheap: asked for every second. */
  size(): Promise<StoreSize>;

  /** Why the store takes no changes, or `undefined` while it does. */
  fault(): Promise<string | undefined>;
}

/** The store had no room for a change. Nothing of the change is kept; a later one may succeed. */
export class StoreFullError extends Error {
  override name = "StoreFullError";
}

/** The store takes no more changes until it is opened again. What it holds can still be read. */
export class StoreClosedError extends Error {
  override name = "StoreClosedError";
}

/**
 * The store cannot be reached, or takes no changes for now. A later call may succeed. Whether a change was made is not
 * known: the answer may be what was lost.
 */
export class StoreUnavailableError extends Error {
  override name = "StoreUnavailableError";
}
