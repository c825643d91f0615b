/** The operations that show figures and settings. */

import { settings } from "../../lib/config/settings.ts";
import type { Operation } from "./operation.ts";
import { example } from "./examples.ts";
import { schemaNamed } from "./schemas.ts";

const tag = "Status";

export const statusOperations: readonly Operation[] = [
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
    path: "/status/",
    id: "showStatus",
    tag,
    summary: "Get the status of the service",
    description:
      "Logins, hashes and syncs are those of the instance that responds, since its start; all other figures " +
      "are of the store. The page requests this every few seconds.",
    who: "admin",
    replies: {
      200: {
        description: "The status.",
        type: "application/json",
        schema: schemaNamed("Status"),
        examples: example("A new service", {
          time: "2026-11-22T13:31:28.185Z",
          instance: "127.0.0.1:8000 3f9a",
          users: 4_500,
          sessions: 120,
          registrations: { first_day: "2026-10-24", counts: [...new Array<number>(29).fill(0), 3] },
          logins: {
            first_minute: "2026-11-22T12:32:00.000Z",
            success: [...new Array<number>(59).fill(0), 12],
            failure: [...new Array<number>(59).fill(0), 1],
            throttled: new Array<number>(60).fill(0),
          },
          hash: { p50_ms: 71.2, p99_ms: 88.4 },
          sync: { p50_ms: 0.9, p99_ms: 3.1 },
          running: 1,
          waiting: 0,
          store_bytes: 655_360,
          uptime_seconds: 86_400,
          deno: "2.9.6",
        }),
      },
    },
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
