/**
 * `/metrics`: the figures of the service for Prometheus, in its text format.
 *
 * Prometheus has no session, so only clients that connect directly get them: a request with a header of a proxy or a
 * browser finds nothing. A local proxy that adds no header looks like Prometheus: `GATEHOUSE_METRICS_LISTEN` serves
 * `/metrics` at another address instead.
 */

import { setTimeout as delay } from "node:timers/promises";
import type { App } from "../lib/app.ts";
import { version } from "../lib/config/version.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { workOfScheme } from "../lib/passwords/password_hash.ts";
import { route } from "../lib/router.ts";

const type = "text/plain; version=0.0.4; charset=utf-8";
/** Headers of proxies and browsers. nginx and Apache add them only if configured. */
const forwarded = /^(forwarded$|via$|x-real-ip$|x-forwarded-|sec-fetch-)/;
/** Prometheus waits 10 s by default, and a call of a database that is away takes 5 s. */
const maxStoreMs = 2_000;

export const showMetrics = route("GET /metrics", {
  access: "anyone",
  summary: "Get metrics for Prometheus",
  description: "Not for requests that proxies forward or browsers make, as their header fields show.",
  responses: { 200: { types: ["text/plain"] } },
  problems: ["not-found"],
  routineStatuses: [200],
  async handler({ app, request }) {
    const { config, instance, metrics, hasher, store, failures } = app;
    const isForwarded = [...request.headers.keys()].some((name) => forwarded.test(name));
    if (config.metricsListen === undefined && isForwarded) throw new HttpError("not-found");
    const [isStoreUp = false, storeSize] = await Promise.all([
      inTime(failures.isStoreReady(), app),
      inTime(store.size(), app),
    ]);
    const { waiting: hashesWaiting, running: hashesRunning } = hasher;
    // Prometheus has a label `instance` of its own.
    const build = { version, gatehouse_instance: instance };
    const hash = { work: workOfScheme(hasher.scheme), costMs: hasher.costMs };
    const gauges = { build, hash, hashesWaiting, hashesRunning, isStoreUp, storeSize };
    return new Response(metrics.toText(gauges), { headers: { "content-type": type, "cache-control": "no-store" } });
  },
});

/** Returns `undefined` for a store that fails or responds late: the other figures are needed most then. */
async function inTime<Value>(value: Promise<Value>, { failures }: App): Promise<Value | undefined> {
  try {
    return await Promise.race([value, delay(maxStoreMs, undefined)]);
  } catch (error) {
    failures.report("metrics-failed", { error });
    return undefined;
  }
}
