/**
 * A few connections for many calls: a call that finds none free waits for its turn.
 *
 * Connections are made when they are needed. One that has been idle for long is not trusted, as firewalls forget such
 * connections without a word; one that is old is replaced, so that load moves to servers that came later.
 */

import type { PostgresAddress } from "../../config/postgres_address.ts";
import { connect, type Connection } from "./connection.ts";
import { ConnectionError } from "./error.ts";

export interface PoolOptions {
  readonly maxConnections: number;
  /** For connecting, within what a call may take. */
  readonly connectMs: number;
  readonly statementMs: number;
  /** How long an idle connection is trusted, and how long any is used, in milliseconds. */
  readonly maxIdleMs?: number;
  readonly maxAgeMs?: number;
}

/** Less than firewalls and load balancers keep an idle connection: 350 s on AWS, 4 minutes on Azure. */
const defaultMaxIdleMs = 3 * 60 * 1_000;
const defaultMaxAgeMs = 30 * 60 * 1_000;

/** Connections to one database. */
export class Pool {
  readonly #address: PostgresAddress;
  readonly #options: PoolOptions;
  /** Free ones, the last used last. */
  readonly #idle: Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  #isPreparing = true;
  #isClosed = false;
  #freeCount: number;

  constructor(address: PostgresAddress, options: PoolOptions) {
    this.#address = address;
    this.#options = options;
    this.#freeCount = options.maxConnections;
  }

  /**
   * Runs `work` with a connection that nobody else uses meanwhile.
   *
   * @throws {ConnectionError} there is none to be had
   * @throws the signal's reason when it is aborted
   */
  async use<Outcome>(signal: AbortSignal, work: (connection: Connection) => Promise<Outcome>): Promise<Outcome> {
    await this.#enter();
    try {
      const connection = this.#takeIdle() ?? await this.#connect(signal);
      try {
        return await work(connection);
      } finally {
        connection.idleSince = performance.now();
        if (this.#isClosed) connection.destroy();
        else if (!connection.isBroken) this.#idle.push(connection);
      }
    } finally {
      this.#leave();
    }
  }

  /** Trusts no connection that is idle: one broke, and the others are to the same server. */
  discardIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Names no statement any more: a proxy hands each to any server, which may not know it. */
  stopPreparing(): void {
    this.#isPreparing = false;
    this.discardIdle();
  }

  /** Closes the connections: those that are used, when they are not any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()));
  }

  /**
   * Whoever has a connection began earlier, and so is out of time earlier: nobody waits longer than a call may take.
   */
  async #enter(): Promise<void> {
    if (this.#freeCount > 0) {
      this.#freeCount--;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#freeCount++;
    else next();
  }

  /** There are never more than `maxConnections`, as nobody connects while one is idle. */
  #takeIdle(): Connection | undefined {
    const { maxIdleMs = defaultMaxIdleMs, maxAgeMs = defaultMaxAgeMs } = this.#options;
    const now = performance.now();
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.isBroken) continue;
      if (now - connection.idleSince < maxIdleMs && now - connection.openedAt < maxAgeMs) return connection;
      connection.destroy();
    }
    return undefined;
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    const { connectMs, statementMs } = this.#options;
    const controller = new AbortController();
    const abort = () => controller.abort(signal.reason);
    const timeout = () => controller.abort(new ConnectionError(`no answer within ${connectMs} ms`));
    const timer = setTimeout(timeout, connectMs);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await connect(this.#address, {
        signal: controller.signal,
        statementMs,
        isPreparing: this.#isPreparing,
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }
}
