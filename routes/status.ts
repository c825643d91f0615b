/**
 * `/status/`: figures of the service for administrators, as one JSON object that the page polls.
 *
 * Logins, hashes and syncs are those of the instance that responds, since its start. Users, sessions and registrations
 * are those of the store. A response costs no scan of the store: the app keeps those results for some seconds.
 */

import type { RecentHistogram } from "../lib/metrics/histogram.ts";
import { jsonResponse } from "../lib/http/http_error.ts";
import { dateSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { keptMinutes } from "../lib/metrics/minute_counter.ts";
import { workOfScheme } from "../lib/passwords/password_hash.ts";
import { requireAdmin } from "./auth/authorization.ts";
import { route } from "../lib/router.ts";

const count: Schema = { type: "integer", minimum: 0 };
const milliseconds: Schema = { type: ["number", "null"], minimum: 0 };
/** Of durations in the last minute. */
const durations = { p50_ms: milliseconds, p99_ms: milliseconds };

const statusSchema: Schema = {
  $id: "Status",
  ...objectSchema({
    time: dateSchema,
    instance: { type: "string", description: "Its name, and an id that differs after a restart." },
    users: count,
    sessions: { ...count, description: "Including sessions that expired within the last hour." },
    registrations: {
      description: "Registrations on each of the last 30 days (UTC) of users that still exist.",
      ...objectSchema({
        first_day: { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\d$" },
        counts: countsOf(30),
      }),
    },
    logins: {
      description: "Login attempts in each of the last 60 minutes, by outcome.",
      ...objectSchema({
        first_minute: dateSchema,
        success: countsOf(keptMinutes),
        failure: countsOf(keptMinutes),
        throttled: countsOf(keptMinutes),
      }),
    },
    hash: objectSchema({
      work: { type: "string", description: 'Kind and cost of new hashes, such as "argon2id m=19456,t=2,p=1".' },
      cost_ms: { type: "number", description: "Milliseconds that one took at the start while all cores hashed." },
      ...durations,
    }),
    sync: {
      ...objectSchema(durations),
      type: ["object", "null"],
      description: "Null with a database, which syncs by itself.",
    },
    running: { ...count, description: "Passwords being hashed." },
    waiting: { ...count, description: "Passwords waiting to be hashed." },
    store_bytes: { ...count, description: "Bytes on disk." },
    uptime_seconds: count,
    deno: { type: "string", description: "The version of Deno." },
  }),
};

const minuteMs = 60 * 1_000;
const dayMs = 24 * 60 * minuteMs;

export const showStatus = route("GET /status/", {
  access: "admin",
  summary: "Get the status of the service",
  description:
    "Logins, hashes and syncs are those of the instance that responds, all other figures those of the store.",
  responses: { 200: { schema: statusSchema } },
  async handler(context) {
    await requireAdmin(context);
    const { config, instance, processId, metrics, hasher, store, registrations, now } = context.app;
    const { users, sessions, bytes } = await store.size();
    const { days, counts } = await registrations.get();
    const { success, failure, throttled } = metrics.logins;
    const firstMinute = Math.floor(now() / minuteMs) - keptMinutes + 1;
    return jsonResponse({
      time: new Date(now()).toISOString(),
      instance: `${instance} ${processId}`,
      users,
      sessions,
      registrations: { first_day: new Date(days.first * dayMs).toISOString().slice(0, 10), counts },
      logins: {
        first_minute: new Date(firstMinute * minuteMs).toISOString(),
        success: success.lastHour,
        failure: failure.lastHour,
        throttled: throttled.lastHour,
      },
      hash: { work: workOfScheme(hasher.scheme), cost_ms: roundMs(hasher.costMs), ...recentMs(metrics.hashes) },
      // A database syncs by itself.
      sync: "folder" in config.store ? recentMs(metrics.syncs) : null,
      running: hasher.running,
      waiting: hasher.waiting,
      store_bytes: bytes,
      uptime_seconds: Math.floor(performance.now() / 1_000),
      deno: Deno.version.deno,
    });
  },
});

/** Quantiles of the last minute in milliseconds; null if nothing happened in it. */
function recentMs(histogram: RecentHistogram): { p50_ms: number | null; p99_ms: number | null } {
  const inMs = (seconds: number | undefined) => seconds && roundMs(seconds * 1_000);
  const [p50_ms = null, p99_ms = null] = histogram.recentQuantiles([0.5, 0.99]).map(inMs);
  return { p50_ms, p99_ms };
}

function roundMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function countsOf(length: number): Schema {
  return { type: "array", items: count, minItems: length, maxItems: length };
}
