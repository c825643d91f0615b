/** A connection by the client `pg`, names for its statements, and what its errors mean. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
// pg: the PostgreSQL protocol with TLS, SCRAM and a pool. After a lost connection it rejects all statements;
// `postgres` 3.4.9 reconnects inside a transaction (its issues 1155, 1186, 1208 and 1216).
import pg from "pg";
import { type PostgresAddress, shownAddress } from "../../config/postgres_address.ts";
import { StoreFullError, StoreUnavailableError } from "../../store.ts";

/** A value of $1, $2 … */
export type Value = string | number | boolean | null;

/** The server is there, but rejects the settings. Waiting does not help. */
export class DatabaseRefusedError extends Error {
  override name = "DatabaseRefusedError";
}

/** The connection cannot be opened or was lost, or the deadline is over. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** The deadline of a call is over. */
export class DeadlineError extends ConnectionError {
  override name = "DeadlineError";
}

/** The type of a message, and its length. */
const headerBytes = 5;
/** A message has at most one row, and a row a few kilobytes. */
const maxMessageBytes = 1024 * 1024;
/** ErrorResponse and NoticeResponse: a zero ends each field and the list of fields. */
const fieldsTypes = [..."EN"].map((type) => type.charCodeAt(0));
/** SQLSTATE of a warning. */
const warningCodes = /^01/;
/** The disk or a quota is full. */
const diskFullCode = "53100";
/**
 * Errors of neither the statement nor the data: connection (08), resources (53), intervention (57), system (58),
 * authorization (28), no such database (3D000), read-only (25006), idle in a transaction (25P03), lock timeout (55P03).
 */
const unavailableCodes = /^(08|53|57|58|28|3D000|25006|25P03|55P03)/;
/** More than there are statements. Those for many rows have one text for each number of rows. */
const maxNames = 100;
/** Unknown name (26000), name in use (42P05); PgBouncer itself reports a violation of the protocol (08P01). */
const lostNameCodes = /^(26000|42P05)$/;
const protocolViolation = "08P01";
const lostNameText = /prepared statement/;

/** A connection. */
export class Client extends pg.Client {
  /** @param options those of the pool, which hides the password from a spread */
  constructor(options: { readonly password: () => string; readonly connectMs: number }) {
    super({ ...options, password: options.password, connectionTimeoutMillis: options.connectMs });
  }

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
      else this.on("notice", failOnWarning);
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
 * If a COMMIT that waits for a synchronous standby is canceled, by `statement_timeout` or by an administrator, the
 * server warns, and then reports success. A failover would lose the change, so it counts as a lost connection.
 */
function failOnWarning(this: Client, { code = "" }: { readonly code?: string }): void {
  if (warningCodes.test(code)) this.connection.stream.destroy(new Error("the server has warned of a lost change"));
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

/**
 * Names for the statements of a database: PostgreSQL parses and plans a named statement once a connection, which is
 * most of the time of a short one. The name is a hash, so it stands for one text in every version behind a PgBouncer.
 *
 * PgBouncer in transaction mode sends each transaction to any connection of the server, where the name is unknown or
 * already in use (1.21 and later prevent this with `max_prepared_statements`). Nothing has been done then, and no
 * statement is named any more.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  #areUsable = true;

  /** The name of a statement; `undefined` for one that runs without. Those without values are rare, or cheap. */
  nameOf(text: string, values: readonly Value[]): string | undefined {
    if (!this.#areUsable || values.length === 0) return undefined;
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size === maxNames) return known;
    const name = createHash("sha256").update(text).digest("hex").slice(0, 32);
    this.#names.set(text, name);
    return name;
  }

  /** Whether an error says that a name is lost. Then no statement has a name from now on. */
  stopIfLost(error: unknown): boolean {
    const code = codeOf(error);
    const isLost = lostNameCodes.test(code) || code === protocolViolation && lostNameText.test(messageOf(error));
    if (isLost) this.#areUsable = false;
    return isLost;
  }
}

/** What an error means for a store. Returns a bug unchanged. */
export function toStoreError(error: unknown, address: PostgresAddress): unknown {
  const shown = shownAddress(address);
  const code = codeOf(error);
  if (code === diskFullCode) return new StoreFullError(`Cannot change ${shown}: its disk is full`, { cause: error });
  if (error instanceof DatabaseRefusedError) return new StoreUnavailableError(error.message, { cause: error });
  if (!(error instanceof ConnectionError) && !unavailableCodes.test(code)) return error;
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
