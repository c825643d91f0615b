/** Records as rows: a column for each field, named after it, and columns that only SQL needs. */

import type { Row } from "pg";
import { iterationsOf, workOf } from "../../passwords/stored_hash.ts";
import { isAdmin, type RecordKind, recordKinds, type Records, type StoredRecord } from "../../store.ts";
import { type Field, fields } from "../fields.ts";
import { idOfOldTicket, isForUser } from "../rules.ts";
import type { Value } from "./connection.ts";
import type { Database, Transaction } from "./database.ts";

interface Table<Item> {
  readonly name: string;
  /** The column that is the order of `Store.records`. */
  readonly key: string;
  /** The columns that only SQL needs. */
  derived?(record: Item): Readonly<Record<string, Value>>;
  /** Returns a row with the columns of the fields, which have other names or defaults of an older version. */
  complete?(row: Row): Row;
}

/** How many records a statement of `recordsIn` returns. */
const pageSize = 1_000;

const tables: { readonly [Kind in RecordKind]: Table<Records[Kind]> } = {
  user: {
    name: "gatehouse_user",
    key: "id",
    derived(user) {
      const iterations = iterationsOf(user.passwordHash);
      const work = iterations === 0 ? workOf(user.passwordHash) ?? "" : "";
      return { iterations, is_admin: isAdmin(user), work, changes: 1 };
    },
    // With another record, which has an "id" too.
    complete: (row) => ({ ...row, id: row["user_id"] ?? row["id"] }),
  },
  session: {
    name: "gatehouse_session",
    key: "id",
    complete: (row) => ({ ...row, authenticated_at: row["authenticated_at"] || row["created_at"] }),
  },
  ticket: {
    name: "gatehouse_ticket",
    key: "secret_hash",
    // One for a user refers to it, and is deleted with it.
    derived: (ticket) => ({ reset_login: isForUser(ticket) ? ticket.login : null }),
    complete: (row) => ({ ...row, id: row["id"] || idOfOldTicket(String(row["secret_hash"])) }),
  },
  secret: { name: "gatehouse_secret", key: "name" },
  credential: { name: "gatehouse_credential", key: "key" },
};

/** Returns the columns of the fields of a record. @param table the name of the table in a statement of several */
export function columnsOf(kind: RecordKind, table = ""): string {
  const prefix = table === "" ? "" : `${table}.`;
  return Object.keys(fields[kind]).map((name) => prefix + columnOf(name)).join(", ");
}

/** Returns the values of a record by their columns, first those of `columnsOf`. */
export function rowOf<Kind extends RecordKind>(
  kind: Kind,
  record: Records[Kind],
): Readonly<Record<string, Value>> {
  const values = Object.entries<Field>(fields[kind]).map(([name, { encode }]) => {
    const value = Reflect.get(record, name);
    return [columnOf(name), encode === undefined ? value : encode(value)];
  });
  return { ...Object.fromEntries(values), ...tables[kind].derived?.(record) };
}

/** @throws {TypeError} a value is invalid, or this version does not know it */
export function recordOf<Kind extends RecordKind>(kind: Kind, row: Row): Records[Kind] {
  const completed = tables[kind].complete?.(row) ?? row;
  const record = Object.entries<Field>(fields[kind]).map(([name, { findInvalid, decode }]) => {
    const value = completed[columnOf(name)];
    if (findInvalid([value]) >= 0) throw new TypeError(`Cannot read the column "${columnOf(name)}" of a ${kind}`);
    return [name, decode === undefined ? value : decode(value)];
  });
  return Object.fromEntries(record);
}

/** Inserts the records whose keys do not exist. @returns how many */
export async function insertAll(run: Transaction["run"], records: readonly StoredRecord[]): Promise<number> {
  let count = 0;
  // Users first, as rows of other tables refer to them.
  for (const kind of recordKinds) {
    const rows = records.filter((stored) => stored.kind === kind).map(({ record }) => rowOf(kind, record));
    const [first] = rows;
    if (first === undefined) continue;
    const values = rows.map((row) => Object.values(row));
    // A repeated statement whose first attempt still runs conflicts with the unique id of a user too, so with any key.
    const text = `INSERT INTO ${tables[kind].name} (${Object.keys(first)}) VALUES ${placeholders(values)}
      ON CONFLICT DO NOTHING`;
    count += (await run(text, values.flat())).rowCount ?? 0;
  }
  return count;
}

/** Returns every record, in the order that `lib/store.ts` promises. */
export async function* recordsIn(database: Database): AsyncGenerator<readonly StoredRecord[]> {
  for (const kind of recordKinds) {
    const { name, key } = tables[kind];
    const text = `SELECT ${columnsOf(kind)} FROM ${name} WHERE ${key} > $1 ORDER BY ${key} LIMIT ${pageSize}`;
    for (let last = "", isMore = true; isMore;) {
      // By key, so that every page costs the same.
      const { rows } = await database.run(text, [last]);
      if (rows.length > 0) yield rows.map((row) => ({ kind, record: recordOf(kind, row) }) as StoredRecord);
      last = String(rows.at(-1)?.[key]);
      isMore = rows.length === pageSize;
    }
  }
}

/** "($1, $2), ($3, $4)" for two rows of two values. */
export function placeholders(rows: readonly (readonly Value[])[]): string {
  let count = 0;
  return rows.map((values) => `(${values.map(() => `$${++count}`).join(", ")})`).join(", ");
}

/** @throws {TypeError} the column does not have a number */
export function numberIn(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== "number") throw new TypeError(`Cannot read the column "${column}" as a number`);
  return value;
}

function columnOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
