/**
 * Whether the store takes changes, for the readiness probe.
 *
 * Anyone may request the probe, so the reason, which may contain a path or an address, is only logged: once for each
 * change, as probes come every second.
 */

import type { Log } from "./log.ts";
import type { Store } from "./store.ts";

/** Returns a check of the store. It logs the reason if that has changed since the last check. */
export function readinessCheck(store: Pick<Store, "fault">, log: Log): () => Promise<boolean> {
  let lastReason: string | undefined;
  return async () => {
    const reason = await store.fault();
    if (reason !== lastReason && reason === undefined) log.info("store-ready", {});
    if (reason !== lastReason && reason !== undefined) log.error("store-not-ready", { reason });
    lastReason = reason;
    return reason === undefined;
  };
}
