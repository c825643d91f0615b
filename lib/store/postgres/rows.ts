/** The rows of the tables as records, and the other way round. */

import type { Row } from "pg";
import { iterationsOf, workOf } from "../../passwords/stored_hash.ts";
import {
  type Credential,
  isAdmin,
  type ListedTicket,
  type Secret,
  type Session,
  type Ticket,
  type User,
} from "../../store.ts";
import { factorsOf, idOfOldTicket, isForUser } from "../rules.ts";
import type { Value } from "./connection.ts";

/** The row of a user. @param changes how many changes to add to the counter of the row */
export function userValues(user: User, changes: 0 | 1): readonly Value[] {
  const { login, id, passwordHash, registeredAt, groups, disabled } = user;
  const iterations = iterationsOf(passwordHash);
  const work = iterations === 0 ? workOf(passwordHash) ?? "" : "";
  return [login, id, passwordHash, iterations, registeredAt, groups.join(), isAdmin(user), disabled, changes, work];
}

/** The row of a session. */
export function sessionValues(session: Session): readonly Value[] {
  const { id, login, secretHash, createdAt, lastSeenAt, userAgent, address, factors, authenticatedAt } = session;
  return [id, login, secretHash, createdAt, lastSeenAt, userAgent, address, factors.join(), authenticatedAt];
}

/** The row of a ticket. One for a user refers to it, and is deleted with it. */
export function ticketValues(ticket: Ticket): readonly Value[] {
  const { secretHash, purpose, login, expiresAt, id, maker, createdAt } = ticket;
  return [secretHash, purpose, login, expiresAt, id, maker, createdAt, isForUser(ticket) ? login : null];
}

/** The row of a credential. */
export function credentialValues(credential: Credential): readonly Value[] {
  const { key, id, login, kind, name, createdAt, lastUsedAt, secret, counter, signCount } = credential;
  return [key, id, login, kind, name, createdAt, lastUsedAt, secret, counter, signCount];
}

/** The user of a row of users, or of another record with its user. */
export function userOfRow(row: Row): User {
  const groups = textIn(row, "groups");
  return {
    id: textIn(row, "user_id" in row ? "user_id" : "id"),
    login: textIn(row, "login"),
    passwordHash: textIn(row, "password_hash"),
    registeredAt: numberIn(row, "registered_at"),
    // Names of groups have no comma: see `isGroups` in `lib/accounts/user.ts`.
    groups: groups === "" ? [] : groups.split(","),
    disabled: row["disabled"] === true,
  };
}

/** @throws {TypeError} this version does not know a factor */
export function sessionOfRow(row: Row): Session {
  const factors = factorsOf(textIn(row, "factors"));
  if (factors === undefined) throw new TypeError(`Cannot read a session with the factors "${row["factors"]}"`);
  return {
    id: textIn(row, "id"),
    login: textIn(row, "login"),
    secretHash: textIn(row, "secret_hash"),
    createdAt: numberIn(row, "created_at"),
    lastSeenAt: numberIn(row, "last_seen_at"),
    userAgent: textIn(row, "user_agent"),
    address: textIn(row, "address"),
    factors,
    // An instance of an older version has inserted 0.
    authenticatedAt: numberIn(row, "authenticated_at") || numberIn(row, "created_at"),
  };
}

/** @throws {TypeError} this version does not know the purpose */
export function ticketOfRow(row: Row): Ticket {
  const purpose = textIn(row, "purpose");
  if (purpose !== "setup" && purpose !== "register" && purpose !== "reset" && purpose !== "login") {
    throw new TypeError(`Cannot read a ticket with the purpose "${purpose}"`);
  }
  const secretHash = textIn(row, "secret_hash");
  return {
    id: textIn(row, "id") || idOfOldTicket(secretHash),
    secretHash,
    purpose,
    login: textIn(row, "login"),
    maker: textIn(row, "maker"),
    createdAt: numberIn(row, "created_at"),
    expiresAt: numberIn(row, "expires_at"),
  };
}

/** The ticket of a row that also has the login of its maker. */
export function listedTicketOfRow(row: Row): ListedTicket {
  return { ticket: ticketOfRow(row), madeBy: row["maker_login"] === null ? undefined : textIn(row, "maker_login") };
}

export function secretOfRow(row: Row): Secret {
  return { name: textIn(row, "name"), value: textIn(row, "value") };
}

/** @throws {TypeError} this version does not know the kind */
export function credentialOfRow(row: Row): Credential {
  const kind = textIn(row, "kind");
  if (kind !== "passkey" && kind !== "totp" && kind !== "recovery" && kind !== "app-password") {
    throw new TypeError(`Cannot read a credential of the kind "${kind}"`);
  }
  return {
    id: textIn(row, "id"),
    login: textIn(row, "login"),
    kind,
    name: textIn(row, "name"),
    createdAt: numberIn(row, "created_at"),
    lastUsedAt: numberIn(row, "last_used_at"),
    key: textIn(row, "key"),
    secret: textIn(row, "secret"),
    counter: numberIn(row, "counter"),
    signCount: numberIn(row, "sign_count"),
  };
}

/** Hashes that take the same work, or that cannot be verified. */
export function hashWorkOfRow(row: Row) {
  const example = textIn(row, "password_hash");
  return { work: workOf(example), count: numberIn(row, "users"), example };
}

/** @throws {TypeError} the column does not have a number */
export function numberIn(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== "number") throw new TypeError(`Cannot read the column "${column}" as a number`);
  return value;
}

function textIn(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`Cannot read the column "${column}" as a text`);
  return value;
}
