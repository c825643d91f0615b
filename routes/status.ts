/**
 * `/status/`: figures of the service for administrators, as one JSON object that the page polls.
 *
 * Logins, hashes and syncs are those of the instance that responds, since its start. Users, sessions and registrations
 * are those of the store. A response costs no scan of the store: the app keeps those results for some seconds.
 */

import type { Context } from "../lib/app.ts";
import type { Histogram } from "../lib/metrics/histogram.ts";
import { jsonResponse } from "../lib/http/http.ts";
import { keptMinutes } from "../lib/metrics/minute_counter.ts";
import { requireAdmin } from "./caller.ts";

const minuteMs = 60 * 1_000;
const dayMs = 24 * 60 * minuteMs;

/** `GET /status/` */
export async function showStatus(context: Context): Promise<Response> {
  await requireAdmin(context);
  const { config, instance, metrics, hasher, store, registrations, now } = context.app;
  const { users, sessions, bytes } = await store.size();
  const { days, counts } = await registrations.get();
  const { success, failure, throttled } = metrics.logins;
  const firstMinute = Math.floor(now() / minuteMs) - keptMinutes + 1;
  return jsonResponse({
    time: new Date(now()).toISOString(),
    instance,
    users,
    sessions,
    registrations: { first_day: new Date(days.first * dayMs).toISOString().slice(0, 10), counts },
    logins: {
      first_minute: new Date(firstMinute * minuteMs).toISOString(),
      success: success.lastHour,
      failure: failure.lastHour,
      throttled: throttled.lastHour,
    },
    hash: recentMs(metrics.hashes),
    // A database syncs by itself.
    sync: "folder" in config.store ? recentMs(metrics.syncs) : null,
    running: hasher.running,
    waiting: hasher.waiting,
    store_bytes: bytes,
    uptime_seconds: Math.floor(performance.now() / 1_000),
    deno: Deno.version.deno,
  });
}

/** Quantiles of the last minute in milliseconds; null if nothing happened in it. */
function recentMs(histogram: Histogram): { p50_ms: number | null; p99_ms: number | null } {
  const [p50_ms = null, p99_ms = null] = histogram.recentQuantiles([0.5, 0.99]).map(inMs);
  return { p50_ms, p99_ms };
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds && Math.round(seconds * 1_000_000) / 1_000;
}
