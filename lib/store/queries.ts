/** Queries and results of the lists, counts and sizes of a store. All times are milliseconds since the epoch. */

import type { Ticket } from "./records.ts";

/** Which page of a list to return. */
export interface PageQuery {
  /** At most this many items; at least 1. */
  readonly limit: number;
  /** The cursor: only items after the one of this id. */
  readonly after?: string | undefined;
}

/** A page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The number of items on all pages. */
  readonly total: number;
  /** The cursor of the next page; `undefined` on the last. */
  readonly next: string | undefined;
}

/** The order of a list of users; "-" is descending. By registration means by id. */
export type UserSort = "registered_at" | "-registered_at" | "login";

/** Selects the users that meet every condition. */
export interface UserQuery extends PageQuery {
  /** Only logins that begin with this text. */
  readonly prefix?: string;
  /** Only logins that contain this text. */
  readonly contains?: string;
  /** Only members of this group, a name without a comma; "" is every user. */
  readonly group?: string;
  /** By default `registered_at`. When sorted by login, the cursor is a login. */
  readonly sort?: UserSort;
}

/** Selects the tickets for registrations and resets that are valid at `now`, in order of their ids. */
export interface TicketQuery extends PageQuery {
  readonly now: number;
}

/** A ticket with the login of the administrator who created it, if one did. */
export interface ListedTicket {
  readonly ticket: Ticket;
  readonly madeBy: string | undefined;
}

/** Sessions last seen or created at these times or earlier have expired. */
export interface ExpiryLimits {
  readonly lastSeenUntil: number;
  readonly createdUntil: number;
}

/** Selects the sessions that have not expired, in order of their ids. */
export interface SessionQuery extends PageQuery, Partial<ExpiryLimits> {}

/** Consecutive days of UTC; `first` counts from 1970-01-01. */
export interface Days {
  readonly first: number;
  readonly count: number;
}

/** How much a store contains. */
export interface StoreSize {
  readonly users: number;
  /** Including expired sessions that are not deleted yet. */
  readonly sessions: number;
  /** Bytes on disk; 0 for a store in memory. */
  readonly bytes: number;
}

/** A work that verifying a password takes, and how many of the stored hashes take it. */
export interface HashWork {
  /** Kind and cost, such as "pbkdf2-sha256 i=600000". */
  readonly work: string;
  /** At least 1. */
  readonly count: number;
  /** One of these hashes. */
  readonly example: string;
}

/** What it takes to verify the stored password hashes. */
export interface HashWorks {
  /** In any order; at most `maxHashWorks`. */
  readonly works: readonly HashWork[];
  /** Hashes that cannot be verified or exceed every setting: their users cannot log in. */
  readonly unusableCount: number;
}

/** Bounds what an import of users with a cost for each makes of `HashWorks`: further works are left out. */
export const maxHashWorks = 1_000;
