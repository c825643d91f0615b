/**
 * The servers of a database, each with a pool of connections. With several in the address, the one that accepts changes
 * is used, and the others are its standbys, of which one takes over when it fails.
 *
 * A call first tries the server that was used last, then each other one, with a limit of time for each, as a machine
 * that is gone answers nothing. A new connection is used only if its server accepts changes. When a connection is lost,
 * silent, or read-only, no older connection is used any more, as it leads to the same server.
 */

import pg, { type Pool, type PoolClient } from "pg";
import { hostWithPort } from "../../config/listen.ts";
import { type PostgresAddress, shownAddress } from "../../config/postgres_address.ts";
import { Client, codeOf, ConnectionError, DatabaseRefusedError, DeadlineError, messageOf } from "./connection.ts";

/** Limits, all in milliseconds but the number of connections. */
export interface PoolLimits {
  readonly maxConnections?: number;
  /** For one call, for connecting, and for a transaction without a statement. */
  readonly callMs?: number;
  /** How long a connection may be idle, and how old it may become. */
  readonly maxIdleMs?: number;
  readonly maxAgeMs?: number;
}

/** PostgreSQL allows 100 for all clients. A statement takes about 1 ms; a password hash takes 70 ms of a core. */
const defaultMaxConnections = 10;
/** People and proxies do not wait longer. */
const defaultCallMs = 5_000;
/** Shorter than firewalls and load balancers keep an idle connection: 350 s on AWS, 4 minutes on Azure. */
const defaultMaxIdleMs = 3 * 60 * 1_000;
/** New connections reach servers that were added behind a load balancer. */
const defaultMaxAgeMs = 30 * 60 * 1_000;
/** For one of several servers to be connected: a server in another region takes a tenth of it. */
const maxConnectMs = 2_000;
/** PostgreSQL's default is 4,096. PostgreSQL 16 can set more than the 100,000 that `pg` accepts by default. */
const scramMaxIterations = 1_000_000;
const int8TypeId = 20;

/** Invalid authorization (class 28), no such database. */
const authErrorCodes = /^(28...|3D000)$/;
/** Errors of `pg`, TLS and PgBouncer that have no SQLSTATE. */
const authErrorTexts = /SASL:|SSL connection|certificate|unsupported startup parameter/;
const placeOfPassword = "GATEHOUSE_STORE, or in the file that PGPASSFILE names, and restart";
/** What to do about an error. */
const remedies: readonly (readonly [error: RegExp, text: string])[] = [
  [
    /unsupported startup parameter.*/,
    "$&: set ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout",
  ],
  [/password authentication failed.*/, `$&: correct it in ${placeOfPassword}`],
  [
    /^SASL: .*client password must be.*/,
    `the server requires a password, and the settings have none: add it in ${placeOfPassword}`,
  ],
];

/** A server, and its connections. */
interface Server {
  /** For an error: empty if there is one server. */
  readonly label: string;
  readonly pool: Pool;
}

/** The servers of a database. */
export class Servers implements AsyncDisposable {
  readonly callMs: number;
  readonly #address: PostgresAddress;
  /** The one that was used last is the first. */
  #servers: readonly Server[];
  /** When each client was connected, by `performance.now`. */
  readonly #connectedAt = new WeakMap<PoolClient, number>();
  /** Older connections are not used. */
  #trustedSince = 0;

  /** Connects to nothing yet. @throws {DatabaseRefusedError} the file of root certificates cannot be read */
  constructor(address: PostgresAddress, limits: PoolLimits) {
    this.callMs = limits.callMs ?? defaultCallMs;
    this.#address = address;
    const options = poolOptions(address, { ...limits, callMs: this.callMs });
    this.#servers = address.servers.map((server) => {
      const pool = new pg.Pool({ ...options, host: server.hostname, port: server.port });
      // Without a listener, an error of an idle connection would end the process. The pool removes the connection.
      pool.on("error", () => {});
      pool.on("connect", (client) => this.#connectedAt.set(client, performance.now()));
      return { label: address.servers.length === 1 ? "" : `${hostWithPort(server)}: `, pool };
    });
  }

  /**
   * Takes a connection.
   *
   * @throws {DatabaseRefusedError} a server rejects the settings, and no other can be used
   * @throws {ConnectionError} no server can be used, with the reason of each; or the deadline is over
   */
  async connect(deadline: Promise<never>): Promise<PoolClient> {
    const failures = new Map<string, unknown>();
    for (const server of this.#servers) {
      try {
        const client = await this.#take(server.pool, deadline);
        if (server !== this.#servers[0]) this.#servers = [server, ...this.#servers.filter((one) => one !== server)];
        return client;
      } catch (error) {
        failures.set(server.label, error);
        if (error instanceof DeadlineError) break;
      }
    }
    throw toConnectError(failures, this.#address);
  }

  /** Uses no connection any more that is open now. */
  distrust(): void {
    this.#trustedSince = performance.now();
  }

  /** Closes all connections, after the calls that use them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map(({ pool }) => pool.end()));
  }

  async #take(pool: Pool, deadline: Promise<never>): Promise<PoolClient> {
    for (;;) {
      const connecting = pool.connect();
      const client = await Promise.race([connecting, deadline]).catch((error) => {
        connecting.then((late) => late.release(), () => {});
        throw error;
      });
      if ((this.#connectedAt.get(client) ?? 0) >= this.#trustedSince) return client;
      client.release(true);
    }
  }
}

/** The options of `pg` that all servers share, and `connectMs` for `Client`. */
function poolOptions(address: PostgresAddress, limits: PoolLimits & { readonly callMs: number }) {
  const { user, password, database, servers, requiresWritable } = address;
  const { callMs } = limits;
  // A call has time for every server, and then for its statements.
  const connectMs = servers.length === 1 ? callMs : Math.min(callMs / (servers.length + 1), maxConnectMs);
  return {
    user,
    database,
    // A function: `pg` replaces an empty text by PGPASSWORD.
    password: () => password,
    ssl: tlsOptions(address),
    scramMaxIterations,
    application_name: "gatehouse",
    // The server aborts what the client has given up, including waits for locks.
    statement_timeout: callMs,
    // A client that loses power inside a transaction must not hold its locks for hours.
    idle_in_transaction_session_timeout: callMs,
    max: limits.maxConnections ?? defaultMaxConnections,
    // To get a connection of the pool; `connectMs` is to create one.
    connectionTimeoutMillis: callMs,
    connectMs,
    idleTimeoutMillis: limits.maxIdleMs ?? defaultMaxIdleMs,
    maxLifetimeSeconds: (limits.maxAgeMs ?? defaultMaxAgeMs) / 1_000,
    Client,
    onConnect: requiresWritable ? (client: Client) => requireWritable(client, connectMs) : undefined,
    types: { getTypeParser },
  };
}

async function requireWritable(client: Client, timeoutMs: number): Promise<void> {
  const { rows } = await client.query({ text: "SHOW transaction_read_only", query_timeout: timeoutMs });
  if (rows[0]?.["transaction_read_only"] === "on") throw new Error("the server is read-only");
}

/** What errors of connecting mean: the settings are wrong, or no server can be used. @param failures by label */
function toConnectError(failures: ReadonlyMap<string, unknown>, address: PostgresAddress): Error {
  const errors = [...failures.values()];
  const reason = Array.from(failures, ([label, error]) => label + reasonOf(error)).join("; ");
  const cause = errors.length === 1 ? errors[0] : new AggregateError(errors);
  const isRefused = errors.some((error) => authErrorCodes.test(codeOf(error)) || authErrorTexts.test(messageOf(error)));
  return isRefused ? refusedError(address, reason, cause) : new ConnectionError(reason, { cause });
}

function reasonOf(error: unknown): string {
  return remedies.reduce((reason, [text, remedy]) => reason.replace(text, remedy), messageOf(error));
}

function refusedError(address: PostgresAddress, reason: string, cause: unknown): DatabaseRefusedError {
  return new DatabaseRefusedError(`Cannot use the database ${shownAddress(address)}: ${reason}`, { cause });
}

function tlsOptions(address: PostgresAddress) {
  const { encryption, rootCertificates: file } = address;
  if (encryption === "disable") return false;
  try {
    const ca = file === undefined ? undefined : Deno.readTextFileSync(file);
    return { rejectUnauthorized: encryption === "verify-full", ca };
  } catch (error) {
    throw refusedError(address, messageOf(error), error);
  }
}

/** Doubles hold 53 bits of an int8: enough for every count, and for dates until the year 287396. */
function getTypeParser(typeId: number, format?: string): (text: string) => unknown {
  return typeId === int8TypeId ? Number : pg.types.getTypeParser(typeId, format);
}
