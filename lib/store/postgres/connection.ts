/** How the client `pg` connects to PostgreSQL, and what its errors mean. */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { dirname } from "node:path";
// pg: the PostgreSQL protocol with TLS, SCRAM and a pool. After a lost connection it rejects all statements;
// `postgres` 3.4.9 reconnects inside a transaction (its issues 1155, 1186, 1208 and 1216).
import pg, { type Pool } from "pg";
import { type PostgresAddress, shownAddress } from "../../config/postgres_address.ts";
import { StoreFullError, StoreUnavailableError } from "../../store.ts";

/** A value of $1, $2 … */
export type Value = string | number | boolean | null;

/** The limits of a pool. */
export interface PoolLimits {
  readonly maxConnections: number;
  /** For one statement, for connecting, and for a transaction without a statement. */
  readonly callMs: number;
  /** How long a connection may be idle, and how old it may become. */
  readonly maxIdleMs?: number;
  readonly maxAgeMs?: number;
}

/** The server is there, but rejects the settings. Waiting does not help. */
export class DatabaseRefusedError extends Error {
  override name = "DatabaseRefusedError";
}

/** The connection cannot be opened or was lost, or the deadline is over. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** Shorter than firewalls and load balancers keep an idle connection: 350 s on AWS, 4 minutes on Azure. */
const defaultMaxIdleMs = 3 * 60 * 1_000;
/** New connections reach servers that were added behind a load balancer. */
const defaultMaxAgeMs = 30 * 60 * 1_000;
/** PostgreSQL's default is 4,096. PostgreSQL 16 can set more than the 100,000 that `pg` accepts by default. */
const scramMaxIterations = 1_000_000;
/** The type of a message, and its length. */
const headerBytes = 5;
/** A message has at most one row, and a row a few kilobytes. */
const maxMessageBytes = 1024 * 1024;
/** ErrorResponse and NoticeResponse: a zero ends each field and the list of fields. */
const fieldsTypes = [..."EN"].map((type) => type.charCodeAt(0));
const int8TypeId = 20;
/** Invalid authorization (class 28), no such database. */
const authErrorCodes = /^(28...|3D000)$/;
/** Errors of `pg` and of TLS that have no SQLSTATE. */
const authErrorTexts = /SASL:|SSL connection|certificate/;
/** The disk or a quota is full. */
const diskFullCode = "53100";
/**
 * Errors of neither the statement nor the data: connection (08), resources (53), intervention (57), system (58),
 * authorization (28), no such database (3D000), read-only (25006), idle in a transaction (25P03), lock timeout (55P03).
 */
const unavailableCodes = /^(08|53|57|58|28|3D000|25006|25P03|55P03)/;
const unsupportedParameter = /unsupported startup parameter/;
const remedy = "set ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout";

/**
 * Creates a pool, which connects when it is used.
 *
 * @throws {DatabaseRefusedError} the file of root certificates cannot be read
 */
export async function createPool(address: PostgresAddress, limits: PoolLimits): Promise<Pool> {
  const { target, user, password, database } = address;
  const { callMs, maxConnections, maxIdleMs = defaultMaxIdleMs, maxAgeMs = defaultMaxAgeMs } = limits;
  const pool = new pg.Pool({
    ...("socketPath" in target ? splitSocketPath(target.socketPath) : { host: target.hostname, port: target.port }),
    user,
    database,
    // A function: `pg` replaces an empty text by PGPASSWORD.
    password: () => password,
    ssl: await tlsOptions(address),
    scramMaxIterations,
    application_name: "gatehouse",
    // The server aborts what the client has given up, including waits for locks.
    statement_timeout: callMs,
    // A client that loses power inside a transaction must not hold its locks for hours.
    idle_in_transaction_session_timeout: callMs,
    max: maxConnections,
    connectionTimeoutMillis: callMs,
    idleTimeoutMillis: maxIdleMs,
    maxLifetimeSeconds: maxAgeMs / 1_000,
    Client,
    types: { getTypeParser },
  });
  // Without a listener, an error of an idle connection would end the process. The pool removes the connection.
  pool.on("error", () => {});
  return pool;
}

class Client extends pg.Client {
  override connect(callback: (error?: Error) => void): void {
    const { connection } = this;
    const { attachListeners } = connection;
    connection.attachListeners = (stream) => {
      attachListeners.call(connection, stream);
      guardParser(stream);
    };
    super.connect((error) => {
      // `pg` would leave the socket open until the server closes it.
      if (error) connection.stream.destroy();
      callback(error);
    });
    // Errors also reject the statement that runs.
    this.on("error", () => {});
  }

  override end(callback: () => void): void {
    super.end(callback);
    // `pg` would wait until the server closes the connection. A server that has stopped never does.
    this.connection.stream.destroySoon();
  }
}

/**
 * Checks messages before the parser of `pg` reads them. The parser trusts the server, but any program may answer at the
 * address. It throws on some messages, which would end the process. It reads an error that has no end forever, and
 * collects up to 4 GB if the length of a message says so.
 */
function guardParser(stream: Socket): void {
  const parse = stream.listeners("data").at(-1);
  stream.removeAllListeners("data");
  let received: Buffer = Buffer.alloc(0);
  stream.on("data", (bytes: Buffer) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
    try {
      while (received.length >= headerBytes && !stream.destroyed) {
        const length = 1 + received.readUInt32BE(1);
        if (length < headerBytes || length > maxMessageBytes) throw new Error("it is not a PostgreSQL server");
        if (length > received.length) break;
        const message = received.subarray(0, length);
        const hasFields = fieldsTypes.includes(message.readUInt8());
        if (hasFields && message.readUInt16BE(length - 2) !== 0) throw new Error("an error or a notice has no end");
        parse?.(message);
        received = received.subarray(length);
      }
    } catch (error) {
      stream.destroy(new Error(`Unexpected answer: ${messageOf(error)}`));
    }
  });
}

/** What an error of connecting means: the settings are wrong, or the server cannot be reached. */
export function toConnectError(cause: unknown, address: PostgresAddress): Error {
  const reason = messageOf(cause);
  if (unsupportedParameter.test(reason)) return refusedError(address, new Error(`${reason}: ${remedy}`));
  if (authErrorCodes.test(codeOf(cause)) || authErrorTexts.test(reason)) return refusedError(address, cause);
  return new ConnectionError(reason, { cause });
}

/** What an error means for a store. Returns a bug unchanged. */
export function toStoreError(error: unknown, address: PostgresAddress): unknown {
  const shown = shownAddress(address);
  const code = codeOf(error);
  if (code === diskFullCode) return new StoreFullError(`Cannot change ${shown}: its disk is full`, { cause: error });
  const isAway = error instanceof ConnectionError || error instanceof DatabaseRefusedError;
  if (!isAway && !unavailableCodes.test(code)) return error;
  return new StoreUnavailableError(`Cannot use ${shown}: ${messageOf(error)}`, { cause: error });
}

/** The SQLSTATE of an error such as `40001`, or a system code such as `ECONNREFUSED`; "" without a code. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The message of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether PostgreSQL stores a value unchanged: it rejects NUL, and replaces an unpaired surrogate. */
export function isStorableText(value: Value): boolean {
  return typeof value !== "string" || value.isWellFormed() && !value.includes("\0");
}

async function tlsOptions(address: PostgresAddress) {
  const { encryption, rootCertificates } = address;
  if (encryption === "disable") return false;
  const rejectUnauthorized = encryption === "verify-full";
  if (rootCertificates === undefined) return { rejectUnauthorized };
  try {
    return { rejectUnauthorized, ca: await Deno.readTextFile(rootCertificates) };
  } catch (error) {
    throw refusedError(address, error);
  }
}

function refusedError(address: PostgresAddress, cause: unknown): DatabaseRefusedError {
  return new DatabaseRefusedError(`Cannot use the database ${shownAddress(address)}: ${messageOf(cause)}`, { cause });
}

/** `pg` takes the folder and the port of a unix socket. */
function splitSocketPath(path: string) {
  return { host: dirname(path), port: Number(path.split(".").at(-1)) };
}

/** Doubles hold 53 bits of an int8: enough for every count, and for dates until the year 287396. */
function getTypeParser(typeId: number, format?: string): (text: string) => unknown {
  return typeId === int8TypeId ? Number : pg.types.getTypeParser(typeId, format);
}
