/**
 * Creates the tables, and migrates older ones: `schema.sql` has the steps. `gatehouse_schema` stores how many are done.
 *
 * Statements run outside of transactions, as CockroachDB and YugabyteDB change no tables inside one, and each can run
 * again: several instances may start at once, and each may stop halfway. A released step never changes; add a new one.
 *
 * `COLLATE "C"` orders texts by their bytes: ids are in the order of registration in every locale, and no upgrade of
 * the operating system damages an index. CockroachDB always orders so, and rejects it for a column. `ASC` is for
 * indexes that are read in order: YugabyteDB hashes others.
 */

import { setTimeout as delay } from "node:timers/promises";
import { type PostgresAddress, shownAddress } from "../../config/postgres_address.ts";
import type { Log } from "../../log.ts";
import { codeOf, messageOf } from "./connection.ts";
import { Database } from "./database.ts";
import schema from "./schema.sql" with { type: "text" };

/** The tables are not those of this version, and cannot be migrated. */
export class SchemaError extends Error {
  override name = "SchemaError";
}

/** The statements of a step of the schema. @param text the type of a text that is ordered by its bytes */
export type SchemaStep = (text: string) => readonly string[];

export interface SchemaOptions {
  readonly log: Log;
  /** Requires the tables instead of creating them; by default `false`. */
  readonly isReadOnly?: boolean;
  /** By default those of this version. */
  readonly steps?: readonly SchemaStep[];
}

/** A statement that rewrites a large table, or runs on many machines, takes long. */
const statementMs = 10 * 60 * 1_000;
const undefinedTable = "42P01";
const noTables = "the database has no tables of Gatehouse";
const oldTables = "an older version of Gatehouse has created them: start this version on the database once";
/**
 * `IF NOT EXISTS` checks first and creates then. In between another instance may have created the same (23505, 42P07,
 * 42710), or is creating it (40xxx, and XX000 with the text "tuple concurrently updated").
 */
const collisionCodes = /^(23505|42P07|42710|40...|XX000)$/;
const maxAttempts = 10;
const maxRetryWaitMs = 200;

const currentSteps = schema.split(/^-- Step .*$/m).slice(1).map((sql): SchemaStep => (text) =>
  sql.replaceAll(/^--.*$/gm, "").replaceAll('text COLLATE "C"', text).split(";")
    .map((statement) => statement.trim()).filter((statement) => statement !== "")
);

/**
 * Creates the tables of a database, or migrates them to this version, on a connection of its own.
 *
 * @throws {SchemaError} a newer version has migrated them, the server rejects a statement, or a step is missing and
 *   nothing may be changed
 */
export async function migrate(address: PostgresAddress, options: SchemaOptions): Promise<void> {
  const { log, isReadOnly = false, steps = currentSteps } = options;
  try {
    await using database = await Database.open(address, { log, callMs: statementMs, maxConnections: 1, waitMs: 0 });
    await requireUtf8(database);
    const version = await readVersion(database, steps.length);
    if (version === steps.length) return;
    if (isReadOnly) throw new Error(version === 0 ? noTables : oldTables);
    const { rows } = await database.run("SELECT version() AS engine");
    const text = orderedText(String(rows[0]?.["engine"]));
    await runRetrying(database, "CREATE TABLE IF NOT EXISTS gatehouse_schema (version bigint PRIMARY KEY)");
    for (const [index, step] of steps.entries()) {
      if (index < version) continue;
      const done = `INSERT INTO gatehouse_schema (version) VALUES (${index + 1}) ON CONFLICT (version) DO NOTHING`;
      for (const statement of [...step(text), done]) await runRetrying(database, statement);
    }
  } catch (error) {
    throw new SchemaError(`Cannot use the tables in ${shownAddress(address)}: ${messageOf(error)}`, { cause: error });
  }
}

/** The type of a text that is ordered by its bytes. @param engine the result of `version()` */
export function orderedText(engine: string): string {
  return engine.startsWith("CockroachDB") ? "text" : 'text COLLATE "C"';
}

/** A database in another encoding rejects texts of other scripts, such as the name of a browser at a login. */
async function requireUtf8(database: Database): Promise<void> {
  const { rows } = await database.run("SHOW server_encoding");
  const encoding = String(rows[0]?.["server_encoding"]).toUpperCase();
  if (/^UTF-?8$/.test(encoding)) return;
  throw new Error(`the database has the encoding ${encoding}: create one WITH ENCODING 'UTF8' TEMPLATE template0`);
}

/**
 * How many steps are done.
 *
 * @throws {Error} more than `knownCount`
 */
async function readVersion(database: Database, knownCount: number): Promise<number> {
  const { rows } = await database.run("SELECT max(version) AS version FROM gatehouse_schema").catch((error) => {
    if (codeOf(error) !== undefinedTable) throw error;
    return { rows: [] };
  });
  const version = Number(rows[0]?.["version"] ?? 0);
  if (version <= knownCount) return version;
  throw new Error(
    `a newer version of Gatehouse has migrated them (the schema has version ${version}, and this program knows ` +
      `${knownCount}): start that version`,
  );
}

/** Runs a statement again while it collides with another instance that runs it. */
async function runRetrying(database: Database, statement: string): Promise<void> {
  for (let attempts = 1;; attempts++) {
    try {
      return void await database.run(statement);
    } catch (error) {
      if (!collisionCodes.test(codeOf(error)) || attempts === maxAttempts) throw error;
      await delay(Math.random() * maxRetryWaitMs);
    }
  }
}
