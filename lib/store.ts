/**
 * What Gatehouse keeps, and what a store of it promises.
 *
 * The promises, which hold for every implementation and are one test each in `test/lib/store_test.ts`:
 * - A promise of a change resolves when the change is durable, and no reader sees it before.
 * - A change is whole or absent, also after a crash; changes of one call are one change.
 * - Changes of one login happen one after another, so of any number of parallel registrations of it one wins.
 *
 * An outcome that the caller must branch on is a value; a fault is thrown: `StoreFullError` when there is no room,
 * `StoreClosedError` when the store takes no more changes. This file imports nothing.
 */

/** A registered user, as kept. It never leaves the service in this shape: see `publicUser` in `lib/user.ts`. */
export interface User {
  /** ULID, unique for all time: a login that is deleted and registered again has another. */
  readonly id: string;
  /** The name to log in with, in lower case; unique. */
  readonly login: string;
  /** PHC text, see `lib/password.ts`. */
  readonly passwordHash: string;
  /** Milliseconds since the epoch. */
  readonly registeredAt: number;
  readonly groups: readonly string[];
  /** A disabled user cannot log in, and has no sessions. */
  readonly disabled: boolean;
}

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
  /** Milliseconds since the epoch; written now and then, see `lib/session.ts`. */
  readonly lastSeenAt: number;
  /** The `User-Agent` at login, at most 256 characters. */
  readonly userAgent: string;
  /** The client's address at login. */
  readonly address: string;
}

/** One record put or deleted, whole: doing it twice is doing it once. What journals and snapshots are made of. */
export type Change =
  | { readonly kind: "put-user"; readonly user: User }
  | { readonly kind: "delete-user"; readonly login: string }
  | { readonly kind: "put-session"; readonly session: Session }
  | { readonly kind: "delete-session"; readonly id: string };

/** The register of users and their sessions. */
export interface Store extends AsyncDisposable {
  /** The user of that login (in lower case), or `undefined`. */
  findUser(login: string): Promise<User | undefined>;

  /** Adds a user. @returns `false` when the login is taken */
  insertUser(user: User): Promise<boolean>;

  /**
   * Puts `next` in the place of `current`; the login stays the same. Disabling a user ends the sessions.
   * @returns `false` when what is kept is no longer `current`: somebody else was faster
   */
  replaceUser(current: User, next: User): Promise<boolean>;

  /** Deletes the user and every session of it. @returns `false` when there is none */
  deleteUser(login: string): Promise<boolean>;

  /** The session of that id, or `undefined`. Whether it has expired is for `lib/session.ts` to say. */
  findSession(id: string): Promise<Session | undefined>;

  /**
   * Adds a session of `user`. When there is no room for it, it is kept until the store is closed, and no longer.
   * @returns `false` when the user is gone, disabled, or has another password by now
   */
  insertSession(session: Session, user: User): Promise<boolean>;

  /** Notes that a session was seen. A session that has ended meanwhile stays ended. */
  touchSession(id: string, lastSeenAt: number): Promise<void>;

  /** Ends a session. @returns `false` when there is none */
  deleteSession(id: string): Promise<boolean>;

  /** Ends every session last seen at `lastSeenUntil` or earlier, or made at `createdUntil` or earlier. @returns how many */
  deleteExpiredSessions(limits: { lastSeenUntil: number; createdUntil: number }): Promise<number>;

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
