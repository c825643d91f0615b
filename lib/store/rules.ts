/**
 * Rules that every store applies: when a record has changed, and which tickets a change of a user voids.
 *
 * A ticket acts with the rights of its maker. It becomes void when the maker loses these rights, and when a new
 * password or a logout on all devices ends the maker's sessions, as a stolen session may have made it. To reset the
 * password of an administrator needs a recent login, so a reset ticket becomes void when its user becomes an
 * administrator. A ticket for a login or a site proves the old password, and no disabled user can log in.
 */

import { maxSites } from "../config/parsers.ts";
import {
  adminGroup,
  type Credential,
  type Factor,
  factorNames,
  isAdmin,
  type Session,
  type SessionUpdate,
  type SiteLogin,
  type Ticket,
  type User,
} from "../store.ts";

/** A user has at most so many credentials besides recovery codes. */
export const maxCredentials = 50;
/** A user has at most so many tickets for a login, as each right password makes one, and as many for sites. */
export const maxPendingLogins = 50;

/** Factors by their text in a record, each list once: most sessions have the same. */
const factorLists = new Map<string, readonly Factor[]>();

/** Reports whether a stored user is as expected, in everything that can change. */
export function isSameUser(kept: User | undefined, expected: User): boolean {
  return kept !== undefined && kept.id === expected.id && kept.passwordHash === expected.passwordHash &&
    kept.disabled === expected.disabled && kept.groups.join() === expected.groups.join();
}

/** Reports whether the user of a login that has been checked can still log in. */
export function canLogIn(kept: User | undefined, { id, passwordHash }: User): boolean {
  return kept !== undefined && kept.id === id && kept.passwordHash === passwordHash && !kept.disabled;
}

/** Reports which tickets a change of a user voids. @param options.isNewPassword whether the password is replaced */
export function voidedTickets(
  { current, next, isNewPassword }: { current: User; next: User; isNewPassword: boolean },
): { readonly made: boolean; readonly resets: boolean; readonly logins: boolean } {
  const isPromoted = !current.groups.includes(adminGroup) && next.groups.includes(adminGroup);
  return {
    made: isNewPassword || isAdmin(current) && !isAdmin(next),
    resets: isNewPassword || isPromoted,
    logins: isNewPassword || next.disabled,
  };
}

/** Whether a ticket is for the user of its login, and is deleted with it. */
export function isForUser(ticket: Ticket): boolean {
  return ticket.purpose === "reset" || isOfLogin(ticket);
}

/** Whether a ticket is a step of a login, made without an administrator. */
export function isOfLogin({ purpose }: Ticket): boolean {
  return purpose === "login" || purpose === "site";
}

/** Whether administrators see a ticket, and can delete it. */
export function isPublic({ purpose }: Ticket): boolean {
  return purpose === "register" || purpose === "reset";
}

/** Reports whether a stored credential is as expected, in everything that can change. */
export function isSameCredential(kept: Credential | undefined, expected: Credential): boolean {
  return kept !== undefined && kept.id === expected.id && kept.name === expected.name &&
    kept.lastUsedAt === expected.lastUsedAt && kept.counter === expected.counter &&
    kept.signCount === expected.signCount;
}

/**
 * Returns which of a user's credentials new ones replace, or why the user may not have these. A secret of TOTP and a
 * challenge, whose time is the first `counter` of a passkey, make one credential: a request may be sent twice.
 */
export function replacedBy(
  added: readonly Credential[],
  kept: readonly Credential[],
): readonly Credential[] | "taken" | "full" {
  const isReplaced = ({ kind }: Credential) =>
    (kind === "totp" || kind === "recovery") && added.some((credential) => credential.kind === kind);
  const isRepeated = ({ kind, secret, counter }: Credential) =>
    kept.some((one) =>
      one.kind === kind && (kind === "totp" && one.secret === secret || kind === "passkey" && one.counter === counter)
    );
  if (added.some(isRepeated)) return "taken";
  const remaining = kept.filter((credential) => !isReplaced(credential));
  const counted = [...remaining, ...added].filter(({ kind }) => kind !== "recovery");
  return counted.length > maxCredentials ? "full" : kept.filter(isReplaced);
}

/** Returns a session after an update. */
export function updated(session: Session, update: SessionUpdate): Session {
  const { factors = [], authenticatedAt = session.authenticatedAt, site, knownOrigins } = update;
  const isKept = ({ origin }: SiteLogin) => origin !== site?.origin && (knownOrigins?.includes(origin) ?? true);
  const sites = site === undefined ? session.sites : [...session.sites.filter(isKept), site].slice(-maxSites);
  return { ...session, factors: [...new Set([...session.factors, ...factors])], authenticatedAt, sites };
}

/** Returns the factors of a text, separated by commas; `undefined` if it is no such text. */
export function factorsOf(text: string): readonly Factor[] | undefined {
  const known = factorLists.get(text);
  if (known !== undefined) return known;
  const names = text.split(",");
  const factors = names.flatMap((name) => factorNames.find((factor) => factor === name) ?? []);
  if (factors.length < names.length || new Set(names).size < names.length) return undefined;
  factorLists.set(text, factors);
  return factors;
}

/**
 * Returns an id for a ticket of format 1, which had no id: a ULID of time 0, the same wherever the ticket is read. It
 * reveals 64 bits of the hash, which do not help to find the 256 bits of the code.
 */
export function idOfOldTicket(secretHash: string): string {
  return `0000000000${secretHash.slice(0, 16).toUpperCase()}`;
}
