/**
 * Maps a user of a foreign file to a user of Gatehouse, or says why it cannot be one.
 *
 * The same record always becomes the same user, with the same id: an import that was killed continues when it is run
 * again, and a second run changes nothing.
 */

import { createHash } from "node:crypto";
import { canonicalLogin, groupPattern, isGroups, loginErrors, maxGroups } from "../accounts/user.ts";
import { copyText } from "../http/kept_text.ts";
import { parseStoredHash } from "../passwords/stored_hash.ts";
import type { User } from "../store.ts";
import type { ForeignUser, RefusedRecord } from "./foreign_format.ts";

export interface MapOptions {
  /** Returns the new name of a login or group that stands in the file, or the same; "" leaves a group out. */
  readonly rename: (name: string) => string;
  /** The date of users that have no other, in milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** A user as it is to be stored, but for a hash that is too fast to be stored bare. */
export interface MappedUser {
  readonly line: number;
  readonly user: User;
  /** The hash must be wrapped, see `lib/passwords/stored_hash.ts`. */
  readonly isFast: boolean;
}

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
/** Time and random bits of a ULID. */
const [timeBits, tailBits] = [48, 80];
const bitsPerDigit = 5;
/** Characters of a text in a reason. */
const maxShown = 64;

/** Maps a record. */
export function mapUser(record: ForeignUser, { rename, modifiedAt }: MapOptions): MappedUser | RefusedRecord {
  const { line, disabled } = record;
  // Some programs write fractions of milliseconds, which no store can keep.
  const registeredAt = Math.floor(record.registeredAt ?? modifiedAt);
  // Copied, because the store keeps them, and a part of a line keeps the whole line in memory.
  const login = canonicalLogin(copyText(rename(record.login)));
  const renamed = record.groups.map((group) => canonicalLogin(copyText(rename(group))));
  const groups = [...new Set(renamed.filter((group) => group !== ""))];
  const passwordHash = copyText(record.passwordHash);
  const hash = parseHash(passwordHash);
  const reason = loginProblem(login) ?? dateProblem(registeredAt) ?? groupProblem(groups) ?? hash.problem ??
    idProblem(record.id);
  if (reason !== undefined) return { line, login: record.login, reason };
  const id = record.id ?? idOf(login, registeredAt);
  const user = { id, login, passwordHash, registeredAt, groups, disabled };
  return { line, user, isFast: hash.isFast };
}

/** What an id has besides its time. It is the same whenever the user of this login was imported. */
export function tailOf(id: string): string {
  return id.slice(-tailBits / bitsPerDigit);
}

function idOf(login: string, registeredAt: number): string {
  const random = createHash("sha256").update(`gatehouse import ${login}`).digest("hex").slice(0, tailBits / 4);
  const bits = BigInt(registeredAt) << BigInt(tailBits) | BigInt(`0x${random}`);
  const digits = bits.toString(2 ** bitsPerDigit).padStart(Math.ceil((timeBits + tailBits) / bitsPerDigit), "0");
  return digits.replaceAll(/./g, (digit) => alphabet.charAt(Number.parseInt(digit, 2 ** bitsPerDigit)));
}

function loginProblem(login: string): string | undefined {
  const problems = loginErrors(login).map(({ detail }) => detail.replace(/^M/, "m").replace(/\.$/, ""));
  return problems.length === 0 ? undefined : `the login ${problems.join(" and ")}: rename it with --rename`;
}

function dateProblem(registeredAt: number): string | undefined {
  if (registeredAt >= 0 && registeredAt < 2 ** timeBits) return undefined;
  return "the date of registration is before 1970 or too late";
}

function groupProblem(groups: readonly string[]): string | undefined {
  if (isGroups(groups)) return undefined;
  const wrong = groups.find((group) => !groupPattern.test(group));
  if (wrong === undefined) return `there are more than ${maxGroups} groups`;
  return `the group "${wrong.slice(0, maxShown)}" must consist of 1 to 32 of a-z 0-9 . _ -: rename it with --rename`;
}

function idProblem(id: string | undefined): string | undefined {
  return id === undefined || ulidPattern.test(id) ? undefined : "the id is not a ULID: leave ids of other programs out";
}

function parseHash(text: string): { readonly problem?: string; readonly isFast: boolean } {
  try {
    return { isFast: parseStoredHash(text).isFast };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { problem: `the password hash cannot be verified: ${error.message}`, isFast: false };
  }
}
