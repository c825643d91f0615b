/** The operations that tell what goes on, and by which settings, as the document tells of them. */

import { settings } from "../../lib/config/config.ts";
import type { Operation } from "./operation.ts";
import { example } from "./examples.ts";
import { schemaNamed } from "./schemas.ts";

const tag = "State";

const exampleEvents = `event: now
retry: 1000
data: {"time":"2026-11-22T13:31:28.185Z","logins":{"success":12,"failure":1,"throttled":0},"registrations":3,` +
  `"hash":{"p50_ms":71.2,"p99_ms":88.4},"sync":{"p50_ms":0.9,"p99_ms":3.1},"waiting":0,"running":1,"sessions":120,` +
  `"users":4500,"store_bytes":655360,"uptime_seconds":86400,"deno":"2.9.6"}

`;

export const stateOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/setting/",
    id: "listSettings",
    tag,
    summary: "List the settings in force",
    who: "admin",
    replies: {
      200: {
        description: "Every setting as text, in the order of the README.",
        type: "application/json",
        schema: schemaNamed("SettingList"),
        examples: example("One of them", {
          settings: [{
            name: settings.registration.name,
            value: "ticket",
            default: settings.registration.default,
            meaning: settings.registration.meaning,
          }],
        }),
      },
    },
  },
  {
    method: "GET",
    path: "/state/",
    id: "streamState",
    tag,
    summary: "Watch the state of the service",
    description:
      "Server-sent events, each with a line of JSON. First `history`: how many of those who are registered were on each " +
      "of the last 30 days (UTC), and tries to log in of each of the last 60 minutes, by what came of them. Then, every " +
      "second, `now`: those of the present minute, the times of hashes and syncs in the last minute (null when there were " +
      "none), hashes that wait and run, sessions, users, bytes on the disk. What was counted is of this process, since " +
      "its start. It ends after 45 seconds, and browsers come again by themselves; it ends with the session, and when its " +
      "user administers the service no more.",
    who: "admin",
    replies: {
      200: {
        description: "Events, until one side ends it.",
        type: "text/event-stream",
        schema: { type: "string" },
        examples: example("One event", exampleEvents),
        headers: { "Content-Encoding": "always" },
        cacheControl: "no-store, no-transform",
      },
    },
    problems: ["overloaded"],
  },
  {
    method: "GET",
    path: "/metrics",
    id: "showMetrics",
    tag,
    summary: "Get the metrics, for Prometheus",
    description: "Only for those who reach the service itself: a request that a proxy has passed on, as its headers " +
      "`X-Forwarded-…`, `Forwarded`, `X-Real-IP` or `Via` show, or that a browser has made (`Sec-Fetch-…`), finds " +
      "nothing here. With `GATEHOUSE_METRICS_LISTEN` it is served at that address instead, and nothing else is.",
    who: "anyone",
    replies: {
      200: {
        description: "The text format of Prometheus, version 0.0.4.",
        type: "text/plain",
        schema: { type: "string" },
        examples: example(
          "One of them",
          "# HELP gatehouse_users Users that are kept.\n# TYPE gatehouse_users gauge\ngatehouse_users 4500\n",
        ),
      },
    },
    problems: ["not-found"],
  },
];
