/**
 * One connection to PostgreSQL: a socket, and a client of the npm package `postgres` that has this socket and no other.
 *
 * The package has a pool of its own, which is not used: when a connection breaks within a transaction, it connects anew
 * and runs what is left of the transaction outside of any (its issues 1155, 1186, 1208 and 1216, open in 3.4.9). Here a
 * client that asks for a second socket is refused, so that whatever follows a break fails, and a connection is used by
 * one call at a time.
 */

import type { Socket } from "node:net";
// postgres: the protocol of PostgreSQL, which is not what this project exists for; it has no dependency of its own.
import postgres, { type Sql } from "postgres";
import type { PostgresAddress } from "../../config/postgres_address.ts";
import { codeOf, ConnectionError, DatabaseRefusedError, reasonOf, refusedBy, toConnectionError } from "./error.ts";
import { preparePassword } from "./password.ts";
import { openSocket } from "./socket.ts";

/** What a statement takes for $1, $2 … */
export type Value = string | number | boolean;

/** A row, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** What a statement gave. */
export interface Result {
  readonly rows: readonly Row[];
  /** How many rows were found or changed. */
  readonly count: number;
  /** Such as `INSERT`; of a `COMMIT` that came too late `ROLLBACK`. */
  readonly command: string;
}

export interface ConnectOptions {
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** The server gives a statement up after so many milliseconds, and a transaction in which nothing happens. */
  readonly statementMs: number;
  /**
   * Whether statements are prepared once and named, which halves their time. Not behind PgBouncer's transaction mode.
   */
  readonly isPreparing?: boolean;
}

/**
 * PostgreSQL's types of numbers: 64 bits are enough for no date before the year 287396, and doubles hold 53 of them.
 */
const int8 = { to: 20, from: [20], parse: Number, serialize: String };
/**
 * The server hangs up: connection exceptions (class 08), shutdown (57P01 and so on), too long idle within a
 * transaction. Or it takes reads alone (25006): its place may have been taken by another, which only a new connection
 * reaches.
 */
const connectionLostCodes = /^(08...|57P..|25P03|25006)$/;
/** Invalid authorization (class 28), and no such database. */
const authErrorCodes = /^(28...|3D000)$/;
/** What PgBouncer says of the parameters that limit how long a statement takes. */
const unsupported = /^unsupported startup parameter/;
const remedy = "set ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout";
/** A wrong password. */
const wrongPassword = "28P01";

/**
 * Connects, and waits until statements are taken.
 *
 * @throws {DatabaseRefusedError} the settings are at fault
 * @throws {ConnectionError} the server or the network is
 */
export async function connect(address: PostgresAddress, options: ConnectOptions): Promise<Connection> {
  const prepared = preparePassword(address.password);
  try {
    return await connectAs({ ...address, password: prepared }, options);
  } catch (error) {
    const isWrong = error instanceof DatabaseRefusedError && codeOf(error.cause) === wrongPassword;
    if (!isWrong || prepared === address.password) throw error;
    // MD5 and plain passwords are compared as they are.
    return await connectAs(address, options);
  }
}

async function connectAs(address: PostgresAddress, options: ConnectOptions): Promise<Connection> {
  const socket = await openSocket(address, options.signal);
  const connection = new Connection(socket, address, options);
  try {
    await connection.run("SELECT 1", [], options.signal);
    return connection;
  } catch (error) {
    connection.destroy();
    if (unsupported.test(reasonOf(error))) throw refusedBy(address, new Error(`${reasonOf(error)}: ${remedy}`));
    if (authErrorCodes.test(codeOf(error))) throw refusedBy(address, error);
    throw toConnectionError(error);
  }
}

/** A connection, for one call at a time. Made by `connect`. */
export class Connection {
  readonly openedAt = performance.now();
  /** Of the clock of `performance.now`. */
  idleSince = this.openedAt;
  readonly #socket: Socket;
  readonly #sql: Sql;
  readonly #isPreparing: boolean;
  #isBroken = false;

  constructor(socket: Socket, address: PostgresAddress, options: Omit<ConnectOptions, "signal">) {
    const { statementMs, isPreparing = true } = options;
    this.#socket = socket;
    this.#isPreparing = isPreparing;
    this.#sql = createClient(socket, address, { statementMs, onclose: () => this.#isBroken = true });
  }

  /** Whether it takes no more statements; surely so when the last one failed for a reason of the connection. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /**
   * Runs one statement; it is prepared at its first time, if at all. When `signal` is aborted, the connection is
   * destroyed: what the server makes of the statement is not known.
   *
   * @throws {TypeError} a value is not keepable
   * @throws {postgres.PostgresError} the server's answer
   * @throws {ConnectionError} there was none
   */
  async run(text: string, values: readonly Value[], signal: AbortSignal): Promise<Result> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => {
      reject(signal.reason);
      this.destroy();
    };
    signal.throwIfAborted();
    if (this.#isBroken) throw new ConnectionError("The connection is broken");
    if (!values.every(isStorableText)) throw new TypeError("Cannot send a text that PostgreSQL cannot keep");
    signal.addEventListener("abort", abort, { once: true });
    try {
      const prepare = this.#isPreparing && values.length > 0;
      const result = await Promise.race([this.#sql.unsafe<Row[]>(text, [...values], { prepare }), aborted]);
      return { rows: result, count: result.count ?? 0, command: result.command };
    } catch (error) {
      // What is no answer of the server leaves open what comes next.
      if (error instanceof postgres.PostgresError && !connectionLostCodes.test(error.code)) throw error;
      this.destroy();
      throw error instanceof postgres.PostgresError ? error : toConnectionError(error);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Says good-bye. */
  async close(): Promise<void> {
    this.#isBroken = true;
    await this.#sql.end({ timeout: 1 });
    this.#socket.destroy();
  }

  /** Breaks off, whatever is under way. */
  destroy(): void {
    this.#isBroken = true;
    this.#socket.destroy();
  }
}

/**
 * Whether a value is kept as it is: a text with NUL is refused, and half a pair of surrogates would become another
 * character in silence.
 */
export function isStorableText(value: Value): boolean {
  return typeof value !== "string" || value.isWellFormed() && !value.includes("\0");
}

function createClient(socket: Socket, address: PostgresAddress, { statementMs, onclose }: {
  statementMs: number;
  onclose: () => void;
}): Sql {
  const { target, database, user, password } = address;
  const sockets = [socket];
  const options = {
    // Where it is matters to the texts of errors alone.
    host: "socketPath" in target ? target.socketPath : target.hostname,
    port: "socketPath" in target ? 0 : target.port,
    database,
    user,
    // A function, as an empty text would be replaced by what PGPASSWORD says.
    password: () => password,
    socket: () => {
      const [only] = sockets.splice(0);
      if (only === undefined) throw new Error("The connection is broken");
      return only;
    },
    max: 1,
    ssl: false,
    idle_timeout: 0,
    max_lifetime: 0,
    connect_timeout: 0,
    fetch_types: false,
    types: { int8 },
    connection: {
      application_name: "gatehouse",
      // Lock waits count as well. All three engines know both.
      statement_timeout: statementMs,
      // An instance that lost its power within a transaction must not hold a lock for hours.
      idle_in_transaction_session_timeout: statementMs,
    },
    onclose,
    onnotice: () => {},
  };
  return postgres(options);
}
