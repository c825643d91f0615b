/** What programs store in place of a hash, and hashes that Gatehouse does not compute: the reason, for a person. */

import type { ParsedHash } from "../parsed_hash.ts";

const advice = "invite the user with a ticket";

/** The first that matches counts. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^$/, "it is empty: the user has no password"],
  [/^[!*]/, "the user has no password, or the account is locked"],
  [/^x$/, "the hash is in another file, /etc/shadow"],
  [/^\$g?y\$/, `it is yescrypt, which Gatehouse does not compute: ${advice}`],
  [/^\$7\$/, `it is scrypt as crypt(3) writes it, which Gatehouse does not read: ${advice}`],
  [/^\$sha1\$/, `it is SHA-1 crypt of NetBSD, which Gatehouse does not compute: ${advice}`],
  [/^\$md5[$,]/, `it is MD5 crypt of Solaris, which Gatehouse does not compute: ${advice}`],
  [/^\$S\$/, `it is of Drupal 7, which Gatehouse does not compute: ${advice}`],
  [/^(?:\$3\$\$|\$NT\$)/, `it is an NT hash, which Gatehouse does not compute: ${advice}`],
  [/^[0-9a-f]{32}$/i, `it is an NT hash or MD5 without salt, which Gatehouse does not compute: ${advice}`],
  [/^(?:sha1|sha256|sha512|md5)\$/, `it is a single round of a hash, of which programs have several forms: ${advice}`],
  [/^plain\$|^\{(?:CLEARTEXT|PLAIN)\}/i, `it is a password, not a hash: ${advice}`],
  [/^\{CRYPT\}/i, "it has the prefix {CRYPT}: remove it"],
  [/^\{[^}]*\}/, `it is of an unknown LDAP scheme: ${advice}`],
  [/^(?:[./0-9A-Za-z]{13}|_[./0-9A-Za-z]{19})$/, `it is DES crypt, or a password: ${advice}`],
  [/^[^$]*$/, `it is no hash, or a password: ${advice}`],
];

/** Recognizes what cannot be verified. The last kind of the table. */
export function parseUnusable(text: string): ParsedHash | undefined {
  const reason = reasons.find(([pattern]) => pattern.test(text))?.[1];
  if (reason !== undefined) throw new RangeError(reason);
  return undefined;
}
