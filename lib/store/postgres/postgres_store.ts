/**
 * Users in a PostgreSQL, or an engine that speaks its protocol: any number of instances may use one database at once.
 *
 * What `TableStore` does under the lock of a login is done here under the lock of the user's row, which every change
 * that depends on the user also writes (`changes`). With that it is right at every isolation: at READ COMMITTED the
 * second waits for the first and sees what it did; where a transaction sees the past (REPEATABLE READ, YugabyteDB's
 * default) or is to be as if alone (SERIALIZABLE, CockroachDB's) the second gets a conflict, which a mere lock would
 * not make, and is run again. What concerns all admins, or the one ticket for the setup, takes turns by a row of
 * `gatehouse_turn`, always locked last.
 *
 * Everything may be run again by `Database`: what finds its own doing then says so (`isRepeated`).
 */

import type { PostgresAddress } from "../../config/postgres_address.ts";
import {
  type ActorOptions,
  type Days,
  type ExpiryLimits,
  type HashCosts,
  type InsertSessionOptions,
  isAdmin,
  isSameUser,
  type ReplaceOptions,
  type Session,
  type SessionPage,
  type SessionQuery,
  type Store,
  type StoredRecord,
  type StoreSize,
  type Ticket,
  type TicketOptions,
  type TicketPage,
  type TicketQuery,
  type User,
  type UserPage,
  type UserQuery,
  type UserSession,
} from "../../store.ts";
import { isStorableText, type Row, type Value } from "./connection.ts";
import { Database, type DatabaseOptions, type RunResult } from "./database.ts";
import { insertAll, recordsIn } from "./records.ts";
import {
  deleteInBatches,
  deleteSessionAs,
  deleteSessions,
  deleteTicket,
  insertSession,
  insertTicket,
  isLastAdmin,
  lockUser,
  lockUserFor,
  useTicket,
  valuesOf,
} from "./rules.ts";
import { migrate, requireTables } from "./schema.ts";
import { rememberSize } from "./size.ts";
import { listedTicketOfRow, numberIn, sessionOfRow, statements, ticketOfRow, userOfRow } from "./statements.ts";
import type { TtlCache } from "../../ttl_cache.ts";
import { voidedTickets } from "../memory/ticket_rules.ts";

const dayMs = 24 * 60 * 60 * 1_000;
/** Behind every character that a login may have. */
const lastCharacter = "\x7f";

/** How users are listed in each order: the statement, what comes before all keys, and the key. */
const userLists = {
  "registered_at": { text: statements.listUsers, first: "", key: "id" },
  "-registered_at": { text: statements.listLatestUsers, first: lastCharacter, key: "id" },
  "login": { text: statements.listUsersByLogin, first: "", key: "login" },
} as const;

export interface PostgresStoreOptions extends DatabaseOptions {
  /** How old what `size` tells may be. */
  readonly sizeAgeMs?: number;
  /** Whether nothing is to be written: the tables must be there. */
  readonly isReadOnly?: boolean;
}

/** A `Store` that asks a database. Made by `PostgresStore.open`. */
export class PostgresStore implements Store {
  /** For what else the instances share. */
  readonly database: Database;
  readonly #size: TtlCache<StoreSize>;

  private constructor(database: Database, sizeAgeMs?: number) {
    this.database = database;
    this.#size = rememberSize(database, sizeAgeMs);
  }

  /**
   * Connects to a database, and makes the tables where they are missing.
   *
   * @throws {StoreUnavailableError} it was not there in time
   * @throws {DatabaseRefusedError} the settings are at fault
   * @throws {SchemaError} a newer program has changed the tables, or they cannot be made, or must not
   */
  static async open(address: PostgresAddress, options: PostgresStoreOptions): Promise<PostgresStore> {
    const database = await Database.open(address, options);
    try {
      await (options.isReadOnly ? requireTables : migrate)(address, { log: options.log });
      return new PostgresStore(database, options.sizeAgeMs);
    } catch (error) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }

  async findUser(login: string): Promise<User | undefined> {
    const [row] = await this.#find(statements.findUser, [login]);
    return row && userOfRow(row);
  }

  async listUsers(query: UserQuery): Promise<UserPage> {
    const { limit, after = "", prefix = "", contains = "", group = "", sort = "registered_at" } = query;
    const conditions = [prefix, prefix + lastCharacter, contains, group === "" ? "" : `,${group},`];
    const { text, first, key } = userLists[sort];
    const [rows, [counted]] = await Promise.all([
      // One more tells whether there is another page.
      this.#find(text, [...conditions, after || first, limit + 1]),
      this.#find(statements.countUsers, conditions),
    ]);
    return { users: rows.slice(0, limit).map(userOfRow), ...restOf(rows, { limit, counted, key }) };
  }

  async countAdmins(): Promise<number> {
    const { rows } = await this.database.run(statements.countAdmins);
    return numberIn(rows[0], "admins");
  }

  async countRegistrations({ first, count }: Days): Promise<readonly number[]> {
    const { rows } = await this.database.run(statements.countRegistrations, [first * dayMs, (first + count) * dayMs]);
    const counts = new Array<number>(count).fill(0);
    for (const row of rows) counts[numberIn(row, "midnight") / dayMs - first] = numberIn(row, "users");
    return counts;
  }

  async hashCosts(): Promise<HashCosts> {
    const { rows: [row] } = await this.database.run(statements.hashCosts);
    const highestIterations = row?.["iterations"] === null ? 0 : numberIn(row, "iterations");
    return { highestIterations, unusableCount: numberIn(row, "unusable") };
  }

  insertUser(user: User, ticketHash?: string): Promise<"done" | "taken" | "no-ticket"> {
    return this.database.transact(async (transaction) => {
      const { run, isRepeated } = transaction;
      if (isRepeated && (await lockUser(transaction, user.login))?.id === user.id) return "done";
      if (ticketHash !== undefined && !await useTicket(transaction, ticketHash)) return "no-ticket";
      const { count } = await run(statements.insertUser, valuesOf(user));
      return count === 1 ? "done" : "taken";
    });
  }

  async replaceUser(
    current: User,
    next: User,
    { actor, keepSessionId, ticketHash }: ReplaceOptions = {},
  ): Promise<"done" | "stale" | "last-admin" | "no-ticket" | "forbidden"> {
    const { login } = current;
    if (login !== next.login) throw new TypeError(`Cannot replace user "${login}": its login cannot change`);
    return await this.database.transact(async (transaction) => {
      const { run, isRepeated } = transaction;
      const { kept, mayAct } = await lockUserFor(transaction, { login, actor });
      if (isRepeated && isSameUser(kept, next)) return "done";
      if (!await mayAct()) return "forbidden";
      if (ticketHash !== undefined && !await useTicket(transaction, ticketHash)) return "no-ticket";
      if (!isAdmin(next) && await isLastAdmin(transaction, kept)) return "last-admin";
      if (!isSameUser(kept, current)) return "stale";
      await run(statements.replaceUser, valuesOf(next));
      const keptSession = next.disabled ? "" : keepSessionId;
      if (keptSession !== undefined) await run(statements.deleteSessionsBut, [login, keptSession]);
      const voided = voidedTickets(current, next, keepSessionId !== undefined);
      if (voided.made) await run(statements.deleteMade, [current.id]);
      if (voided.resets) await run(statements.deleteResets, [login]);
      return "done";
    });
  }

  deleteUser(
    user: User,
    { actor }: ActorOptions = {},
  ): Promise<"done" | "missing" | "stale" | "last-admin" | "forbidden"> {
    return this.database.transact(async (transaction) => {
      const { run, isRepeated } = transaction;
      const { kept, mayAct } = await lockUserFor(transaction, { login: user.login, actor });
      if (kept?.id !== user.id && isRepeated) return "done";
      if (!await mayAct()) return "forbidden";
      if (kept?.id !== user.id) return "missing";
      if (!isSameUser(kept, user)) return "stale";
      if (await isLastAdmin(transaction, kept)) return "last-admin";
      // Sessions and tickets for a reset go with the user, by their foreign keys.
      await run(statements.deleteUser, [user.login]);
      await run(statements.deleteMade, [user.id]);
      return "done";
    });
  }

  async findSession(id: string): Promise<UserSession | undefined> {
    const [row] = await this.#find(statements.findSession, [id]);
    return row && { session: sessionOfRow(row), user: userOfRow(row) };
  }

  insertSession(session: Session, user: User, options: InsertSessionOptions = {}): Promise<boolean> {
    return insertSession(this.database, session, { ...options, user });
  }

  async touchSession(id: string, lastSeenAt: number): Promise<void> {
    await this.#change(statements.touchSession, [id, lastSeenAt]);
  }

  /** When it was run again, the first run may be what has ended the session. */
  async deleteSession(id: string, { actor }: ActorOptions = {}): Promise<boolean> {
    if (actor !== undefined) return await deleteSessionAs(this.database, id, { actor });
    const { count, isRepeated } = await this.#change(statements.deleteSession, [id]);
    return count === 1 || isRepeated;
  }

  async listSessions(login: string, query: SessionQuery): Promise<SessionPage> {
    const { limit, after = "", seenAfter = Number.MIN_SAFE_INTEGER, createdAfter = Number.MIN_SAFE_INTEGER } = query;
    const list = [login, seenAfter, createdAfter];
    const [rows, [counted]] = await Promise.all([
      this.#find(statements.listSessions, [...list, after, limit + 1]),
      this.#find(statements.countSessions, list),
    ]);
    return { sessions: rows.slice(0, limit).map(sessionOfRow), ...restOf(rows, { limit, counted }) };
  }

  async deleteSessions(login: string, options: ActorOptions = {}): Promise<number | "forbidden"> {
    return isStorableText(login) ? await deleteSessions(this.database, login, options) : 0;
  }

  async deleteExpiredSessions({ lastSeenUntil, createdUntil }: ExpiryLimits): Promise<number> {
    return await deleteInBatches(this.database, statements.deleteIdleSessions, [lastSeenUntil]) +
      await deleteInBatches(this.database, statements.deleteOldSessions, [createdUntil]);
  }

  async findTicket(secretHash: string): Promise<Ticket | undefined> {
    const [row] = await this.#find(statements.findTicket, [secretHash]);
    return row && ticketOfRow(row);
  }

  async listTickets({ limit, after = "", now }: TicketQuery): Promise<TicketPage> {
    const [rows, [counted]] = await Promise.all([
      this.#find(statements.listTickets, [now, after, limit + 1]),
      this.#find(statements.countTickets, [now]),
    ]);
    return { tickets: rows.slice(0, limit).map(listedTicketOfRow), ...restOf(rows, { limit, counted }) };
  }

  insertTicket(
    ticket: Ticket,
    options: TicketOptions = {},
  ): Promise<"done" | "missing" | "stale" | "forbidden"> {
    return insertTicket(this.database, ticket, options);
  }

  deleteTicket(id: string, options: ActorOptions = {}): Promise<"done" | "missing" | "forbidden"> {
    return deleteTicket(this.database, id, options);
  }

  async deleteExpiredTickets(expiresUntil: number): Promise<number> {
    return (await this.#change(statements.deleteExpiredTickets, [expiresUntil])).count;
  }

  records(): AsyncIterable<readonly StoredRecord[]> {
    return recordsIn(this.database);
  }

  async insertRecords(records: readonly StoredRecord[]): Promise<void> {
    await this.database.transact(async (transaction) => {
      await insertAll(transaction, records);
      return "done";
    });
  }

  size(): Promise<StoreSize> {
    return this.#size.get();
  }

  fault(): Promise<string | undefined> {
    return this.database.fault();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }

  /** Rows that have these values: none when no text that is kept can be equal to them. */
  async #find(text: string, values: readonly Value[]): Promise<readonly Row[]> {
    return values.every(isStorableText) ? (await this.database.run(text, values)).rows : [];
  }

  /** Changes the rows that have these values, as `#find` finds them. */
  async #change(text: string, values: readonly Value[]): Promise<Pick<RunResult, "count" | "isRepeated">> {
    return values.every(isStorableText) ? await this.database.run(text, values) : { count: 0, isRepeated: false };
  }
}

/** The total and the cursor of a page. @param rows one more than the page has, if there is another page */
function restOf(
  rows: readonly Row[],
  { limit, counted, key = "id" }: { limit: number; counted: Row | undefined; key?: string },
) {
  const total = counted === undefined ? 0 : numberIn(counted, "total");
  return { total, next: rows.length > limit ? String(rows[limit - 1]?.[key]) : undefined };
}
