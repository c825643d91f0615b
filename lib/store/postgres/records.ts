/**
 * All records of a PostgreSQL, page by page, and many records put into it by few statements: for copies.
 *
 * A page begins behind the last key of the one before, so that it costs the same wherever it is.
 */

import type { Session, StoredRecord, Ticket, User } from "../../store.ts";
import type { Row, Value } from "./connection.ts";
import type { Database, Transaction } from "./database.ts";
import { ticketValuesOf, valuesOf } from "./rules.ts";
import { pageSize, sessionOfRow, statements, ticketOfRow, userOfRow } from "./statements.ts";

/** A table, and how a record of it becomes a row. */
interface Table<Item> {
  readonly name: string;
  /** The key first. */
  readonly columns: readonly string[];
  readonly valuesOf: (item: Item) => readonly Value[];
}

const userTable: Table<User> = {
  name: "gatehouse_user",
  columns: ["login", "id", "password_hash", "iterations", "registered_at", "groups", "is_admin", "disabled", "changes"],
  valuesOf: (user) => [...valuesOf(user), 0],
};

const sessionTable: Table<Session> = {
  name: "gatehouse_session",
  columns: ["id", "login", "secret_hash", "created_at", "last_seen_at", "user_agent", "address"],
  valuesOf: ({ id, login, secretHash, createdAt, lastSeenAt, userAgent, address }) => {
    return [id, login, secretHash, createdAt, lastSeenAt, userAgent, address];
  },
};

const ticketTable: Table<Ticket> = {
  name: "gatehouse_ticket",
  columns: ["secret_hash", "purpose", "login", "expires_at", "id", "maker", "created_at"],
  valuesOf: ticketValuesOf,
};

/** A ticket for a reset is deleted with its user. */
const resetTable: Table<Ticket> = {
  ...ticketTable,
  columns: [...ticketTable.columns, "reset_login"],
  valuesOf: (ticket) => [...ticketTable.valuesOf(ticket), ticket.login],
};

/** Every record, in the order that `lib/store.ts` promises. */
export async function* recordsIn(database: Database): AsyncGenerator<readonly StoredRecord[]> {
  const { userPage, sessionPage, ticketPage } = statements;
  yield* pages(database, userPage, (row) => ({ kind: "put-user", user: userOfRow(row) }));
  yield* pages(database, sessionPage, (row) => ({ kind: "put-session", session: sessionOfRow(row) }));
  yield* pages(database, ticketPage, (row) => ({ kind: "put-ticket", ticket: ticketOfRow(row) }));
}

/** Adds the records whose keys are not there. */
export async function insertAll(transaction: Transaction, records: readonly StoredRecord[]): Promise<void> {
  const users = records.flatMap((record) => record.kind === "put-user" ? [record.user] : []);
  const sessions = records.flatMap((record) => record.kind === "put-session" ? [record.session] : []);
  const tickets = records.flatMap((record) => record.kind === "put-ticket" ? [record.ticket] : []);
  // In this order: a row must be there before those that refer to it.
  await insertRows(transaction, userTable, users);
  await insertRows(transaction, sessionTable, sessions);
  await insertRows(transaction, resetTable, tickets.filter(({ purpose }) => purpose === "reset"));
  await insertRows(transaction, ticketTable, tickets.filter(({ purpose }) => purpose !== "reset"));
}

async function insertRows<Item>(
  { run }: Transaction,
  { name, columns, valuesOf }: Table<Item>,
  items: readonly Item[],
): Promise<void> {
  if (items.length === 0) return;
  const rows = items.map((_, row) => `(${columns.map((_, column) => `$${row * columns.length + column + 1}`).join()})`);
  const text = `INSERT INTO ${name} (${columns.join()}) VALUES ${rows.join()} ON CONFLICT (${columns[0]}) DO NOTHING`;
  await run(text, items.flatMap(valuesOf));
}

/** @param statement gives the rows behind a key, by `key`. @param put makes a record of a row */
async function* pages(
  database: Database,
  statement: string,
  put: (row: Row) => StoredRecord,
): AsyncGenerator<readonly StoredRecord[]> {
  for (let last: Value = "";;) {
    const { rows } = await database.run(statement, [last]);
    if (rows.length > 0) yield rows.map(put);
    if (rows.length < pageSize) return;
    last = String(rows.at(-1)?.["key"]);
  }
}
