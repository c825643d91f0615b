/**
 * Runs statements and transactions on PostgreSQL within a deadline, and repeats them where that is safe.
 *
 * - A conflict (40001, 40P01) or a lost name of a statement has changed nothing. The call is repeated until the
 *   deadline, after a short random wait.
 * - A connection lost during a call may have made the change. The call is repeated once on another connection, with
 *   `isRepeated` set: what it finds may be its own change, such as a login taken by the same user.
 * - A call over its deadline is not repeated, and whether it made a change is unknown. Its connection is closed, as the
 *   server may still run the statement.
 */

import { setTimeout as delay } from "node:timers/promises";
import pg, { type PoolClient, type QueryResult } from "pg";
import { type PostgresAddress, shownAddress } from "../../config/postgres_address.ts";
import type { Log } from "../../log.ts";
import { StoreUnavailableError } from "../../store.ts";
import { TtlCache } from "../../ttl_cache.ts";
import {
  codeOf,
  ConnectionError,
  DatabaseRefusedError,
  DeadlineError,
  isStorableText,
  messageOf,
  StatementNames,
  toStoreError,
  type Value,
} from "./connection.ts";
import { type PoolLimits, Servers } from "./servers.ts";

export interface DatabaseOptions extends PoolLimits {
  readonly log: Log;
  /** How long to wait at start for a database that cannot be reached. */
  readonly waitMs?: number;
  /** Called after each call with its duration, repetitions included. */
  readonly onCall?: (seconds: number) => void;
}

/** Statements of which all or none take effect. */
export interface Transaction {
  /** Whether an earlier attempt may have been committed. */
  readonly isRepeated: boolean;
  /**
   * @throws {TypeError} a value cannot be stored
   * @throws {pg.DatabaseError} the server rejects the statement
   * @throws {ConnectionError} the connection is lost, or the deadline of the call is over
   */
  readonly run: (text: string, values?: readonly Value[]) => Promise<QueryResult>;
}

/** One attempt at a call, on a connection of its own. */
interface Attempt extends Transaction {
  /** Whether the state of the connection is unknown. */
  isBroken: boolean;
  /** Whether the change may be made even if the connection is lost. */
  mayBeDone: boolean;
}

/** A machine restarts in this time. */
const defaultWaitMs = 60_000;
const retryWaitMs = 1_000;
/** Proxies and the status page ask every few seconds. */
const failureAgeMs = 1_000;
const maxConflictWaitMs = 100;

/**
 * Makes a repeated transaction write. It may have found its change committed by an earlier attempt, but not on the
 * synchronous standby: only the commit of a transaction that writes waits for the standby, which then has both.
 */
const writeStatement = "UPDATE gatehouse_turn SET changes = changes + 1 WHERE name = 'setup'";
/** Serialization failure, deadlock. */
const conflictCodes = /^40(001|P01)$/;
/**
 * The server closes the connection: class 08, shutdown (57P01 …), idle in a transaction (25P03). Or it is read-only
 * (25006): after a failover, only a new connection reaches the new primary.
 */
const connectionLostCodes = /^(08...|57P..|25P03|25006)$/;

/** A PostgreSQL database. Created by `Database.open`. */
export class Database implements AsyncDisposable {
  readonly address: PostgresAddress;
  readonly #servers: Servers;
  readonly #onCall: (seconds: number) => void;
  readonly #failure = new TtlCache(() => this.#findFailure(), { keepMs: failureAgeMs });
  readonly #names = new StatementNames();
  /** The first error of an outage: those that follow differ, and each would be one more event in the log. */
  #outage: string | undefined;

  private constructor(address: PostgresAddress, { onCall = () => {}, ...limits }: DatabaseOptions) {
    this.address = address;
    this.#onCall = onCall;
    this.#servers = new Servers(address, limits);
  }

  /**
   * Connects. Waits for a database that cannot be reached yet.
   *
   * @throws {DatabaseRefusedError} the settings are wrong
   * @throws {StoreUnavailableError} the database cannot be reached within `waitMs`
   */
  static async open(address: PostgresAddress, options: DatabaseOptions): Promise<Database> {
    const { log, waitMs = defaultWaitMs } = options;
    const database = new Database(address, options);
    const store = shownAddress(address);
    const startedAt = performance.now();
    for (let isLogged = false;; isLogged = true) {
      try {
        await database.run("SELECT 1");
        return database;
      } catch (error) {
        const cause = error instanceof Error ? error.cause : undefined;
        if (cause instanceof DatabaseRefusedError) throw cause;
        const [reason, seconds] = [messageOf(cause), Math.round(waitMs / 1_000)];
        if (performance.now() - startedAt > waitMs) {
          const text = `Cannot open the database ${store}: no connection within ${seconds} s (${reason})`;
          throw new StoreUnavailableError(text, { cause });
        }
        if (!isLogged) log.warn("store-awaited", { store, reason, seconds });
        await delay(Math.min(retryWaitMs, waitMs));
      }
    }
  }

  /** Runs one statement, twice if its connection is lost. */
  run(text: string, values: readonly Value[] = []): Promise<QueryResult> {
    return this.#call(async (attempt) => {
      attempt.mayBeDone = true;
      return await attempt.run(text, values);
    });
  }

  /** Runs a statement that deletes at most `batch` rows until it deletes fewer. Returns how many in total. */
  async runInBatches(text: string, values: readonly Value[], batch: number): Promise<number> {
    for (let total = 0;;) {
      const { rowCount } = await this.run(text, values);
      total += rowCount ?? 0;
      if ((rowCount ?? 0) < batch) return total;
    }
  }

  /** Runs a transaction, and commits it if its outcome is `done`. `work` may run several times. */
  transact<Refusal extends string>(
    work: (transaction: Transaction) => Promise<"done" | Refusal>,
  ): Promise<"done" | Refusal> {
    return this.#call(async (attempt) => {
      await attempt.run("BEGIN");
      try {
        const outcome = await work(attempt);
        if (attempt.isRepeated && outcome === "done") await attempt.run(writeStatement);
        attempt.mayBeDone = outcome === "done";
        const { command } = await attempt.run(outcome === "done" ? "COMMIT" : "ROLLBACK");
        if (outcome === "done" && command !== "COMMIT") throw new TypeError(`Cannot commit: it was a ${command}`);
        return outcome;
      } catch (error) {
        // The next call on this connection must not run in this transaction.
        if (!attempt.isBroken) await attempt.run("ROLLBACK").catch(() => attempt.isBroken = true);
        throw error;
      }
    });
  }

  /** Why the database accepts no changes, or `undefined` if it does. Cached for a second. */
  failure(): Promise<string | undefined> {
    return this.#failure.get();
  }

  /** Closes all connections, after the calls that use them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }

  async #findFailure(): Promise<string | undefined> {
    try {
      const { rows } = await this.run("SHOW transaction_read_only");
      this.#outage = undefined;
      if (rows[0]?.["transaction_read_only"] !== "on") return undefined;
      // PgBouncer keeps a connection whose server has become a standby.
      this.#servers.distrust();
      return "The database is read-only";
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      return this.#outage ??= error.message;
    }
  }

  async #call<Outcome>(work: (attempt: Attempt) => Promise<Outcome>): Promise<Outcome> {
    const { promise: deadline, reject } = Promise.withResolvers<never>();
    // It may pass while nothing waits for it.
    deadline.catch(() => {});
    const startedAt = performance.now();
    const { callMs } = this.#servers;
    const timer = setTimeout(() => reject(new DeadlineError(`no answer within ${callMs} ms`)), callMs);
    try {
      return await this.#repeat(work, deadline);
    } catch (error) {
      throw toStoreError(error, this.address);
    } finally {
      clearTimeout(timer);
      this.#onCall((performance.now() - startedAt) / 1_000);
    }
  }

  async #repeat<Outcome>(work: (attempt: Attempt) => Promise<Outcome>, deadline: Promise<never>): Promise<Outcome> {
    let isRepeated = false;
    let lostCount = 0;
    for (let conflictCount = 0;;) {
      const client = await this.#servers.connect(deadline);
      const attempt = this.#createAttempt(client, { deadline, isRepeated });
      try {
        return await work(attempt);
      } catch (error) {
        if (attempt.isBroken) this.#servers.distrust();
        if (conflictCodes.test(codeOf(error)) || this.#names.stopIfLost(error)) conflictCount++;
        else if (!attempt.isBroken || ++lostCount > 1) throw error;
        isRepeated ||= attempt.isBroken && attempt.mayBeDone;
      } finally {
        client.release(attempt.isBroken);
      }
      const waitMs = conflictCount === 0 ? 0 : Math.random() * Math.min(2 ** conflictCount, maxConflictWaitMs);
      await Promise.race([delay(waitMs), deadline]);
    }
  }

  #createAttempt(client: PoolClient, { deadline, isRepeated }: {
    readonly deadline: Promise<never>;
    readonly isRepeated: boolean;
  }): Attempt {
    const run = async (text: string, values: readonly Value[] = []) => {
      if (attempt.isBroken) throw new ConnectionError("The connection is lost");
      if (!values.every(isStorableText)) throw new TypeError("Cannot send a text that PostgreSQL cannot store");
      try {
        const name = this.#names.nameOf(text, values);
        return await Promise.race([client.query({ name, text, values }), deadline]);
      } catch (error) {
        // Errors of PostgreSQL have a code. `pg` reports unknown messages as errors without one.
        const isAnswer = error instanceof pg.DatabaseError && error.code !== undefined;
        attempt.isBroken = !isAnswer || connectionLostCodes.test(codeOf(error));
        throw isAnswer ? error : new ConnectionError(messageOf(error), { cause: error });
      }
    };
    const attempt: Attempt = { isRepeated, isBroken: false, mayBeDone: false, run };
    return attempt;
  }
}
