/**
 * Logins that nobody registers without a ticket.
 *
 * Apps behind the guard often give rights to a name that they know, such as "admin", or to an address of the own
 * domain. The guard tells them whatever login somebody has, so such names are an administrator's to give away.
 */

import { quote } from "./setting.ts";

/** Names that systems, apps and people take for somebody who looks after them (RFC 2142 among others). */
const names = [
  ...["admin", "administrator", "root", "superuser", "sudo", "sysadmin", "system", "operator", "owner"],
  ...["support", "security", "abuse", "postmaster", "hostmaster", "webmaster", "noreply", "no-reply"],
  ...["nobody", "guest", "anonymous", "api", "www", "gatehouse"],
];

export const defaultReservedLogins = names.join(",");

/** What stands for an empty list: an empty setting is refused, as it is mostly a mistake. */
export const noLogins = "none";
/** A login as `lib/accounts/user.ts` has it, in whatever capitals. */
const loginPattern = /^[a-z0-9][a-z0-9._@+-]{0,63}$/i;
const domainPattern = /^\*@[a-z0-9._-]{1,62}$/i;

/**
 * Parses a list of logins, and of `*@DOMAIN` for all that end so; with commas between.
 *
 * @throws {RangeError} one of them is neither
 */
export function parseReservedLogins(text: string): readonly string[] {
  const entries = text === noLogins ? [] : text.split(/, */);
  const bad = entries.find((entry) => !loginPattern.test(entry) && !domainPattern.test(entry));
  if (bad === undefined) return Object.freeze(entries.map((entry) => entry.toLowerCase()));
  throw new RangeError(
    `${quote(bad)} is not a login or *@DOMAIN; use a list such as admin,*@example.org, or ${noLogins}`,
  );
}

/** Whether a login, as it is kept, is among the reserved. */
export function isReservedLogin(login: string, reserved: readonly string[]): boolean {
  return reserved.some((entry) => entry.startsWith("*") ? login.endsWith(entry.slice(1)) : login === entry);
}
