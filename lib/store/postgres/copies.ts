/** All records of a database, for copies of it and to it. */

import type { Row } from "pg";
import type { StoredRecord } from "../../store.ts";
import type { Database, Transaction } from "./database.ts";
import {
  credentialOfRow,
  credentialValues,
  secretOfRow,
  sessionOfRow,
  sessionValues,
  ticketOfRow,
  ticketValues,
  userOfRow,
  userValues,
} from "./rows.ts";
import { insertStatement, pageSize, statements } from "./statements.ts";

/** Every record, in the order that `lib/store.ts` promises. */
export async function* recordsIn(database: Database): AsyncGenerator<readonly StoredRecord[]> {
  const { userPage, sessionPage, ticketPage, secretPage, credentialPage } = statements;
  yield* pagesOf(database, userPage, (row) => ({ kind: "put-user", user: userOfRow(row) }));
  yield* pagesOf(database, sessionPage, (row) => ({ kind: "put-session", session: sessionOfRow(row) }));
  yield* pagesOf(database, ticketPage, (row) => ({ kind: "put-ticket", ticket: ticketOfRow(row) }));
  yield* pagesOf(database, secretPage, (row) => ({ kind: "put-secret", secret: secretOfRow(row) }));
  yield* pagesOf(database, credentialPage, (row) => ({ kind: "put-credential", credential: credentialOfRow(row) }));
}

/** The records of a statement whose $1 is the last `key` before the page: every page costs the same. */
async function* pagesOf(database: Database, statement: string, toRecord: (row: Row) => StoredRecord) {
  for (let last = "";;) {
    const { rows } = await database.run(statement, [last]);
    if (rows.length > 0) yield rows.map(toRecord);
    if (rows.length < pageSize) return;
    last = String(rows.at(-1)?.["key"]);
  }
}

/** Users first, as rows of the other tables refer to them. */
const tables = [
  "gatehouse_user",
  "gatehouse_session",
  "gatehouse_ticket",
  "gatehouse_secret",
  "gatehouse_credential",
] as const;

/** Inserts the records whose keys do not exist. */
export async function insertAll({ run }: Transaction, records: readonly StoredRecord[]): Promise<"done"> {
  const rows = records.map(rowOfRecord);
  for (const table of tables) {
    const values = rows.filter((row) => row.table === table).map((row) => row.values);
    if (values.length > 0) await run(insertStatement(table, values), values.flat());
  }
  return "done";
}

function rowOfRecord(record: StoredRecord) {
  if (record.kind === "put-user") return { table: "gatehouse_user", values: userValues(record.user, 0) };
  if (record.kind === "put-session") return { table: "gatehouse_session", values: sessionValues(record.session) };
  if (record.kind === "put-ticket") return { table: "gatehouse_ticket", values: ticketValues(record.ticket) };
  if (record.kind === "put-secret") {
    return { table: "gatehouse_secret", values: [record.secret.name, record.secret.value] };
  }
  return { table: "gatehouse_credential", values: credentialValues(record.credential) };
}
