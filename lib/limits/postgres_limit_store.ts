/**
 * States of limits in PostgreSQL, shared by all instances on a database.
 *
 * An update is a transaction. It first writes its rows unchanged, or as new rows, which locks them until it ends;
 * always in the order of their keys, so that two updates cannot deadlock. A connection lost during the commit may apply
 * one update twice: an attempt more or less, which no client can cause.
 *
 * Keys are digests without a secret: all instances would need the same secret, and in the same database it would
 * protect nothing. A reader of the database can therefore guess what was counted: logins and addresses, which the
 * database has in plain text anyway, and what was typed as a login. Wrong passwords are not stored, see
 * `lib/limits/login_throttle.ts`.
 */

import type { Row } from "pg";
import type { Value } from "../store/postgres/connection.ts";
import type { Database } from "../store/postgres/database.ts";
import { placeholders } from "../store/postgres/rows.ts";
import { hourMs, keyDigest, type LimitKey, type LimitState, maxAheadMs, pendingMs, unused } from "./limit_rule.ts";
import { type LimitStore, maxStoredStates, type UpdateStates } from "./rate_limiter.ts";

type RowKey = readonly [kind: string, key: string];

/** How many rows one statement of a sweep deletes. */
const sweepBatch = 10_000;
const columns = "kind, key, full_at, wrong_count, open_count, opened_at";

/**
 * Moves states that are too far ahead of the clock back to it, as `clampToClock` does. $1 is now, $2 now with the
 * accepted difference of clocks, $3 that with an hour, and $4 now once more, as a double.
 */
const clampStatement = `UPDATE gatehouse_count SET opened_at = $1,
  full_at = GREATEST(0, $4 + LEAST(
    full_at - CASE WHEN opened_at > $2 THEN CAST(opened_at AS double precision) ELSE $4 END,
    ${hourMs})),
  open_count = CASE WHEN opened_at > $2 THEN 0 ELSE open_count END
  WHERE opened_at > $2 OR full_at > $3`;

/** For each kind with more than $1 rows of failures, the time of the last attempt in the first row too many. */
const surplusStatement = `SELECT kind, max(opened_at) AS until FROM (
    SELECT kind, opened_at, row_number() OVER (PARTITION BY kind ORDER BY opened_at DESC) AS place
    FROM gatehouse_count WHERE wrong_count > 0 OR open_count > 0
  ) AS ranked WHERE place > $1 GROUP BY kind`;

/** States on the connections of an open database, which the caller closes. */
export class PostgresLimitStore implements LimitStore {
  readonly #database: Database;
  readonly #maxRows: number;

  /** @param maxRows how many rows of each rule `deleteIdle` leaves */
  constructor(database: Database, { maxRows = maxStoredStates }: { readonly maxRows?: number } = {}) {
    this.#database = database;
    this.#maxRows = maxRows;
  }

  async read(limits: readonly LimitKey[]): Promise<readonly LimitState[]> {
    if (limits.length === 0) return [];
    const keys = limits.map(rowKeyOf);
    const text = `SELECT ${columns} FROM gatehouse_count WHERE (kind, key) IN (${placeholders(keys)})`;
    return statesOf(keys, (await this.#database.run(text, keys.flat())).rows);
  }

  async update(limits: readonly LimitKey[], update: UpdateStates): Promise<void> {
    if (limits.length === 0) return;
    const keys = limits.map(rowKeyOf);
    const sorted = keys.toSorted((one, other) => one.join() < other.join() ? -1 : 1);
    await this.#database.transact(async ({ run }) => {
      const next = update(statesOf(keys, (await run(lockStatement(sorted), sorted.flat())).rows));
      if (next === undefined) return "unchanged";
      const states = keys.map((key, index) => ({ key, state: next[index] ?? unused }));
      // Unused states need no row: attempts that a later check refuses store nothing.
      const obsolete = states.filter(({ state }) => state === unused).map(({ key }) => key);
      const deletion = `DELETE FROM gatehouse_count WHERE (kind, key) IN (${placeholders(obsolete)})`;
      if (obsolete.length > 0) await run(deletion, obsolete.flat());
      const rows = states.filter(({ state }) => state !== unused).map(rowOf);
      if (rows.length > 0) await run(writeStatement(rows), rows.flat());
      return "done";
    });
  }

  /**
   * Deletes states that are full again or were given up. Consecutive failures never end by themselves: of each rule
   * it leaves the states that were used last, and deletes those of the same millisecond as the first one too many.
   */
  async deleteIdle(now: number): Promise<number> {
    // Otherwise a state ahead of the clock would stay for as long as it is ahead.
    await this.#database.run(clampStatement, [now, now + maxAheadMs, now + maxAheadMs + hourMs, now]);
    let count = await this.#deleteAll("full_at <= $1 AND wrong_count = 0 AND opened_at < $2", [now, now - pendingMs]);
    const { rows } = await this.#database.run(surplusStatement, [this.#maxRows]);
    for (const { kind, until } of rows) {
      count += await this.#deleteAll("kind = $1 AND opened_at <= $2", [String(kind), Number(until)]);
    }
    return count;
  }

  async #deleteAll(condition: string, values: readonly Value[]): Promise<number> {
    // The outer condition spares a row that is used after the subquery.
    const statement = `DELETE FROM gatehouse_count WHERE ${condition} AND (kind, key) IN (
      SELECT kind, key FROM gatehouse_count WHERE ${condition} LIMIT ${sweepBatch})`;
    return await this.#database.runInBatches(statement, values, sweepBatch);
  }
}

function rowKeyOf(limit: LimitKey): RowKey {
  return [limit.rule.name, keyDigest(limit, "")];
}

/** Inserts the missing rows, and returns all. */
function lockStatement(keys: readonly RowKey[]): string {
  return `INSERT INTO gatehouse_count (kind, key) VALUES ${placeholders(keys)} ON CONFLICT (kind, key)
    DO UPDATE SET full_at = gatehouse_count.full_at RETURNING ${columns}`;
}

function writeStatement(rows: readonly (readonly Value[])[]): string {
  return `INSERT INTO gatehouse_count (${columns}) VALUES ${placeholders(rows)} ON CONFLICT (kind, key)
    DO UPDATE SET full_at = excluded.full_at, wrong_count = excluded.wrong_count, open_count = excluded.open_count,
    opened_at = excluded.opened_at`;
}

function rowOf({ key, state }: { readonly key: RowKey; readonly state: LimitState }): readonly Value[] {
  return [...key, state.fullAt, state.wrongCount, state.openCount, state.openedAt];
}

function statesOf(keys: readonly RowKey[], rows: readonly Row[]): readonly LimitState[] {
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
