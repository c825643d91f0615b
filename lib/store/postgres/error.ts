/** What goes wrong with a PostgreSQL beside what it answers to statements. */

import { type PostgresAddress, shownAddress } from "../../config/postgres_address.ts";

/** The database is there, and does not take what the settings say: waiting does not mend it. */
export class DatabaseRefusedError extends Error {
  override name = "DatabaseRefusedError";
}

/** There is no connection, or no more: what is wrong is no answer to a statement. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** The code of an error: of SQL, such as `40001`, or of the network, such as `ECONNREFUSED`; "" when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The error of a socket or of the client, as one that has no answer. */
export function toConnectionError(cause: unknown): ConnectionError {
  if (cause instanceof ConnectionError) return cause;
  return new ConnectionError(reasonOf(cause), { cause });
}

/** Says that it is the settings that are at fault. */
export function refusedBy(address: PostgresAddress, cause: unknown): DatabaseRefusedError {
  return new DatabaseRefusedError(`Cannot use the database ${shownAddress(address)}: ${reasonOf(cause)}`, { cause });
}

/** What whoever reads a message wants to know. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
