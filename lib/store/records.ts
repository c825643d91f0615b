/** The records of a store, and the changes that they are made of. */

/** A registered user as it is stored. Only `publicUser` of `lib/accounts/user.ts` leaves the service. */
export interface User {
  /** ULID, never reused: a login that is deleted and registered again gets another. */
  readonly id: string;
  /** Unique, in lower case. */
  readonly login: string;
  /** A text that names its kind and cost, at most 2,048 characters; see `lib/passwords/stored_hash.ts`. */
  readonly passwordHash: string;
  /** Milliseconds since the epoch, as all times here. */
  readonly registeredAt: number;
  readonly groups: readonly string[];
  /** A disabled user cannot log in and has no sessions. */
  readonly disabled: boolean;
}

export const factorNames = ["password", "passkey", "totp", "recovery"] as const;
/** What proved who a user is. */
export type Factor = typeof factorNames[number];

/** A guarded site that a session is logged in at. */
export interface SiteLogin {
  /** As in `GATEHOUSE_SITES`. */
  readonly origin: string;
  /** SHA-256 of the secret of the site's token, in hex. */
  readonly secretHash: string;
}

/** A login session as it is stored, without its token. */
export interface Session {
  /** ULID; the public half of the token. */
  readonly id: string;
  /** The login of its user. */
  readonly login: string;
  /** SHA-256 of the token's secret half, in hex. */
  readonly secretHash: string;
  readonly createdAt: number;
  /** Not written at each request, see `lib/accounts/session.ts`. */
  readonly lastSeenAt: number;
  /** The `User-Agent` at login, at most 256 characters. */
  readonly userAgent: string;
  /** The client's address at login. */
  readonly address: string;
  /** Each at most once. Sessions of older versions have `password`. */
  readonly factors: readonly Factor[];
  /** The last login or step-up. `createdAt` in sessions of older versions. */
  readonly authenticatedAt: number;
  /** Each origin at most once, the latest login last. Sessions of older versions have none. */
  readonly sites: readonly SiteLogin[];
}

/** A session further ahead of the clock than this was created or seen by a clock that was set back since. */
export const maxSessionAheadMs = 60 * 60 * 1_000;

/** A session with its user, both read at the same moment. */
export interface UserSession {
  readonly session: Session;
  readonly user: User;
}

/** A single-use permission as it is stored, without its code. */
export interface Ticket {
  /** ULID; its public name. */
  readonly id: string;
  /** SHA-256 of the code, in hex; the key of the record. */
  readonly secretHash: string;
  /**
   * `setup` creates an administrator, `register` a user; `reset` replaces a user's password. `login` proves that a user
   * has given the right password, and waits for the second factor; `site` leads a browser from the home to a guarded
   * site.
   */
  readonly purpose: "setup" | "register" | "reset" | "login" | "site";
  /** The login it is restricted to; "" allows any. */
  readonly login: string;
  /** The `User.id` of the administrator who created it; "" for the service, or an older version. */
  readonly maker: string;
  /** 0 if an older version created it. */
  readonly createdAt: number;
  /** It is invalid from then on. */
  readonly expiresAt: number;
}

/** A key that the service has made for itself. No task shows its value. */
export interface Secret {
  /** Its purpose, which is unique. 1 to 64 characters, as the value. */
  readonly name: string;
  readonly value: string;
}

/** What a user can prove its identity with besides the password. It stays while the user is disabled. */
export interface Credential {
  /** ULID; its public name. */
  readonly id: string;
  /** The login of its user. */
  readonly login: string;
  readonly kind: "passkey" | "totp" | "recovery" | "app-password";
  /** The user's name for it, at most 64 characters. */
  readonly name: string;
  readonly createdAt: number;
  /** 0 if it was never used. */
  readonly lastUsedAt: number;
  /**
   * The key of the record, unique among all kinds: the SHA-256, in hex, of a passkey's credential id, of a recovery
   * code or of the secret of an app password. For TOTP it is the `User.id`, as a user has one.
   */
  readonly key: string;
  /**
   * What `lib/factors/` checks it with, at most 4,096 characters: the public key and the id of a passkey, the secret of
   * TOTP, the groups that an app password is limited to. No task shows it.
   */
  readonly secret: string;
  /** Grows with each use of a passkey or TOTP, so that nothing is accepted twice: a time or a time step. */
  readonly counter: number;
  /** The count of signatures that a passkey has reported last. */
  readonly signCount: number;
}

/** A credential with its user, both read at the same moment. */
export interface UserCredential {
  readonly credential: Credential;
  readonly user: User;
}

/** Whether a login waits for such a credential. It does not wait for recovery codes: they replace a lost one. */
export function isSecondFactor({ kind }: Pick<Credential, "kind">): boolean {
  return kind === "passkey" || kind === "totp";
}

/** The records of each kind. */
export interface Records {
  readonly user: User;
  readonly session: Session;
  readonly ticket: Ticket;
  readonly secret: Secret;
  readonly credential: Credential;
}

export type RecordKind = keyof Records;

/** The order of `Store.records`: users first, as others refer to them. */
export const recordKinds: readonly RecordKind[] = ["user", "session", "ticket", "secret", "credential"];

/** A record, as the change that puts it. */
export type StoredRecord = {
  [Kind in RecordKind]: { readonly kind: Kind; readonly record: Records[Kind] };
}[RecordKind];

/** A record that is put, or deleted by its key; idempotent. Journals and snapshots consist of changes. */
export type Change = StoredRecord | { readonly kind: RecordKind; readonly deletedKey: string };

/** Returns the key of a record, unique among those of its kind. */
export function keyOf({ kind, record }: StoredRecord): string {
  switch (kind) {
    case "user":
      return record.login;
    case "session":
      return record.id;
    case "ticket":
      return record.secretHash;
    case "secret":
      return record.name;
    case "credential":
      return record.key;
  }
}

/** Returns what the records of a kind are in order of in `Store.records`. */
export function orderOf(stored: StoredRecord): string {
  return stored.kind === "user" ? stored.record.id : keyOf(stored);
}

/** The group of administrators. */
export const adminGroup = "admin";

/** Reports whether a user is an enabled administrator. */
export function isAdmin(user: User): boolean {
  return !user.disabled && user.groups.includes(adminGroup);
}
