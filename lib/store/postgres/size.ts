/** How much is kept in a PostgreSQL: counted, as nobody keeps the counts. */

import type { StoreSize } from "../../store.ts";
import type { Database } from "./database.ts";
import { codeOf } from "./connection.ts";
import { numberIn, statements } from "./statements.ts";
import { TtlCache } from "../../ttl_cache.ts";

/** There is no such function (42883), it is not implemented (0A000), or not for everyone (42501). */
const missing = /^(42883|0A000|42501)$/;

/** Counting looks at every row, and is asked for each second. */
const defaultKeepMs = 5_000;
/** However many rows there are, counting takes a twentieth of the time. */
const timesCost = 20;

/** Counts when it is asked, and not too often. */
export function rememberSize(database: Database, keepMs: number = defaultKeepMs): TtlCache<StoreSize> {
  return new TtlCache(() => findSize(database), { keepMs, timesCost });
}

/** Counts every row. */
async function findSize(database: Database): Promise<StoreSize> {
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
