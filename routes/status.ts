/**
 * `/state/`: the state of the house as it changes, for administrators, as server-sent events.
 *
 * Whoever looks is looked at again before each event: a session that has ended, or an administrator who is none any
 * more, sees nothing from the next second on.
 */

import type { Context } from "../lib/app.ts";
import type { StreamEvent } from "../lib/http/event_stream.ts";
import type { Histogram } from "../lib/metrics/histogram.ts";
import { HttpError } from "../lib/http/http.ts";
import { keptMinutes } from "../lib/metrics/minute_counter.ts";
import { expiresAt } from "../lib/accounts/session.ts";
import { isAdmin } from "../lib/store.ts";
import { requireAdmin } from "./caller.ts";

const minuteMs = 60 * 1_000;
const dayMs = 24 * 60 * minuteMs;
/** Days of registrations, today among them. */
const shownDays = 30;
const everyMs = 1_000;
/**
 * After so many, 45 s, the stream ends and the browser comes again: the shipped Caddyfile breaks off what lasts 60 s,
 * which browsers show as an error.
 */
const maxEvents = 45;

const headers = {
  "content-type": "text/event-stream",
  // Who compresses it keeps events back until there are enough of them. Before 2.7 Caddy does not know no-transform,
  // and lets alone only what has an encoding already.
  "cache-control": "no-store, no-transform",
  "content-encoding": "identity",
};

/** `GET /state/`: an event `history`, and then `now` every second. */
export async function streamState(request: Request, context: Context): Promise<Response> {
  const { session } = await requireAdmin(request, context);
  // It would never end.
  if (request.method === "HEAD") return new Response(null, { headers });
  const { eventStreams, stopping, failures } = context.app;
  const body = await eventStreams.open({
    first: async () => ({ name: "history", data: await historyOf(context) }),
    next: async () => await isStillAdmin(session.id, context) ? await nowOf(context) : undefined,
    maxEvents,
    everyMs,
    stopping,
    onFault: (error) => failures.report("state-failed", { requestId: context.requestId, error }),
  });
  if (body === undefined) {
    const detail = "Too many look at the state of the service already";
    throw new HttpError("overloaded", { detail, headers: { "retry-after": "10" } });
  }
  return new Response(body, { headers });
}

async function isStillAdmin(id: string, { app }: Context): Promise<boolean> {
  const { store, config, now } = app;
  const found = await store.findSession(id);
  return found !== undefined && now() < expiresAt(found.session, config) && isAdmin(found.user);
}

async function historyOf({ app }: Context): Promise<unknown> {
  const { store, metrics, now } = app;
  const { success, failure, throttled } = metrics.logins;
  const today = Math.floor(now() / dayMs);
  const days = { first: today - shownDays + 1, count: shownDays };
  const counts = await store.countRegistrations(days);
  const thisMinute = Math.floor(now() / minuteMs);
  return {
    registrations: { first_day: new Date(days.first * dayMs).toISOString().slice(0, 10), counts },
    logins: {
      first_minute: new Date((thisMinute - keptMinutes + 1) * minuteMs).toISOString(),
      success: success.lastHour,
      failure: failure.lastHour,
      throttled: throttled.lastHour,
    },
  };
}

async function nowOf({ app }: Context): Promise<StreamEvent> {
  const { metrics, hasher, store, now } = app;
  const { success, failure, throttled } = metrics.logins;
  const { users, sessions, bytes } = await store.size();
  const data = {
    time: new Date(now()).toISOString(),
    logins: { success: success.lastMinute, failure: failure.lastMinute, throttled: throttled.lastMinute },
    registrations: metrics.registrations.lastMinute,
    hash: recentMs(metrics.hashes),
    sync: recentMs(metrics.syncs),
    waiting: hasher.waiting,
    running: hasher.running,
    sessions,
    users,
    store_bytes: bytes,
    uptime_seconds: Math.floor(performance.now() / 1_000),
    deno: Deno.version.deno,
  };
  return { name: "now", data };
}

/** Of the last minute; null when there was none. */
function recentMs(histogram: Histogram): { p50_ms: number | null; p99_ms: number | null } {
  const [p50, p99] = histogram.recentQuantiles([0.5, 0.99]);
  return { p50_ms: inMs(p50), p99_ms: inMs(p99) };
}

function inMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1_000_000) / 1_000;
}
