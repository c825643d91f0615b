/**
 * The SQL of the store, but for the copies of all records. `rows.ts` has its values.
 *
 * The SQL is what PostgreSQL, CockroachDB and YugabyteDB share: `test/lib/store/postgres/sql_test.ts` has the list.
 * Parameters whose type does not follow from their place have a cast.
 */

import { maxIterations } from "../../config/settings.ts";
import { maxSessionAheadMs } from "../../store.ts";
import { maxHashWorks } from "../queries.ts";
import { columnsOf } from "./rows.ts";

const ofUser = columnsOf("user");
const ofSession = columnsOf("session");
const ofCredential = columnsOf("credential");
/** The columns of a user u with another record. */
const ofItsUser = "u.id AS user_id, u.password_hash, u.registered_at, u.groups, u.disabled";

/**
 * The condition of a list of users: logins from $1 up to $2 that contain $3, in the group $4, which has commas around
 * it. Every text contains "". strpos() has no wildcards to escape.
 */
const isWantedUser = `login >= $1 AND login < $2 AND strpos(login, $3::text) > 0
    AND strpos(',' || groups || ',', $4::text) > 0`;

const ticketsAndMakers = "gatehouse_ticket t LEFT JOIN gatehouse_user u ON u.id = t.maker";
/** An administrator or the service itself has created the ticket. */
const hasValidMaker = "(t.maker = '' OR u.is_admin)";
/**
 * The condition of a list of tickets at the time $1. An instance of the previous version inserts them without an id.
 */
const isListed = `t.id > '' AND t.expires_at > $1 AND t.purpose IN ('register', 'reset') AND ${hasValidMaker}`;

/** How many rows one statement of a sweep deletes: few enough that it ends soon. */
export const sweepBatch = 1_000;

export const statements = {
  findUser: `SELECT ${ofUser} FROM gatehouse_user WHERE login = $1`,
  lockUser: `SELECT ${ofUser} FROM gatehouse_user WHERE login = $1 FOR UPDATE`,
  listUsers: `SELECT ${ofUser} FROM gatehouse_user WHERE ${isWantedUser} AND id > $5 ORDER BY id LIMIT $6`,
  listLatestUsers: `SELECT ${ofUser} FROM gatehouse_user WHERE ${isWantedUser} AND id < $5
    ORDER BY id DESC LIMIT $6`,
  // The expression avoids the index of logins: a search with few results would read the whole table in random order.
  listUsersByLogin: `SELECT ${ofUser} FROM gatehouse_user WHERE ${isWantedUser} AND login > $5
    ORDER BY login || '' LIMIT $6`,
  countUsers: `SELECT count(*) AS total FROM gatehouse_user WHERE ${isWantedUser}`,
  countAdmins: "SELECT count(*) AS admins FROM gatehouse_user WHERE is_admin",
  // CockroachDB divides integers into decimals; the remainder is the same everywhere.
  countRegistrations: `SELECT registered_at - registered_at % 86400000 AS midnight, count(*) AS users
    FROM gatehouse_user WHERE registered_at >= $1 AND registered_at < $2 GROUP BY 1`,
  // The hash of the user that registered first is the example. Hashes of earlier versions may have any number of
  // iterations.
  hashWorks: `SELECT g.users, u.password_hash FROM (
      SELECT CASE WHEN iterations = 0 THEN work WHEN iterations > ${maxIterations} THEN ''
        ELSE 'pbkdf2-sha256 i=' || CAST(iterations AS text) END AS work, count(*) AS users, min(id) AS first_id
      FROM gatehouse_user GROUP BY 1 ORDER BY 2 DESC LIMIT ${maxHashWorks}
    ) g JOIN gatehouse_user u ON u.id = g.first_id`,
  replaceUser: `UPDATE gatehouse_user SET id = $1, password_hash = $3, registered_at = $4, groups = $5, disabled = $6,
    iterations = $7, is_admin = $8, work = $9, changes = changes + $10 WHERE login = $2`,
  deleteUser: "DELETE FROM gatehouse_user WHERE login = $1",
  noteChange: "UPDATE gatehouse_user SET changes = changes + 1 WHERE login = $1",
  acquireLock: "UPDATE gatehouse_turn SET changes = changes + 1 WHERE name = $1",

  findSession: `SELECT ${columnsOf("session", "s")}, ${ofItsUser}
    FROM gatehouse_session s JOIN gatehouse_user u ON u.login = s.login WHERE s.id = $1`,
  insertSession: `WITH kept AS (
      UPDATE gatehouse_user SET changes = changes + 1
      WHERE login = $2 AND id = $11 AND password_hash = $12 AND NOT disabled RETURNING login
    ) INSERT INTO gatehouse_session (${ofSession})
    SELECT $1::text, login, $3::text, $4::bigint, $5::bigint, $6::text, $7::text, $8::text, $9::bigint,
      $10::text FROM kept
    ON CONFLICT (id) DO NOTHING`,
  lockSession: `SELECT ${ofSession} FROM gatehouse_session WHERE id = $1 AND login = $2 FOR UPDATE`,
  updateSession: "UPDATE gatehouse_session SET factors = $2, authenticated_at = $3, sites = $4 WHERE id = $1",
  touchSession: `UPDATE gatehouse_session SET last_seen_at = $2, created_at = LEAST(created_at, $2),
    authenticated_at = LEAST(authenticated_at, $2) WHERE id = $1
    AND (last_seen_at < $2 OR GREATEST(created_at, last_seen_at, authenticated_at) - $2 > ${maxSessionAheadMs})`,
  deleteSession: "DELETE FROM gatehouse_session WHERE id = $1",
  listSessions: `SELECT ${ofSession} FROM gatehouse_session
    WHERE login = $1 AND last_seen_at > $2 AND created_at > $3 AND id > $4 ORDER BY id LIMIT $5`,
  countSessions: `SELECT count(*) AS total FROM gatehouse_session
    WHERE login = $1 AND last_seen_at > $2 AND created_at > $3`,
  // Never the new session $2, even if the clock of another instance has marked others as seen later.
  deleteSurplusSessions: `DELETE FROM gatehouse_session WHERE id IN (
    SELECT id FROM gatehouse_session WHERE login = $1 AND id <> $2
    ORDER BY last_seen_at DESC, id DESC LIMIT ${sweepBatch} OFFSET $3)`,
  deleteSessionsBut: "DELETE FROM gatehouse_session WHERE login = $1 AND id <> $2",
  // The outer condition spares a session that is touched after the subquery.
  deleteIdleSessions: `DELETE FROM gatehouse_session WHERE last_seen_at <= $1 AND id IN (
    SELECT id FROM gatehouse_session WHERE last_seen_at <= $1 LIMIT ${sweepBatch})`,
  deleteOldSessions: `DELETE FROM gatehouse_session WHERE id IN (
    SELECT id FROM gatehouse_session WHERE created_at <= $1 LIMIT ${sweepBatch})`,

  findTicket: `SELECT ${columnsOf("ticket", "t")} FROM ${ticketsAndMakers}
    WHERE t.secret_hash = $1 AND ${hasValidMaker}`,
  hasTicket: "SELECT secret_hash FROM gatehouse_ticket WHERE secret_hash = $1",
  listTickets: `SELECT ${columnsOf("ticket", "t")}, u.login AS maker_login FROM ${ticketsAndMakers}
    WHERE ${isListed} AND t.id > $2 ORDER BY t.id LIMIT $3`,
  countTickets: `SELECT count(*) AS total FROM ${ticketsAndMakers} WHERE ${isListed}`,
  deleteTicket: "DELETE FROM gatehouse_ticket WHERE secret_hash = $1",
  deleteTicketById: "DELETE FROM gatehouse_ticket WHERE id = $1 AND purpose IN ('register', 'reset')",
  deleteTicketsOfMaker: "DELETE FROM gatehouse_ticket WHERE maker = $1",
  // "reset_login" is the login also of a ticket for a login or a site.
  deleteResets: "DELETE FROM gatehouse_ticket WHERE reset_login = $1 AND purpose = 'reset'",
  deleteLogins: "DELETE FROM gatehouse_ticket WHERE reset_login = $1 AND purpose IN ('login', 'site')",
  deleteSurplusLogins: `DELETE FROM gatehouse_ticket WHERE secret_hash IN (
    SELECT secret_hash FROM gatehouse_ticket WHERE reset_login = $1 AND purpose = $2
    ORDER BY created_at DESC, id DESC LIMIT ${sweepBatch} OFFSET $3)`,
  deleteOtherSetups: "DELETE FROM gatehouse_ticket WHERE purpose = 'setup' AND login = $1 AND secret_hash <> $2",
  deleteExpiredTickets: "DELETE FROM gatehouse_ticket WHERE expires_at <= $1",

  findSecret: "SELECT name, value FROM gatehouse_secret WHERE name = $1",

  findCredential: `SELECT ${columnsOf("credential", "c")}, ${ofItsUser}
    FROM gatehouse_credential c JOIN gatehouse_user u ON u.login = c.login WHERE c.kind = $1 AND c.key = $2`,
  lockCredential: `SELECT ${ofCredential} FROM gatehouse_credential WHERE key = $1 FOR UPDATE`,
  listCredentials: `SELECT ${ofCredential} FROM gatehouse_credential WHERE login = $1 ORDER BY id`,
  replaceCredential: `UPDATE gatehouse_credential SET name = $2, last_used_at = $3, counter = $4, sign_count = $5
    WHERE key = $1`,
  deleteCredential: "DELETE FROM gatehouse_credential WHERE key = $1",
  deleteCredentials: "DELETE FROM gatehouse_credential WHERE login = $1 AND ($2::text = '' OR id = $2)",

  countAll: `SELECT (SELECT count(*) FROM gatehouse_user) AS users,
    (SELECT count(*) FROM gatehouse_session) AS sessions`,
  // CockroachDB does not have it: callers handle the error.
  databaseBytes: "SELECT pg_database_size(current_database()) AS bytes",
} as const;
