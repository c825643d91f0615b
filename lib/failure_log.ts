/**
 * Failures in the log, those of the store apart: a full disk, a store that is closed, a database that is away.
 *
 * While one of these lasts, everything that needs the store fails for the same reason. So of each event it is one
 * warning without a stack when the reason changes, and one a minute while it stays the same, with the number of those
 * that were left out. Every other error is a fault of the program, and is logged with its stack and its causes.
 */

import type { Fields, Log } from "./log.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "./store.ts";

const repeatEveryMs = 60 * 1_000;

const storeFailures = [StoreClosedError, StoreFullError, StoreUnavailableError];

/** What was logged last of an event. */
interface Logged {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  omittedCount: number;
}

/** Whether the store itself has failed: it has no room, takes no changes, or is away. */
export function isStoreFailure(error: unknown): error is Error {
  return storeFailures.some((one) => error instanceof one);
}

/** Logs failures. */
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

  /** Logs that something has failed, unless it is one of many failures of the store. */
  report(event: string, { error, ...fields }: { readonly error: unknown } & Fields): void {
    if (!isStoreFailure(error)) return this.#log.error(event, { ...fields, error });
    const last = this.#logged.get(event);
    const now = this.#now();
    const isRepeated = last?.reason === error.name && Math.abs(now - last.at) < repeatEveryMs;
    if (isRepeated) {
      last.omittedCount++;
      return;
    }
    this.#logged.set(event, { reason: error.name, at: now, omittedCount: 0 });
    const omitted = last === undefined || last.omittedCount === 0 ? {} : { omitted: last.omittedCount };
    this.#log.warn(event, { ...fields, reason: error.message, ...omitted });
  }
}
