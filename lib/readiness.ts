/**
 * Whether the store can keep changes, for the readiness probe.
 *
 * Anyone may ask, so that the reason, which can name a path or an address, goes to the log alone: once for each change
 * of state, as probes come every second.
 */

import type { Log } from "./log.ts";
import type { Store } from "./store.ts";

/** Remembers what was last found. */
export class Readiness {
  readonly #store: Pick<Store, "fault">;
  readonly #log: Log;
  /** Why it was not ready when last asked. */
  #reason: string | undefined;

  constructor(store: Pick<Store, "fault">, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Whether the store keeps changes. Logs the reason when that has changed since the last call. */
  async check(): Promise<boolean> {
    const reason = await this.#store.fault();
    if (reason !== this.#reason) {
      this.#reason = reason;
      if (reason === undefined) this.#log.info("store-ready", {});
      else this.#log.error("store-not-ready", { reason });
    }
    return reason === undefined;
  }
}
