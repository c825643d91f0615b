/**
 * `/metrics`: what Prometheus asks for, in its text format.
 *
 * Without a session, as Prometheus has none, and so only for those who reach the service itself. The shipped Caddyfiles
 * hide the path; a proxy that somebody else has set up says whom it asks for, and that is enough to refuse.
 */

import type { Context } from "../lib/app.ts";
import { HttpError } from "../lib/http.ts";

const type = "text/plain; version=0.0.4; charset=utf-8";

/** `GET /metrics`: all that is counted. */
export async function showMetrics({ headers }: Request, context: Context): Promise<Response> {
  if (headers.has("x-forwarded-for") || headers.has("forwarded")) throw new HttpError("not-found");
  const { metrics, hasher, store } = context.app;
  const { users, sessions, bytes } = await store.size();
  const text = metrics.toText({
    hashesWaiting: hasher.waiting,
    hashesRunning: hasher.running,
    users,
    sessions,
    storeBytes: bytes,
  });
  return new Response(text, { headers: { "content-type": type, "cache-control": "no-store" } });
}
