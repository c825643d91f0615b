/** How much is kept in a PostgreSQL: counted, as nobody keeps the counts. */

import type { StoreSize } from "../store.ts";
import { codeOf } from "./postgres_connection.ts";
import type { Database } from "./postgres_database.ts";
import { numberIn, statements } from "./postgres_statements.ts";

/** There is no such function (42883), it is not implemented (0A000), or not for everyone (42501). */
const missing = /^(42883|0A000|42501)$/;

/** Counts every row. */
export async function findSize(database: Database): Promise<StoreSize> {
  const [{ rows: [counts] }, bytes] = await Promise.all([database.run(statements.countAll), findBytes(database)]);
  return { users: numberIn(counts, "users"), sessions: numberIn(counts, "sessions"), bytes };
}

/** Of the whole database, with its indexes and its own tables; 0 on CockroachDB, which does not tell. */
async function findBytes(database: Database): Promise<number> {
  try {
    const { rows } = await database.run(statements.databaseBytes);
    return numberIn(rows[0], "bytes");
  } catch (error) {
    if (missing.test(codeOf(error))) return 0;
    throw error;
  }
}
