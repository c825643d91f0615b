/**
 * Tickets as every store keeps them: which become void with a change of a user, and what names those of older versions.
 *
 * A ticket acts with the rights of its maker: it is void once they have gone, and once all logins of the maker were
 * ended or their password replaced, as somebody else may have made it by a stolen session. A ticket that resets an
 * administrator's password needs a fresh login, so that one for a user who becomes an administrator later is void.
 */

import { adminGroup, isAdmin, type User } from "../../store.ts";

/** Of which tickets a change of a user is the end. */
export interface VoidedTickets {
  /** Those that the user has made. */
  readonly made: boolean;
  /** Those for a reset of the user's password. */
  readonly resets: boolean;
}

/** @param isNewPassword whether the change ends sessions for a new password */
export function voidedTickets(current: User, next: User, isNewPassword: boolean): VoidedTickets {
  const isPromoted = !current.groups.includes(adminGroup) && next.groups.includes(adminGroup);
  return {
    made: isNewPassword || isAdmin(current) && !isAdmin(next),
    resets: isNewPassword || isPromoted,
  };
}

/**
 * The id of a ticket that a version made whose tickets had none: a ULID of time 0, the same wherever the ticket is
 * read. 64 bits of a hash help nobody to find the 256 of the code.
 */
export function idOfOldTicket(secretHash: string): string {
  return `0000000000${secretHash.slice(0, 16).toUpperCase()}`;
}
