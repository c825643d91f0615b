/**
 * `/metrics`: the figures of the service for Prometheus, in its text format.
 *
 * Prometheus has no session, so only clients that connect directly get them: a request with a header of a proxy or a
 * browser finds nothing. A local proxy that adds no header looks like Prometheus: `GATEHOUSE_METRICS_LISTEN` serves
 * `/metrics` at another address instead.
 */

import { HttpError } from "../lib/http/http_error.ts";
import { route } from "../lib/router.ts";

const type = "text/plain; version=0.0.4; charset=utf-8";
/** Headers of proxies and browsers. nginx and Apache add them only if configured. */
const forwarded = /^(forwarded$|via$|x-real-ip$|x-forwarded-|sec-fetch-)/;

export const showMetrics = route("GET /metrics", {
  access: "anyone",
  summary: "Get metrics for Prometheus",
  description: "Not for requests that proxies forward or browsers make, as their header fields show.",
  responses: { 200: { types: ["text/plain"] } },
  problems: ["not-found"],
  async handler({ app, request }) {
    const { config, metrics, hasher, store } = app;
    const isForwarded = [...request.headers.keys()].some((name) => forwarded.test(name));
    if (config.metricsListen === undefined && isForwarded) throw new HttpError("not-found");
    const { users, sessions, bytes: storeBytes } = await store.size();
    const { waiting: hashesWaiting, running: hashesRunning } = hasher.queue;
    const text = metrics.toText({ hashesWaiting, hashesRunning, users, sessions, storeBytes });
    return new Response(text, { headers: { "content-type": type, "cache-control": "no-store" } });
  },
});
