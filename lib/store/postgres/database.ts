/**
 * Statements and transactions on a PostgreSQL: with a deadline, repeated where that is right, and with errors that say
 * what they mean for a store.
 *
 * - A conflict (40001, 40P01) means that nothing was done: everything is repeated within the deadline, after a short
 *   wait that differs from call to call.
 * - A statement that is named and not known means the same. No statement is named from then on.
 * - A connection that breaks leaves open whether the change was made. All is repeated once, on another connection, and
 *   is told `isRepeated`: then what it finds may be its own doing, as a login that is taken by the very user.
 * - What exceeds the deadline is not repeated; nor is it known whether it was done.
 */

import { delay } from "@std/async/delay";
import type { Log } from "../../log.ts";
import { type PostgresAddress, shownAddress } from "../../config/postgres_address.ts";
import { StoreFullError, StoreUnavailableError } from "../../store.ts";
import type { Connection, Result, Value } from "./connection.ts";
import { codeOf, ConnectionError, DatabaseRefusedError, reasonOf } from "./error.ts";
import { Pool } from "./pool.ts";
import { TtlCache } from "../../ttl_cache.ts";

export interface DatabaseOptions {
  readonly log: Log;
  /** What a call may take, with every wait and repeat. */
  readonly callMs?: number;
  /** How long to wait at the start for a database that is not there. */
  readonly waitMs?: number;
  readonly maxConnections?: number;
}

/** What a statement gave, and whether an earlier try of it may have been done. */
export interface RunResult extends Result {
  readonly isRepeated: boolean;
}

/** Statements that are done together or not at all. */
export interface Transaction {
  /** Whether an earlier try of the whole may have been done. */
  readonly isRepeated: boolean;
  run(text: string, values?: readonly Value[]): Promise<Result>;
}

/** One try of a call. */
interface Try {
  readonly connection: Connection;
  readonly signal: AbortSignal;
  readonly isRepeated: boolean;
  /** From now on a break leaves open whether it was done. */
  commits(): void;
}

/** A person waits no longer, and a proxy neither. */
const defaultCallMs = 5_000;
/** Long enough for the restart of a machine beside this one. */
const defaultWaitMs = 60_000;
/**
 * PostgreSQL takes 100 of all clients by default. A statement takes a millisecond, where a password takes 70 of a core.
 */
const defaultMaxConnections = 10;
const retryWaitMs = 1_000;
/** A proxy asks every few seconds, and an administrator's page each second. */
const faultAgeMs = 1_000;
const maxConflictWaitMs = 100;
/** A serialization failure, and a deadlock. */
const conflicts = /^40(001|P01)$/;
/** A named statement that the server does not know, or knows already: PgBouncer has handed it to another. */
const misplaced = /^(26000|42P05)$/;
/** The disk is full, or the quota of it. */
const full = /^53100$/;
/**
 * Neither the statement's fault nor the data's: connection (08), resources (53), intervention (57), the system (58),
 * authorization (28), no such database (3D000), read-only (25006), idle in a transaction (25P03), lock not had (55P03).
 */
const unavailable = /^(08|53|57|58|28|3D000|25006|25P03|55P03)/;

/** A database, and what is needed to run statements on it. Made by `Database.open`. */
export class Database implements AsyncDisposable {
  readonly address: PostgresAddress;
  readonly #pool: Pool;
  readonly #callMs: number;
  readonly #fault: TtlCache<string | undefined>;

  private constructor(address: PostgresAddress, options: DatabaseOptions) {
    const { callMs = defaultCallMs, maxConnections = defaultMaxConnections } = options;
    this.address = address;
    this.#callMs = callMs;
    this.#pool = new Pool(address, { maxConnections, connectMs: callMs, statementMs: callMs });
    this.#fault = new TtlCache(() => this.#findFault(), { keepMs: faultAgeMs });
  }

  /**
   * Connects, and waits for a database that is not there yet.
   *
   * @throws {DatabaseRefusedError} the settings are at fault
   * @throws {StoreUnavailableError} it was not there in time
   */
  static async open(address: PostgresAddress, options: DatabaseOptions): Promise<Database> {
    const { log, waitMs = defaultWaitMs } = options;
    const database = new Database(address, options);
    const startedAt = performance.now();
    for (let isTold = false;; isTold = true) {
      try {
        await database.run("SELECT 1");
        return database;
      } catch (error) {
        const cause = error instanceof Error ? error.cause : undefined;
        if (cause instanceof DatabaseRefusedError) throw cause;
        const shown = shownAddress(address);
        if (performance.now() - startedAt > waitMs) {
          const text = `Cannot open the database ${shown}: it was not there for ${Math.round(waitMs / 1_000)} s`;
          throw new StoreUnavailableError(`${text} (${reasonOf(cause)})`, { cause });
        }
        if (!isTold) log.warn("store-awaited", { store: shown, reason: reasonOf(cause), seconds: waitMs / 1_000 });
        await delay(Math.min(retryWaitMs, waitMs));
      }
    }
  }

  /** Runs one statement, which may be run twice when its connection breaks. */
  run(text: string, values: readonly Value[] = []): Promise<RunResult> {
    return this.#call(async ({ connection, signal, isRepeated, commits }) => {
      commits();
      return { ...await connection.run(text, values, signal), isRepeated };
    });
  }

  /** Runs a transaction, which is kept when its outcome is `done` and undone otherwise. It may be run again. */
  transact<Refusal extends string>(
    work: (transaction: Transaction) => Promise<"done" | Refusal>,
  ): Promise<"done" | Refusal> {
    return this.#call(async ({ connection, signal, isRepeated, commits }) => {
      const run = (text: string, values: readonly Value[] = []) => connection.run(text, values, signal);
      await run("BEGIN");
      try {
        const outcome = await work({ run, isRepeated });
        if (outcome === "done") commits();
        const { command } = await run(outcome === "done" ? "COMMIT" : "ROLLBACK");
        if (outcome === "done" && command !== "COMMIT") throw new TypeError(`Cannot commit: it was a ${command}`);
        return outcome;
      } catch (error) {
        // It must not be left open to whoever gets the connection next. If this fails, the connection breaks with it.
        if (!connection.isBroken) await run("ROLLBACK").catch(() => connection.destroy());
        throw error;
      }
    });
  }

  /** Why it takes no changes, or `undefined` while it does. Asked for at most once a second. */
  fault(): Promise<string | undefined> {
    return this.#fault.get();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }

  async #findFault(): Promise<string | undefined> {
    try {
      const { rows } = await this.run("SHOW transaction_read_only");
      return rows[0]?.["transaction_read_only"] === "on" ? "The database takes no changes: it is read-only" : undefined;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      return "The database cannot be reached";
    }
  }

  /** Runs a call until it is done, its deadline is over, or there is no use in trying. */
  async #call<Outcome>(work: (one: Try) => Promise<Outcome>): Promise<Outcome> {
    const controller = new AbortController();
    const { signal } = controller;
    const timeout = () => controller.abort(new ConnectionError(`no answer within ${this.#callMs} ms`));
    const timer = setTimeout(timeout, this.#callMs);
    try {
      return await this.#try(work, signal);
    } catch (error) {
      throw toStoreError(error, shownAddress(this.address));
    } finally {
      clearTimeout(timer);
    }
  }

  async #try<Outcome>(work: (one: Try) => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
    let conflictCount = 0;
    let breakCount = 0;
    let isRepeated = false;
    for (;;) {
      let isBroken = false;
      let isOpen = false;
      try {
        return await this.#pool.use(signal, async (connection) => {
          try {
            return await work({ connection, signal, isRepeated, commits: () => isOpen = true });
          } catch (error) {
            isBroken = connection.isBroken;
            throw error;
          }
        });
      } catch (error) {
        signal.throwIfAborted();
        const code = codeOf(error);
        if (misplaced.test(code) || conflicts.test(code)) {
          if (misplaced.test(code)) this.#pool.stopPreparing();
          await delay(Math.random() * Math.min(2 ** ++conflictCount, maxConflictWaitMs), { signal });
        } else {
          if (!isBroken || ++breakCount > 1) throw error;
          this.#pool.discardIdle();
          isRepeated ||= isOpen;
        }
      }
    }
  }
}

/** What an error means for a store; a bug stays what it is. */
function toStoreError(error: unknown, shown: string): unknown {
  const code = codeOf(error);
  if (full.test(code)) return new StoreFullError(`Cannot change ${shown}: its disk is full`, { cause: error });
  const isAway = error instanceof ConnectionError || error instanceof DatabaseRefusedError;
  if (!isAway && !unavailable.test(code)) return error;
  return new StoreUnavailableError(`Cannot use ${shown}: ${reasonOf(error)}`, { cause: error });
}
