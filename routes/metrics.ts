/**
 * `/metrics`: what Prometheus asks for, in its text format.
 *
 * Without a session, as Prometheus has none, and so only for those who reach the service itself. With
 * `GATEHOUSE_METRICS_LISTEN` they do so at an address of its own. Without it, `/metrics` is refused to whatever carries a
 * header of a proxy or of a browser; a proxy on the same machine that adds no header cannot be told from Prometheus.
 */

import type { Context } from "../lib/app.ts";
import { HttpError } from "../lib/http/http.ts";
import type { Operation } from "../lib/operation.ts";

export const metricsOperation: Operation = {
  method: "GET",
  path: "/metrics",
  access: "anyone",
  summary: "Get metrics for Prometheus",
  description:
    "The path does not exist for requests from proxies and browsers, as their header fields show: `Forwarded`, " +
    "`Via`, `X-Real-IP`, `X-Forwarded-…`, `Sec-Fetch-…`. With `GATEHOUSE_METRICS_LISTEN` it exists only at that address.",
  responses: { 200: { description: "The text format of Prometheus, version 0.0.4.", type: ["text/plain"] } },
  problems: ["not-found"],
  handler: showMetrics,
};

const type = "text/plain; version=0.0.4; charset=utf-8";

/** What proxies add: nginx and Apache only when configured, most others always. */
const proxyHeaders = ["forwarded", "via", "x-real-ip"];

/** What proxies and browsers add, of which there are several. */
const proxyPrefixes = ["x-forwarded-", "sec-fetch-"];

/** `GET /metrics`: all that is counted. */
export async function showMetrics({ app, request }: Context): Promise<Response> {
  const { config, metrics, hasher, store } = app;
  if (config.metricsListen === undefined && isPassedOn(request.headers)) throw new HttpError("not-found");
  const { users, sessions, bytes } = await store.size();
  const text = metrics.toText({
    hashesWaiting: hasher.queue.waiting,
    hashesRunning: hasher.queue.running,
    users,
    sessions,
    storeBytes: bytes,
  });
  return new Response(text, { headers: { "content-type": type, "cache-control": "no-store" } });
}

function isPassedOn(headers: Headers): boolean {
  // The names are in lower case.
  for (const name of headers.keys()) {
    if (proxyHeaders.includes(name) || proxyPrefixes.some((prefix) => name.startsWith(prefix))) return true;
  }
  return false;
}
