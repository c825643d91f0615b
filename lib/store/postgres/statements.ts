/**
 * Every statement of the store, and the records that its rows are.
 *
 * They keep to what PostgreSQL, CockroachDB and YugabyteDB all have; `test/lib/store/postgres/sql_test.ts` has the
 * list. A parameter whose type cannot be seen from where it stands has a cast.
 */

import { maxIterations } from "../../config/settings.ts";
import { type ListedTicket, maxSessionAheadMs, type Session, type Ticket, type User } from "../../store.ts";
import type { Row } from "./connection.ts";
import { idOfOldTicket } from "../memory/ticket_rules.ts";

const userColumns = "id, login, password_hash, registered_at, groups, disabled";
const ticketColumns = "secret_hash, purpose, login, expires_at, id, maker, created_at";
/**
 * Whether a list of users shows one: logins from $1 up to $2 that contain $3, of the group $4, with commas around it.
 * Every text contains "". strpos() has no wildcards, so nothing needs an escape.
 */
const isWantedUser = `login >= $1 AND login < $2 AND strpos(login, $3::text) > 0
    AND strpos(',' || groups || ',', $4::text) > 0`;
const sessionColumns = "id, login, secret_hash, created_at, last_seen_at, user_agent, address";

/** With the maker as `u`, if an administrator made it: whether it is good, but for its end. */
const isMadeByAdmin = "(t.maker = '' OR u.is_admin)";
/** Whether a list shows it: $1 is the time. What an instance of the version before adds has no id. */
const isListed = `t.id > '' AND t.expires_at > $1 AND t.purpose <> 'setup' AND ${isMadeByAdmin}`;
const ticketsAndMakers = "gatehouse_ticket t LEFT JOIN gatehouse_user u ON u.id = t.maker";

/** Of so many sessions one statement deletes what has expired: few enough to be done soon. */
export const sweepBatch = 1_000;

/** So many records a page of all of them has. */
export const pageSize = 1_000;

export const statements = {
  findUser: `SELECT ${userColumns} FROM gatehouse_user WHERE login = $1`,
  lockUser: `SELECT ${userColumns} FROM gatehouse_user WHERE login = $1 FOR UPDATE`,
  listUsers: `SELECT ${userColumns} FROM gatehouse_user WHERE ${isWantedUser} AND id > $5 ORDER BY id LIMIT $6`,
  listLatestUsers: `SELECT ${userColumns} FROM gatehouse_user WHERE ${isWantedUser} AND id < $5
    ORDER BY id DESC LIMIT $6`,
  // An expression, not the index: rows stand in another order, so a search with few results would read all at random.
  listUsersByLogin: `SELECT ${userColumns} FROM gatehouse_user WHERE ${isWantedUser} AND login > $5
    ORDER BY login || '' LIMIT $6`,
  countUsers: `SELECT count(*) AS total FROM gatehouse_user WHERE ${isWantedUser}`,
  countAdmins: "SELECT count(*) AS admins FROM gatehouse_user WHERE is_admin",
  // CockroachDB divides whole numbers into broken ones; the remainder is the same in all.
  countRegistrations: `SELECT registered_at - registered_at % 86400000 AS midnight, count(*) AS users
    FROM gatehouse_user WHERE registered_at >= $1 AND registered_at < $2 GROUP BY 1`,
  // Parts of an index each. Rows of an earlier version have what their hash says, however much it is.
  hashCosts: `SELECT (SELECT max(iterations) FROM gatehouse_user WHERE iterations <= ${maxIterations}) AS iterations,
    (SELECT count(*) FROM gatehouse_user WHERE iterations < 1 OR iterations > ${maxIterations}) AS unusable`,
  // On any conflict: one that is repeated while its first try goes on without a connection meets its own id as well.
  insertUser: `INSERT INTO gatehouse_user
    (login, id, password_hash, iterations, registered_at, groups, is_admin, disabled, changes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT DO NOTHING`,
  replaceUser: `UPDATE gatehouse_user SET id = $2, password_hash = $3, iterations = $4, registered_at = $5,
    groups = $6, is_admin = $7, disabled = $8, changes = changes + 1 WHERE login = $1`,
  deleteUser: "DELETE FROM gatehouse_user WHERE login = $1",
  noteChange: "UPDATE gatehouse_user SET changes = changes + 1 WHERE login = $1",
  acquireLock: "UPDATE gatehouse_turn SET changes = changes + 1 WHERE name = $1",

  findSession: `SELECT ${prefixed("s", sessionColumns)}, u.id AS user_id, u.password_hash, u.registered_at, u.groups,
    u.disabled FROM gatehouse_session s JOIN gatehouse_user u ON u.login = s.login WHERE s.id = $1`,
  insertSession: `WITH kept AS (
      UPDATE gatehouse_user SET changes = changes + 1
      WHERE login = $2 AND id = $8 AND password_hash = $9 AND NOT disabled RETURNING login
    ) INSERT INTO gatehouse_session (${sessionColumns})
    SELECT $1::text, login, $3::text, $4::bigint, $5::bigint, $6::text, $7::text FROM kept
    ON CONFLICT (id) DO NOTHING`,
  lockSession: "SELECT id FROM gatehouse_session WHERE id = $1 AND login = $2 FOR UPDATE",
  touchSession: `UPDATE gatehouse_session SET last_seen_at = $2, created_at = LEAST(created_at, $2) WHERE id = $1
    AND (last_seen_at < $2 OR GREATEST(created_at, last_seen_at) - $2 > ${maxSessionAheadMs})`,
  deleteSession: "DELETE FROM gatehouse_session WHERE id = $1",
  listSessions: `SELECT ${sessionColumns} FROM gatehouse_session
    WHERE login = $1 AND last_seen_at > $2 AND created_at > $3 AND id > $4 ORDER BY id LIMIT $5`,
  countSessions: `SELECT count(*) AS total FROM gatehouse_session
    WHERE login = $1 AND last_seen_at > $2 AND created_at > $3`,
  // Never the one that was just made, which the clock of another instance may have as seen before others.
  deleteSurplusSessions: `DELETE FROM gatehouse_session WHERE id IN (
    SELECT id FROM gatehouse_session WHERE login = $1 AND id <> $2
    ORDER BY last_seen_at DESC, id DESC LIMIT ${sweepBatch} OFFSET $3)`,
  deleteSessionsBut: "DELETE FROM gatehouse_session WHERE login = $1 AND id <> $2",
  // Again outside of the brackets: a session that is seen in between is not deleted.
  deleteIdleSessions: `DELETE FROM gatehouse_session WHERE last_seen_at <= $1 AND id IN (
    SELECT id FROM gatehouse_session WHERE last_seen_at <= $1 LIMIT ${sweepBatch})`,
  deleteOldSessions: `DELETE FROM gatehouse_session WHERE id IN (
    SELECT id FROM gatehouse_session WHERE created_at <= $1 LIMIT ${sweepBatch})`,

  findTicket: `SELECT ${prefixed("t", ticketColumns)} FROM ${ticketsAndMakers}
    WHERE t.secret_hash = $1 AND ${isMadeByAdmin}`,
  hasTicket: "SELECT secret_hash FROM gatehouse_ticket WHERE secret_hash = $1",
  listTickets: `SELECT ${prefixed("t", ticketColumns)}, u.login AS maker_login FROM ${ticketsAndMakers}
    WHERE t.id > $2 AND ${isListed} ORDER BY t.id LIMIT $3`,
  countTickets: `SELECT count(*) AS total FROM ${ticketsAndMakers} WHERE ${isListed}`,
  insertTicket: `INSERT INTO gatehouse_ticket (${ticketColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (secret_hash) DO NOTHING`,
  insertReset: `INSERT INTO gatehouse_ticket (${ticketColumns}, reset_login) VALUES ($1, $2, $3, $4, $5, $6, $7, $3)
    ON CONFLICT (secret_hash) DO NOTHING`,
  deleteTicketById: "DELETE FROM gatehouse_ticket WHERE id = $1 AND purpose <> 'setup'",
  deleteMade: "DELETE FROM gatehouse_ticket WHERE maker = $1",
  deleteTicket: "DELETE FROM gatehouse_ticket WHERE secret_hash = $1",
  deleteResets: "DELETE FROM gatehouse_ticket WHERE reset_login = $1",
  deleteOtherSetups: "DELETE FROM gatehouse_ticket WHERE purpose = 'setup' AND secret_hash <> $1",
  deleteExpiredTickets: "DELETE FROM gatehouse_ticket WHERE expires_at <= $1",

  userPage: `SELECT ${userColumns}, id AS key FROM gatehouse_user WHERE id > $1 ORDER BY id LIMIT ${pageSize}`,
  sessionPage: `SELECT ${sessionColumns}, id AS key FROM gatehouse_session WHERE id > $1 ORDER BY id LIMIT ${pageSize}`,
  ticketPage: `SELECT ${ticketColumns}, secret_hash AS key FROM gatehouse_ticket
    WHERE secret_hash > $1 ORDER BY secret_hash LIMIT ${pageSize}`,

  countAll: `SELECT (SELECT count(*) FROM gatehouse_user) AS users,
    (SELECT count(*) FROM gatehouse_session) AS sessions`,
  // PostgreSQL and YugabyteDB alone: whoever sends it must do without the answer.
  databaseBytes: "SELECT pg_database_size(current_database()) AS bytes",
} as const;

/** The user in a row that has the columns of one; of a session's row too. */
export function userOfRow(row: Row): User {
  const groups = textIn(row, "groups");
  return {
    id: textIn(row, "user_id" in row ? "user_id" : "id"),
    login: textIn(row, "login"),
    passwordHash: textIn(row, "password_hash"),
    registeredAt: numberIn(row, "registered_at"),
    // A group has no comma: see `isGroups` in `lib/accounts/user.ts`.
    groups: groups === "" ? [] : groups.split(","),
    disabled: row["disabled"] === true,
  };
}

export function sessionOfRow(row: Row): Session {
  return {
    id: textIn(row, "id"),
    login: textIn(row, "login"),
    secretHash: textIn(row, "secret_hash"),
    createdAt: numberIn(row, "created_at"),
    lastSeenAt: numberIn(row, "last_seen_at"),
    userAgent: textIn(row, "user_agent"),
    address: textIn(row, "address"),
  };
}

/** @throws {TypeError} it has a purpose that this program does not know */
export function ticketOfRow(row: Row): Ticket {
  const purpose = textIn(row, "purpose");
  if (purpose !== "setup" && purpose !== "register" && purpose !== "reset") {
    throw new TypeError(`Cannot read a ticket: its purpose is "${purpose}"`);
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

/** A ticket in a row that has the login of its maker, too. */
export function listedTicketOfRow(row: Row): ListedTicket {
  return { ticket: ticketOfRow(row), madeBy: row["maker_login"] === null ? undefined : textIn(row, "maker_login") };
}

/** @throws {TypeError} the column is no number */
export function numberIn(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value === "number") return value;
  throw new TypeError(`Cannot read the column "${column}": it is ${value === undefined ? "missing" : typeof value}`);
}

function textIn(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new TypeError(`Cannot read the column "${column}": it is ${value === undefined ? "missing" : typeof value}`);
}

function prefixed(table: string, columns: string): string {
  return columns.split(", ").map((column) => `${table}.${column}`).join(", ");
}
