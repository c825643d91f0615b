/**
 * The fields of each record as they are stored, in files and databases: how values are checked, and which are texts.
 *
 * The checks accept what any version has written; `lib/accounts/` checks new values.
 */

import type { RecordKind, Records, SiteLogin } from "../store.ts";
import { factorsOf } from "./rules.ts";

/** Characters of the longest id, login and hash of a secret. */
const maxKeyLength = 64;
/** Characters of the secret of a passkey: with a key of ML-DSA-44 and the longest id 3,150. */
const maxCredentialSecretLength = 4_096;
/** Characters of the longest other text: more than 32 groups of 32, a User-Agent or a hash take. */
const maxTextLength = 2_048;
/** Characters of the text of sites: more than `maxSites` with the longest host names take. */
const maxSitesLength = 32_768;
/** The end of the year 9999, in milliseconds since the epoch: RFC 3339 has no later date. */
export const maxTime = Date.UTC(10_000, 0) - 1;
/** Shared by all users without a group, which saves 16 bytes of memory a user. */
const noGroups: readonly string[] = Object.freeze([]);
/** Shared by all sessions without a site. */
export const noSites: readonly SiteLogin[] = Object.freeze([]);
/** Anything but visible ASCII: the guard's identity headers carry logins and groups. */
const invisible = /[^!-~]/;
/** Sites, each with its origin, of visible ASCII without commas, and the hash of its secret. */
const sitesPattern = /^https?:\/\/[!-+\--~]+ [0-9a-f]{64}(?:,https?:\/\/[!-+\--~]+ [0-9a-f]{64})*$/;
/** Characters of the hash of a site's secret. */
const siteHashLength = 64;

/** How the values of a field are stored, and a column of them checked. */
export interface Field {
  /** Returns the first row with an invalid value, or -1. A loop: a call for each value takes twice as long. */
  findInvalid(column: readonly unknown[]): number;
  /** Converts a value of another type than the stored one. */
  encode?(value: unknown): string;
  /** Converts a stored value that is valid. */
  decode?(stored: unknown): unknown;
}

/** A text of `min` to `max` characters that does not match `refused`. */
function text({ min = 0, max, refused }: { min?: number; max: number; refused?: RegExp }): Field {
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
function wholeNumber(max: number): Field {
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
function oneOf(...values: readonly unknown[]): Field {
  return { findInvalid: (column) => column.findIndex((value) => !values.includes(value)) };
}

export const key = text({ min: 1, max: maxKeyLength });
export const login = text({ min: 1, max: maxKeyLength, refused: invisible });
const anyText = text({ max: maxTextLength });
const time = wholeNumber(maxTime);
const factors: Field = {
  findInvalid: (column) => column.findIndex((value) => typeof value !== "string" || factorsOf(value) === undefined),
  encode: (factors: readonly string[]) => factors.join(),
  decode: factorsOf,
};
/** Names of groups have no comma: see `isGroups` in `lib/accounts/user.ts`. */
const groups: Field = {
  ...text({ max: maxTextLength, refused: invisible }),
  encode: (groups: readonly string[]) => groups.join(),
  decode: (groups: string) => groups === "" ? noGroups : groups.split(","),
};
const sites: Field = {
  findInvalid: (column) => column.findIndex((value) => typeof value !== "string" || value !== "" && !isSites(value)),
  encode: (sites: readonly SiteLogin[]) => sites.map(({ origin, secretHash }) => `${origin} ${secretHash}`).join(),
  decode: (sites: string) => sites === "" ? noSites : sites.split(",").map(siteOf),
};

/** The fields by their names, in the order of the columns of a file. A literal for each kind: see `change.ts`. */
export const fields: { readonly [Kind in RecordKind]: Readonly<Record<keyof Records[Kind], Field>> } = {
  user: { id: key, login, passwordHash: anyText, registeredAt: time, groups, disabled: oneOf(true, false) },
  session: {
    id: key,
    login,
    secretHash: key,
    createdAt: time,
    lastSeenAt: time,
    userAgent: anyText,
    address: anyText,
    factors,
    authenticatedAt: time,
    sites,
  },
  ticket: {
    secretHash: key,
    purpose: oneOf("setup", "register", "reset", "login", "site"),
    login: text({ max: maxKeyLength, refused: invisible }),
    // Only a ticket for setup may expire after `maxTime`.
    expiresAt: wholeNumber(Number.MAX_SAFE_INTEGER),
    id: key,
    maker: text({ max: maxKeyLength }),
    createdAt: time,
  },
  secret: { name: key, value: key },
  credential: {
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
  },
};

/** The pattern first: it takes a fifth of the time of one for each site. */
function isSites(text: string): boolean {
  if (text.length > maxSitesLength || !sitesPattern.test(text)) return false;
  const origins = text.split(",").map((site) => siteOf(site).origin);
  return new Set(origins).size === origins.length;
}

function siteOf(text: string): SiteLogin {
  return { origin: text.slice(0, -siteHashLength - 1), secretHash: text.slice(-siteHashLength) };
}
