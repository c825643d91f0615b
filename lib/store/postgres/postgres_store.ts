/**
 * The store on PostgreSQL, or on an engine that speaks its protocol. Any number of instances may use one database.
 *
 * Here are the reads; `rules.ts` and `credentials.ts` have the changes. From there the way is straight down: `rows.ts`
 * has the rows, `statements.ts` the SQL, `database.ts` the deadline and the repetition, `connection.ts` the client.
 */

import type { Row } from "pg";
import type { PostgresAddress } from "../../config/postgres_address.ts";
import { type Secret, type Store, StoreUnavailableError } from "../../store.ts";
import type { StoreSize } from "../queries.ts";
import { workOf } from "../../passwords/stored_hash.ts";
import { TtlCache } from "../../ttl_cache.ts";
import { codeOf, isStorableText, messageOf, type Value } from "./connection.ts";
import { credentialChanges } from "./credentials.ts";
import { Database, type DatabaseOptions } from "./database.ts";
import { sessionChanges, ticketChanges, userChanges } from "./rules.ts";
import { migrate, type SchemaOptions } from "./schema.ts";
import { insertAll, numberIn, recordOf, recordsIn } from "./rows.ts";
import { statements } from "./statements.ts";

export interface PostgresStoreOptions extends DatabaseOptions, Pick<SchemaOptions, "isReadOnly"> {
  /** The maximum age of the result of `size`. */
  readonly sizeAgeMs?: number;
}

/** A `Store` on a database. Opened by `openPostgresStore`. */
export interface PostgresStore extends Store {
  /** For other state that the instances share. */
  readonly database: Database;
}

const defaultSizeAgeMs = 5_000;
const dayMs = 24 * 60 * 60 * 1_000;
/** Greater than every character of a login. */
const lastCharacter = "\x7f";
/** No such function (42883), not implemented (0A000), no permission (42501). */
const noSizeCodes = /^(42883|0A000|42501)$/;
/** Counting reads every row. With this factor it takes at most a twentieth of the time. */
const sizeTimesCost = 20;

/** For each order of users: the statement, a value before all keys, and the key. */
const userLists = {
  "registered_at": { list: statements.listUsers, first: "", key: "id" },
  "-registered_at": { list: statements.listLatestUsers, first: lastCharacter, key: "id" },
  "login": { list: statements.listUsersByLogin, first: "", key: "login" },
} as const;

/**
 * Connects to a database, and creates or migrates its tables.
 *
 * @throws {StoreUnavailableError} the database cannot be reached within `waitMs`
 * @throws {DatabaseRefusedError} the settings are wrong
 * @throws {SchemaError} the tables are not those of this version, and cannot or must not be changed
 */
export async function openPostgresStore(
  address: PostgresAddress,
  options: PostgresStoreOptions,
): Promise<PostgresStore> {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await Database.open(address, options));
  await migrate(address, options);
  const keepMs = options.sizeAgeMs ?? defaultSizeAgeMs;
  const size = new TtlCache(() => findSize(database), { keepMs, timesCost: sizeTimesCost });
  cleanup.move();
  return {
    database,
    ...userReads(database),
    ...userChanges(database),
    ...sessionReads(database),
    ...sessionChanges(database),
    ...credentialReads(database),
    ...credentialChanges(database),
    ...ticketReads(database),
    ...ticketChanges(database),
    ensureSecret: (secret) => ensureSecret(database, secret),
    records: () => recordsIn(database),
    async insertRecords(records) {
      await database.transact(async (transaction) => {
        await insertAll(transaction.run, records);
        return "done";
      });
    },
    size: () => size.get(),
    failure: () => database.failure(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

function userReads(database: Database) {
  return {
    async findUser(login) {
      const [row] = await find(database, statements.findUser, [login]);
      return row && recordOf("user", row);
    },
    async listUsers({ limit, after = "", prefix = "", contains = "", group = "", sort = "registered_at" }) {
      const { list, first, key } = userLists[sort];
      const values = [prefix, prefix + lastCharacter, contains, group === "" ? "" : `,${group},`];
      const page = { list, count: statements.countUsers, values, after: after || first, limit, key };
      const { rows, ...rest } = await findPage(database, page);
      return { items: rows.map((row) => recordOf("user", row)), ...rest };
    },
    async countAdmins() {
      const { rows } = await database.run(statements.countAdmins);
      return numberIn(rows[0], "admins");
    },
    async countRegistrations({ first, count }) {
      const { rows } = await database.run(statements.countRegistrations, [first * dayMs, (first + count) * dayMs]);
      const counts = new Array<number>(count).fill(0);
      for (const row of rows) counts[numberIn(row, "midnight") / dayMs - first] = numberIn(row, "users");
      return counts;
    },
    async hashWorks() {
      const { rows } = await database.run(statements.hashWorks);
      const found = rows.map((row) => {
        const example = String(row["password_hash"]);
        return { work: workOf(example), count: numberIn(row, "users"), example };
      });
      const works = found.flatMap(({ work, ...more }) => work === undefined ? [] : { work, ...more });
      const unusable = found.filter(({ work }) => work === undefined);
      return { works, unusableCount: unusable.reduce((sum, { count }) => sum + count, 0) };
    },
  } satisfies Partial<Store>;
}

function sessionReads(database: Database) {
  return {
    async findSession(id) {
      const [row] = await find(database, statements.findSession, [id]);
      return row && { session: recordOf("session", row), user: recordOf("user", row) };
    },
    async listSessions(login, { limit, after = "", lastSeenUntil, createdUntil }) {
      const values = [login, lastSeenUntil ?? Number.MIN_SAFE_INTEGER, createdUntil ?? Number.MIN_SAFE_INTEGER];
      const page = { list: statements.listSessions, count: statements.countSessions, values, after, limit };
      const { rows, ...rest } = await findPage(database, page);
      return { items: rows.map((row) => recordOf("session", row)), ...rest };
    },
  } satisfies Partial<Store>;
}

function credentialReads(database: Database) {
  return {
    async listCredentials(login) {
      const rows = await find(database, statements.listCredentials, [login]);
      return rows.map((row) => recordOf("credential", row));
    },
    async findCredential(kind, key) {
      const [row] = await find(database, statements.findCredential, [kind, key]);
      return row && { credential: recordOf("credential", row), user: recordOf("user", row) };
    },
  } satisfies Partial<Store>;
}

function ticketReads(database: Database) {
  return {
    async findTicket(secretHash) {
      const [row] = await find(database, statements.findTicket, [secretHash]);
      return row && recordOf("ticket", row);
    },
    async listTickets({ limit, after = "", now }) {
      const page = { list: statements.listTickets, count: statements.countTickets, values: [now], after, limit };
      const { rows, ...rest } = await findPage(database, page);
      const madeBy = ({ maker_login: login }: Row) => typeof login === "string" ? login : undefined;
      return { items: rows.map((row) => ({ ticket: recordOf("ticket", row), madeBy: madeBy(row) })), ...rest };
    },
  } satisfies Partial<Store>;
}

/** The rows with these values: no row has a text that PostgreSQL cannot store. */
async function find(database: Database, text: string, values: readonly Value[]): Promise<readonly Row[]> {
  return values.every(isStorableText) ? (await database.run(text, values)).rows : [];
}

/** One page of the rows that `list` finds after a key, and how many rows `count` finds on all pages. */
async function findPage(database: Database, { list, count, values, after, limit, key = "id" }: {
  readonly list: string;
  readonly count: string;
  readonly values: readonly Value[];
  readonly after: string;
  readonly limit: number;
  readonly key?: string;
}) {
  const [rows, [counted]] = await Promise.all([
    // One more row shows that there is another page.
    find(database, list, [...values, after, limit + 1]),
    find(database, count, values),
  ]);
  const next = rows.length > limit ? String(rows[limit - 1]?.[key]) : undefined;
  return { rows: rows.slice(0, limit), total: counted === undefined ? 0 : numberIn(counted, "total"), next };
}

/** Reads first: a database that is read-only may have it. */
async function ensureSecret(database: Database, secret: Secret): Promise<string> {
  try {
    for (;;) {
      const { rows: [row] } = await database.run(statements.findSecret, [secret.name]);
      if (row !== undefined) return recordOf("secret", row).value;
      await insertAll((text, values) => database.run(text, values), [{ kind: "secret", record: secret }]);
    }
  } catch (error) {
    if (codeOf(error) !== "42501") throw error;
    // An upgrade adds the table after the rights were granted.
    const text = `Cannot use secrets: ${messageOf(error)}. Repeat the GRANT of lib/store/README.md, as its owner`;
    throw new StoreUnavailableError(text, { cause: error });
  }
}

async function findSize(database: Database): Promise<StoreSize> {
  const [{ rows: [counts] }, bytes] = await Promise.all([database.run(statements.countAll), findBytes(database)]);
  return { users: numberIn(counts, "users"), sessions: numberIn(counts, "sessions"), bytes };
}

/** The size of the database with its indexes; 0 on CockroachDB, which does not say. */
async function findBytes(database: Database): Promise<number> {
  try {
    const { rows } = await database.run(statements.databaseBytes);
    return numberIn(rows[0], "bytes");
  } catch (error) {
    if (noSizeCodes.test(codeOf(error))) return 0;
    throw error;
  }
}
