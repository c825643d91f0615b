/**
 * Rules that every store applies: when a user has changed, and which tickets a change of a user voids.
 *
 * A ticket acts with the rights of its maker. It becomes void when the maker loses these rights, and when a new
 * password or a logout on all devices ends the maker's sessions, as a stolen session may have made it. To reset the
 * password of an administrator needs a recent login, so a reset ticket becomes void when its user becomes an
 * administrator.
 */

import { adminGroup, isAdmin, type User } from "../store.ts";

/** Reports whether a stored user is as expected, in everything that can change. */
export function isSameUser(kept: User | undefined, expected: User): boolean {
  return kept !== undefined && kept.id === expected.id && kept.passwordHash === expected.passwordHash &&
    kept.disabled === expected.disabled && kept.groups.join() === expected.groups.join();
}

/** Reports which tickets a change of a user voids. @param options.isNewPassword whether the password is replaced */
export function voidedTickets(
  { current, next, isNewPassword }: { current: User; next: User; isNewPassword: boolean },
): { readonly made: boolean; readonly resets: boolean } {
  const isPromoted = !current.groups.includes(adminGroup) && next.groups.includes(adminGroup);
  return {
    made: isNewPassword || isAdmin(current) && !isAdmin(next),
    resets: isNewPassword || isPromoted,
  };
}

/**
 * Returns an id for a ticket of format 1, which had no id: a ULID of time 0, the same wherever the ticket is read. It
 * reveals 64 bits of the hash, which do not help to find the 256 bits of the code.
 */
export function idOfOldTicket(secretHash: string): string {
  return `0000000000${secretHash.slice(0, 16).toUpperCase()}`;
}
