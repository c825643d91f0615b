/**
 * Logs failures without flooding the log.
 *
 * While the database is away or the store is closed, requests, limits and background work all fail for the same reason.
 * The log then has one `store-not-ready`, and one `store-ready` when the store is back. A full disk still accepts some
 * changes: its failures are one warning a minute. Any other error is logged each time, with its stack and causes.
 */

import type { Fields, Log } from "./log.ts";
import { type Store, StoreClosedError, StoreFullError, StoreUnavailableError } from "./store.ts";

const repeatEveryMs = 60 * 1_000;
/** The store may cache for a second that it is ready, so an outage does not end before this. */
const minOutageMs = 2 * 1_000;

const storeFailures = [StoreClosedError, StoreFullError, StoreUnavailableError];

/** A time in which the store rejects all changes. */
interface Outage {
  /** Milliseconds since the epoch. */
  readonly since: number;
  failureCount: number;
  /** The last answer of the store. */
  answer: string | undefined;
}

export interface FailureLogOptions {
  readonly store: Pick<Store, "failure">;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Whether the store has failed as a whole: it is full, closed, or unavailable. */
export function isStoreFailure(error: unknown): error is Error {
  return storeFailures.some((one) => error instanceof one);
}

export class FailureLog {
  readonly #options: FailureLogOptions;
  #outage: Outage | undefined;
  /** When the last warning of a full disk was logged, in milliseconds since the epoch. */
  #fullAt = -Infinity;
  #omittedCount = 0;

  constructor(options: FailureLogOptions) {
    this.#options = options;
  }

  /** Logs a failure, or counts it if the store fails for the same reason again. */
  report(event: string, { error, ...fields }: { readonly error: unknown } & Fields): void {
    if (error instanceof StoreFullError) this.#warnOfFullDisk(event, { ...fields, reason: error.message });
    else if (isStoreFailure(error)) this.#begin({ reason: error.message, ...fields }).failureCount++;
    else this.#options.log.error(event, { ...fields, error });
  }

  /** Asks the store whether it accepts changes, and logs the start and the end of an outage. */
  async isStoreReady(): Promise<boolean> {
    const reason = await this.#options.store.failure();
    if (reason === undefined) {
      this.#end();
      return true;
    }
    const outage = this.#begin({ reason });
    // A database that was away comes back read-only if its failover did not succeed.
    if (outage.answer !== undefined && outage.answer !== reason) this.#options.log.error("store-not-ready", { reason });
    outage.answer = reason;
    return false;
  }

  #begin(fields: Fields): Outage {
    const { log, now } = this.#options;
    if (this.#outage === undefined) log.error("store-not-ready", fields);
    return this.#outage ??= { since: now(), failureCount: 0, answer: undefined };
  }

  #end(): void {
    if (this.#outage === undefined) return;
    const { log, now } = this.#options;
    const { since, failureCount } = this.#outage;
    // The clock may be set back.
    const ms = Math.abs(now() - since);
    if (ms < minOutageMs) return;
    this.#outage = undefined;
    log.info("store-ready", { seconds: Math.round(ms / 1_000), failureCount });
  }

  #warnOfFullDisk(event: string, fields: Fields): void {
    const now = this.#options.now();
    if (Math.abs(now - this.#fullAt) < repeatEveryMs) {
      this.#omittedCount++;
      return;
    }
    this.#options.log.warn(event, { ...fields, ...this.#omittedCount > 0 && { omitted: this.#omittedCount } });
    this.#fullAt = now;
    this.#omittedCount = 0;
  }
}
