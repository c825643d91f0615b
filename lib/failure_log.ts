/**
 * Logs failures without flooding the log.
 *
 * While the disk is full, the store closed or the database away, every request that needs the store fails for the same
 * reason. Such a failure is one warning without a stack when the reason changes, and one a minute while it stays the
 * same, with the number of omitted ones. Any other error is logged each time, with its stack and causes.
 */

import type { Fields, Log } from "./log.ts";
import { type Store, StoreClosedError, StoreFullError, StoreUnavailableError } from "./store.ts";

const repeatEveryMs = 60 * 1_000;

const storeFailures = [StoreClosedError, StoreFullError, StoreUnavailableError];

/** The last line of an event. */
interface Logged {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  omittedCount: number;
}

/** Whether the store has failed as a whole: it is full, closed, or unavailable. */
export function isStoreFailure(error: unknown): error is Error {
  return storeFailures.some((one) => error instanceof one);
}

export class FailureLog {
  readonly #log: Log;
  readonly #now: () => number;
  /** By event, of which there are a few. */
  readonly #logged = new Map<string, Logged>();

  /** @param now milliseconds since the epoch */
  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Logs a failure, or counts it if the store fails for the same reason again. */
  report(event: string, { error, ...fields }: { readonly error: unknown } & Fields): void {
    if (!isStoreFailure(error)) return this.#log.error(event, { ...fields, error });
    const last = this.#logged.get(event);
    const now = this.#now();
    if (last?.reason === error.name && Math.abs(now - last.at) < repeatEveryMs) {
      last.omittedCount++;
      return;
    }
    this.#logged.set(event, { reason: error.name, at: now, omittedCount: 0 });
    const omitted = last === undefined || last.omittedCount === 0 ? {} : { omitted: last.omittedCount };
    this.#log.warn(event, { ...fields, reason: error.message, ...omitted });
  }
}

/**
 * Returns a check whether the store takes changes, for the readiness probe. The response does not tell the reason,
 * which may contain a path or an address. It is logged once per change, as probes come every second.
 */
export function readinessCheck(store: Pick<Store, "failure">, log: Log): () => Promise<boolean> {
  let lastReason: string | undefined;
  return async () => {
    const reason = await store.failure();
    if (reason !== lastReason && reason === undefined) log.info("store-ready", {});
    if (reason !== lastReason && reason !== undefined) log.error("store-not-ready", { reason });
    lastReason = reason;
    return reason === undefined;
  };
}
