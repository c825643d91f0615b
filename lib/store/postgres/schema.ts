/**
 * The tables, and how older ones become them: a list of steps, of which `gatehouse_schema` says which are done.
 *
 * Each statement is done by itself, as CockroachDB and YugabyteDB change no tables within a transaction, and does no
 * harm when it is done again: several instances may start at once, and each may end in the middle. A step that has been
 * released is never changed; what comes later is a new step.
 *
 * `COLLATE "C"` orders texts by their bytes, so that ids are in the order of registration in every country, and so that
 * no index is damaged when the operating system learns new rules. CockroachDB orders so by itself, and refuses it for a
 * column. `ASC` is for indexes that are read in their order: YugabyteDB scatters others by hashes.
 */

import { delay } from "@std/async/delay";
import { type PostgresAddress, shownAddress } from "../../config/postgres_address.ts";
import { connect, type Result, type Value } from "./connection.ts";
import { codeOf, reasonOf } from "./error.ts";

/** The tables are not what this program needs, and cannot be made so. */
export class SchemaError extends Error {
  override name = "SchemaError";
}

/** The statements of a step. @param text the type of a text that is ordered by its bytes */
export type Step = (text: string) => readonly string[];

/** Changing tables takes long where they are large, or on many machines. */
const migrationMs = 10 * 60 * 1_000;
const undefinedTable = "42P01";
/**
 * "IF NOT EXISTS" looks first and makes it then: in between another instance may have (23505, 42P07, 42710), or be at
 * it (class 40; and "tuple concurrently updated", XX000).
 */
const collisions = /^(23505|42P07|42710|40...|XX000)$/;
/** Instances that start at once get into each other's way, and a step is short. */
const maxTries = 10;
const maxRetryWaitMs = 200;

/** `changes` goes up with whatever depends on a row staying as it is: see `postgres.ts`. */
const usersSessionsTickets: Step = (text) => [
  `CREATE TABLE IF NOT EXISTS gatehouse_user (
    login ${text} PRIMARY KEY,
    id ${text} NOT NULL,
    password_hash text NOT NULL,
    iterations bigint NOT NULL,
    registered_at bigint NOT NULL,
    groups text NOT NULL,
    is_admin boolean NOT NULL,
    disabled boolean NOT NULL,
    changes bigint NOT NULL
  )`,
  "CREATE UNIQUE INDEX IF NOT EXISTS gatehouse_user_by_id ON gatehouse_user (id ASC)",
  "CREATE INDEX IF NOT EXISTS gatehouse_user_by_iterations ON gatehouse_user (iterations ASC)",
  "CREATE INDEX IF NOT EXISTS gatehouse_user_admin ON gatehouse_user (login) WHERE is_admin",
  `CREATE TABLE IF NOT EXISTS gatehouse_session (
    id ${text} PRIMARY KEY,
    login ${text} NOT NULL REFERENCES gatehouse_user (login) ON DELETE CASCADE,
    secret_hash text NOT NULL,
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    user_agent text NOT NULL,
    address text NOT NULL
  )`,
  "CREATE INDEX IF NOT EXISTS gatehouse_session_by_login ON gatehouse_session (login)",
  "CREATE INDEX IF NOT EXISTS gatehouse_session_by_created_at ON gatehouse_session (created_at ASC)",
  "CREATE INDEX IF NOT EXISTS gatehouse_session_by_last_seen_at ON gatehouse_session (last_seen_at ASC)",
  `CREATE TABLE IF NOT EXISTS gatehouse_ticket (
    secret_hash ${text} PRIMARY KEY,
    purpose text NOT NULL,
    login ${text} NOT NULL,
    reset_login ${text} REFERENCES gatehouse_user (login) ON DELETE CASCADE,
    expires_at bigint NOT NULL
  )`,
  "CREATE INDEX IF NOT EXISTS gatehouse_ticket_by_reset_login ON gatehouse_ticket (reset_login)",
  "CREATE TABLE IF NOT EXISTS gatehouse_turn (name text PRIMARY KEY, changes bigint NOT NULL)",
  "INSERT INTO gatehouse_turn (name, changes) VALUES ('admins', 0), ('setup', 0) ON CONFLICT (name) DO NOTHING",
];

/** See `postgres_counts.ts`. Double precision, as parts of an hour are no whole milliseconds. */
const counts: Step = (text) => [
  `CREATE TABLE IF NOT EXISTS gatehouse_count (
    kind ${text} NOT NULL,
    key ${text} NOT NULL,
    full_at double precision NOT NULL DEFAULT 0,
    wrong_count bigint NOT NULL DEFAULT 0,
    open_count bigint NOT NULL DEFAULT 0,
    opened_at bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, key)
  )`,
];

/**
 * The id of a ticket that has none is `idOfOldTicket` of `ticket_rules.ts`. No default but "" for what an instance of
 * the version before adds meanwhile; hence no unique index either.
 */
const ticketMakers: Step = (text) => [
  `ALTER TABLE gatehouse_ticket ADD COLUMN IF NOT EXISTS id ${text} NOT NULL DEFAULT ''`,
  `ALTER TABLE gatehouse_ticket ADD COLUMN IF NOT EXISTS maker ${text} NOT NULL DEFAULT ''`,
  "ALTER TABLE gatehouse_ticket ADD COLUMN IF NOT EXISTS created_at bigint NOT NULL DEFAULT 0",
  "UPDATE gatehouse_ticket SET id = '0000000000' || upper(substr(secret_hash, 1, 16)) WHERE id = ''",
  "CREATE INDEX IF NOT EXISTS gatehouse_ticket_by_id ON gatehouse_ticket (id ASC)",
  "CREATE INDEX IF NOT EXISTS gatehouse_ticket_by_maker ON gatehouse_ticket (maker)",
];

const steps: readonly Step[] = [usersSessionsTickets, counts, ticketMakers];

/**
 * Brings the tables of a database to what this program needs; changes nothing where they are so.
 *
 * @throws {SchemaError} a newer program has changed them, or they cannot be made
 */
export function migrate(address: PostgresAddress, wanted: readonly Step[] = steps): Promise<void> {
  return withTables(address, (run) => migrateBy(run, wanted));
}

/**
 * Looks whether the tables of a database are what this program needs, and changes nothing.
 *
 * @throws {SchemaError} they are not
 */
export function requireTables(address: PostgresAddress): Promise<void> {
  return withTables(address, async (run) => {
    const version = await findVersion(run, steps);
    if (version === 0) throw new Error("there are none: it holds no register");
    if (version === steps.length) return;
    throw new Error("an older version of Gatehouse has made them: start this version on it once");
  });
}

/** Runs `work` on a connection of its own. */
async function withTables(address: PostgresAddress, work: (run: Run) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("it takes too long")), migrationMs);
  try {
    const { signal } = controller;
    const connection = await connect(address, { signal, statementMs: migrationMs, isPreparing: false });
    try {
      const run: Run = (text, values = []) => connection.run(text, values, signal);
      await checkEncoding(run);
      await work(run);
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw new SchemaError(`Cannot use the tables in ${shownAddress(address)}: ${reasonOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The type of a text that is ordered by its bytes. @param engine what it says of itself */
export function orderedText(engine: string): string {
  return engine.startsWith("CockroachDB") ? "text" : 'text COLLATE "C"';
}

type Run = (text: string, values?: readonly Value[]) => Promise<Result>;

async function migrateBy(run: Run, wanted: readonly Step[]): Promise<void> {
  const version = await findVersion(run, wanted);
  if (version === wanted.length) return;
  const { rows } = await run("SELECT version() AS engine");
  const text = orderedText(String(rows[0]?.["engine"]));
  await runSurely(run, "CREATE TABLE IF NOT EXISTS gatehouse_schema (version bigint PRIMARY KEY)");
  for (const [index, step] of wanted.entries()) {
    if (index < version) continue;
    for (const statement of step(text)) await runSurely(run, statement);
    await runSurely(run, "INSERT INTO gatehouse_schema (version) VALUES ($1) ON CONFLICT (version) DO NOTHING", [
      index + 1,
    ]);
  }
}

/** Texts of any script are kept: in another encoding a login from a browser of another script would fail. */
async function checkEncoding(run: Run): Promise<void> {
  const { rows } = await run("SHOW server_encoding");
  const encoding = String(rows[0]?.["server_encoding"]).toUpperCase();
  if (/^UTF-?8$/.test(encoding)) return;
  throw new Error(`the database has the encoding ${encoding}: make one WITH ENCODING 'UTF8' TEMPLATE template0`);
}

/**
 * How many steps are done.
 *
 * @throws {Error} more than this program knows
 */
async function findVersion(run: Run, wanted: readonly Step[]): Promise<number> {
  const version = await readVersion(run);
  if (version <= wanted.length) return version;
  throw new Error(
    `a newer version of Gatehouse has changed them (theirs is version ${version}, and this program knows ` +
      `${wanted.length}): start that version`,
  );
}

async function readVersion(run: Run): Promise<number> {
  try {
    const { rows } = await run("SELECT max(version) AS version FROM gatehouse_schema");
    return Number(rows[0]?.["version"] ?? 0);
  } catch (error) {
    if (codeOf(error) === undefinedTable) return 0;
    throw error;
  }
}

/** Runs a statement that another instance may be running: again, while it fails for that. */
async function runSurely(run: Run, statement: string, values: readonly Value[] = []): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      await run(statement, values);
      return;
    } catch (error) {
      if (!collisions.test(codeOf(error)) || tries === maxTries) throw error;
      await delay(Math.random() * maxRetryWaitMs);
    }
  }
}
