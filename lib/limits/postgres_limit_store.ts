/**
 * Counts in a PostgreSQL, which every instance on it shares: they count as one.
 *
 * A change is a transaction. It first writes the limits that it names as they are, or as new ones, and so has them
 * for itself until it ends; always in the order of their keys, so that no two changes wait for each other. A connection
 * that breaks as it commits may have one change done twice: a guess more or less, and nobody outside can bring that
 * about.
 *
 * Keys are digests without a secret. All instances would need the same one, and in the same database it would be none.
 * So whoever reads the database can find by trying what was counted: logins and addresses, which stand there in plain
 * text too, and what was typed as a login and is none. No wrong password comes here, see `lib/limits/login_throttle.ts`.
 */

import { hourMs, keyDigest, type LimitKey, type LimitState, maxAheadMs, pendingMs, unused } from "./limit_rule.ts";
import { type LimitStore, maxStoredStates, type UpdateStates } from "./rate_limiter.ts";
import type { Row, Value } from "../store/postgres/connection.ts";
import type { Database } from "../store/postgres/database.ts";

/** So many one statement of a sweep deletes. */
const sweepBatch = 10_000;

/** Counts on the connections of a database that is open, and stays the caller's to close. */
export class PostgresLimitStore implements LimitStore {
  readonly #database: Database;
  readonly #maxRows: number;

  /** @param maxRows how many rows are kept of each kind, see `deleteIdle` */
  constructor(database: Database, { maxRows = maxStoredStates }: { readonly maxRows?: number } = {}) {
    this.#database = database;
    this.#maxRows = maxRows;
  }

  async read(limits: readonly LimitKey[]): Promise<readonly LimitState[]> {
    if (limits.length === 0) return [];
    const keys = limits.map(keyOf);
    const statement = "SELECT kind, key, full_at, wrong_count, open_count, opened_at FROM gatehouse_count " +
      `WHERE (kind, key) IN (${placeholders(keys)})`;
    return statesOf(keys, (await this.#database.run(statement, keys.flat())).rows);
  }

  async update(limits: readonly LimitKey[], update: UpdateStates): Promise<void> {
    if (limits.length === 0) return;
    const keys = limits.map(keyOf);
    const sorted = keys.toSorted((one, other) => one.join() < other.join() ? -1 : 1);
    await this.#database.transact(async ({ run }) => {
      const next = update(statesOf(keys, (await run(lockStatement(sorted), sorted.flat())).rows));
      if (next === undefined) return "unchanged";
      const rows = keys.map((key, index) => ({ key, state: next[index] ?? unused }));
      // What counts nothing is kept for nobody: a flood that is refused later leaves no rows.
      const [over, kept] = [
        rows.filter(({ state }) => state === unused),
        rows.filter(({ state }) => state !== unused),
      ];
      if (over.length > 0) await run(deleteStatement(over.map(({ key }) => key)), over.flatMap(({ key }) => key));
      const values = kept.map(({ key, state }) => [...key, ...valuesOf(state)]);
      if (values.length > 0) await run(writeStatement(values), values.flat());
      return "done";
    });
  }

  /**
   * Forgets what has renewed itself or was given up. What failed in a row never ends by itself: of each kind those are
   * kept that were tried last, as many as in memory, and what was tried in the same millisecond as the next goes too.
   * What is too far ahead of now is brought back to it first, as in `lib/limits/limit_rule.ts`: it would be kept for as long.
   */
  async deleteIdle(now: number): Promise<number> {
    await this.#database.run(bringBackStatement, [now, now + maxAheadMs, now + maxAheadMs + hourMs, now]);
    let count = await this.#deleteAll("full_at <= $1 AND wrong_count = 0 AND opened_at < $2", [now, now - pendingMs]);
    const { rows } = await this.#database.run(
      `SELECT kind, max(opened_at) AS until FROM (
        SELECT kind, opened_at, row_number() OVER (PARTITION BY kind ORDER BY opened_at DESC) AS place
        FROM gatehouse_count WHERE wrong_count > 0 OR open_count > 0
      ) AS ranked WHERE place > $1 GROUP BY kind`,
      [this.#maxRows],
    );
    for (const { kind, until } of rows) {
      count += await this.#deleteAll("kind = $1 AND opened_at <= $2", [String(kind), Number(until)]);
    }
    return count;
  }

  /** In parts that are done soon. @returns how many */
  async #deleteAll(condition: string, values: readonly Value[]): Promise<number> {
    // Again outside of the brackets: what is taken in between is not deleted.
    const statement = `DELETE FROM gatehouse_count WHERE ${condition} AND (kind, key) IN (
      SELECT kind, key FROM gatehouse_count WHERE ${condition} LIMIT ${sweepBatch})`;
    for (let total = 0;;) {
      const { count } = await this.#database.run(statement, values);
      total += count;
      if (count < sweepBatch) return total;
    }
  }
}

/**
 * By the time of now, that with what clocks differ by, that with both and an hour, and now once more: as another type.
 */
const bringBackStatement = `UPDATE gatehouse_count SET opened_at = $1,
  full_at = GREATEST(0, $4 + LEAST(
    full_at - CASE WHEN opened_at > $2 THEN CAST(opened_at AS double precision) ELSE $4 END,
    ${hourMs})),
  open_count = CASE WHEN opened_at > $2 THEN 0 ELSE open_count END
  WHERE opened_at > $2 OR full_at > $3`;

type Key = readonly [kind: string, key: string];

function keyOf(limit: LimitKey): Key {
  return [limit.rule.name, keyDigest(limit, "")];
}

/** Writes nothing new but what is missing, and gives all. */
function lockStatement(keys: readonly Key[]): string {
  return `INSERT INTO gatehouse_count (kind, key) VALUES ${placeholders(keys)} ` +
    "ON CONFLICT (kind, key) DO UPDATE SET full_at = gatehouse_count.full_at " +
    "RETURNING kind, key, full_at, wrong_count, open_count, opened_at";
}

function writeStatement(rows: readonly (readonly Value[])[]): string {
  return "INSERT INTO gatehouse_count (kind, key, full_at, wrong_count, open_count, opened_at) " +
    `VALUES ${placeholders(rows)} ON CONFLICT (kind, key) DO UPDATE SET full_at = excluded.full_at, ` +
    "wrong_count = excluded.wrong_count, open_count = excluded.open_count, opened_at = excluded.opened_at";
}

function deleteStatement(keys: readonly Key[]): string {
  return `DELETE FROM gatehouse_count WHERE (kind, key) IN (${placeholders(keys)})`;
}

/** "($1, $2), ($3, $4)": for each list as many as it has. */
function placeholders(lists: readonly (readonly Value[])[]): string {
  let count = 0;
  return lists.map((values) => `(${values.map(() => `$${++count}`).join(", ")})`).join(", ");
}

function valuesOf({ fullAt, wrongCount, openCount, openedAt }: LimitState): readonly Value[] {
  return [fullAt, wrongCount, openCount, openedAt];
}

function statesOf(keys: readonly Key[], rows: readonly Row[]): readonly LimitState[] {
  return keys.map(([kind, key]) => {
    const row = rows.find((one) => one["kind"] === kind && one["key"] === key);
    return row === undefined ? unused : {
      fullAt: Number(row["full_at"]),
      wrongCount: Number(row["wrong_count"]),
      openCount: Number(row["open_count"]),
      openedAt: Number(row["opened_at"]),
    };
  });
}
