/** The fields of records on disk: how a column of their values is checked and stored. `change.ts` has the changes. */

import { factorsOf } from "../rules.ts";

/** Characters of the longest id, login and hash of a secret. */
const maxKeyLength = 64;
/** Characters of the secret of a passkey: with a key of ML-DSA-44 and the longest id 3,150. */
const maxCredentialSecretLength = 4_096;
/** Characters of the longest other text: more than 32 groups of 32, a User-Agent or a hash take. */
const maxTextLength = 2_048;
/** The end of the year 9999, in milliseconds since the epoch: RFC 3339 has no later date. */
export const maxTime = Date.UTC(10_000, 0) - 1;
/** Anything but visible ASCII: the guard's identity headers carry logins and groups. */
const invisible = /[^!-~]/;

/** How the values of a field are checked and stored, as a column of them. */
export interface Field<Stored = unknown> {
  /** Returns the first row with an invalid value, or -1. A loop: a call for each value takes twice as long. */
  findInvalid(column: readonly unknown[]): number;
  /** Converts a value of another type than the stored one. */
  encode?(value: unknown): Stored;
}

/** A text of `min` to `max` characters that does not match `refused`. */
function text({ min = 0, max, refused }: { min?: number; max: number; refused?: RegExp }): Field<string> {
  return {
    findInvalid(column) {
      for (let row = 0; row < column.length; row++) {
        const value = column[row];
        if (typeof value !== "string" || value.length < min || value.length > max) return row;
        if (refused !== undefined && value !== "" && refused.test(value)) return row;
      }
      return -1;
    },
  };
}

/** An integer from 0 to `max`. */
function wholeNumber(max: number): Field<number> {
  return {
    findInvalid(column) {
      for (let row = 0; row < column.length; row++) {
        const value = column[row];
        if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) return row;
      }
      return -1;
    },
  };
}

/** One of a few values. */
function oneOf<const Value>(...allowed: readonly Value[]): Field<Value> {
  const values: readonly unknown[] = allowed;
  return { findInvalid: (column) => column.findIndex((value) => !values.includes(value)) };
}

export const key = text({ min: 1, max: maxKeyLength });
export const login = text({ min: 1, max: maxKeyLength, refused: invisible });
const anyText = text({ max: maxTextLength });
const time = wholeNumber(maxTime);
const factors: Field<string> = {
  findInvalid: (column) => column.findIndex((value) => typeof value !== "string" || factorsOf(value) === undefined),
  encode: (factors: readonly string[]) => factors.join(),
};
const groups: Field<string> = {
  ...text({ max: maxTextLength, refused: invisible }),
  encode: (groups: readonly string[]) => groups.join(),
};
/** The fields of a ticket in format 1. Only a ticket for setup may expire after `maxTime`. */
export const oldTicketFields = {
  secretHash: key,
  purpose: oneOf("setup", "register", "reset", "login"),
  login: text({ max: maxKeyLength, refused: invisible }),
  expiresAt: wholeNumber(Number.MAX_SAFE_INTEGER),
};
export const ticketFields = { ...oldTicketFields, id: key, maker: text({ max: maxKeyLength }), createdAt: time };
export const userFields = {
  id: key,
  login,
  passwordHash: anyText,
  registeredAt: time,
  groups,
  disabled: oneOf(true, false),
};
const sessionTimes = { createdAt: time, lastSeenAt: time };
export const oldSessionFields = {
  id: key,
  login,
  secretHash: key,
  ...sessionTimes,
  userAgent: anyText,
  address: anyText,
};
export const sessionFields = { ...oldSessionFields, factors, authenticatedAt: time };
export const credentialFields = {
  key,
  id: key,
  login,
  kind: oneOf("passkey", "totp", "recovery", "app-password"),
  name: anyText,
  createdAt: time,
  lastUsedAt: time,
  secret: text({ max: maxCredentialSecretLength }),
  counter: time,
  signCount: time,
};
