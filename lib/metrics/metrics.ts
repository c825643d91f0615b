/**
 * Figures of the service, for `GET /metrics` and the status page.
 *
 * Without prom-client, which does not know the last minute and would replace only the text format below. Names and
 * units follow https://prometheus.io/docs/practices/naming/. Labels have few values, regardless of what clients send.
 */

import { cpuUsage } from "node:process";
import type { JobDurations } from "../passwords/hash_queue.ts";
import type { StoreSize } from "../store/queries.ts";
import { Histogram, RecentHistogram } from "./histogram.ts";
import { MinuteCounter } from "./minute_counter.ts";

/** The events of `lib/audit.ts`. */
export type AuditEvent =
  | "user-registered"
  | "user-changed"
  | "user-deleted"
  | "login"
  | "login-failed"
  | "login-throttled"
  | "logout"
  | "sessions-ended"
  | "password-changed"
  | "password-accepted"
  | "step-up"
  | "site-login"
  | "passkey-counter"
  | "credential-added"
  | "credential-changed"
  | "credential-deleted"
  | "ticket-made"
  | "ticket-deleted"
  | "ticket-used";

/** Seconds, around the 40 ms of Argon2id and the 70 to 100 ms of PBKDF2, up to what a hash takes on busy cores. */
const hashBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5];
/** Seconds, from a disk with a battery-backed cache to a spinning one. */
const syncBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
/** Seconds, from one statement to the deadline of a call and the longest wait for a hash. */
const callBounds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 6];

/** Clients can send any other method: all of them get one label. */
const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** The label that OpenTelemetry gives to an unknown method. */
const otherMethod = "_OTHER";

/** The outcome of a login attempt. */
export type LoginOutcome = "success" | "failure" | "throttled";

/** Why a request failed through no fault of its client, as the code of its problem. */
export type FailureReason = "overloaded" | "store-full" | "store-closed" | "store-unavailable" | "internal-error";

/** A number that only grows. A plain field, so that counting each request of a guarded site costs nothing. */
export interface Counter {
  count: number;
}

/** Current values. A family without a value is omitted, such as the size of a store that does not respond. */
export interface Gauges {
  /** Labels of `gatehouse_build_info`. */
  readonly build: Labels;
  /** Kind and cost of new hashes, and the measured duration of one. */
  readonly hash: { readonly work: string; readonly costMs: number };
  readonly hashesWaiting: number;
  readonly hashesRunning: number;
  readonly isStoreUp: boolean;
  readonly storeSize: StoreSize | undefined;
}

/** Labels the durations of requests: a declared operation, never a path as sent. */
export interface OperationName {
  readonly method: string;
  readonly path: string;
}

type Labels = Readonly<Record<string, string>>;
type Labelled = readonly [labels: Labels, value: number | Histogram];
type Family = readonly [name: string, help: string, value: number | Histogram | readonly Labelled[] | undefined];

/** The figures of one process. */
export class Metrics {
  /** Jobs of the hash queue: one hash, or two if a password is hashed again with more iterations. */
  readonly hashes: RecentHistogram;
  readonly hashWaits = new Histogram(callBounds);
  /** Syncs of the journal. */
  readonly syncs: RecentHistogram;
  /** Statements and transactions, with their repetitions. */
  readonly databaseCalls = new Histogram(callBounds);
  readonly registrations: Counter = { count: 0 };
  readonly logins: Readonly<Record<LoginOutcome, MinuteCounter>>;
  readonly failures: Readonly<Record<FailureReason, Counter>> = {
    "overloaded": { count: 0 },
    "store-full": { count: 0 },
    "store-closed": { count: 0 },
    "store-unavailable": { count: 0 },
    "internal-error": { count: 0 },
  };
  readonly #requests = new Map<string, Counter & { readonly labels: Labels }>();
  readonly #durations = new Map<OperationName, Histogram>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.hashes = new RecentHistogram(hashBounds, now);
    this.syncs = new RecentHistogram(syncBounds, now);
    this.logins = {
      success: new MinuteCounter(now),
      failure: new MinuteCounter(now),
      throttled: new MinuteCounter(now),
    };
  }

  observeHash({ waitSeconds, runSeconds }: JobDurations): void {
    this.hashWaits.observe(waitSeconds);
    this.hashes.observe(runSeconds);
  }

  /** Counts an event of the audit log. */
  countEvent(event: AuditEvent): void {
    if (event === "user-registered") this.registrations.count++;
    if (event === "login") this.logins.success.add();
    if (event === "login-failed") this.logins.failure.add();
    if (event === "login-throttled") this.logins.throttled.add();
  }

  /** The counter of requests of one kind. @param route the pattern of the path, never the path as sent */
  requests(method: string, route: string, status: number): Counter {
    const knownMethod = knownMethods.has(method) ? method : otherMethod;
    const key = `${knownMethod} ${status} ${route}`;
    const known = this.#requests.get(key);
    if (known !== undefined) return known;
    const counter = { labels: { method: knownMethod, route, status: String(status) }, count: 0 };
    this.#requests.set(key, counter);
    return counter;
  }

  /** The durations of one operation, by its declaration: to find an object is faster than to make a key. */
  durations(operation: OperationName): Histogram {
    const known = this.#durations.get(operation);
    if (known !== undefined) return known;
    const histogram = new Histogram(callBounds);
    this.#durations.set(operation, histogram);
    return histogram;
  }

  /** All figures in the text format of Prometheus, version 0.0.4. */
  toText({ build, hash, hashesWaiting, hashesRunning, isStoreUp, storeSize }: Gauges): string {
    const { user, system } = cpuUsage();
    const logins = Object.entries(this.logins).map(([outcome, { total }]): Labelled => [{ outcome }, total]);
    const failures = Object.entries(this.failures).map(([reason, { count }]): Labelled => [{ reason }, count]);
    const requests = Array.from(this.#requests.values(), ({ labels, count }): Labelled => [labels, count]);
    const durations = Array.from(this.#durations, ([{ method, path: route }, histogram]): Labelled => {
      return [{ method, route }, histogram];
    });
    const families: readonly Family[] = [
      ["gatehouse_build_info", "Always 1. Version, and name of the instance as in its log.", [[build, 1]]],
      ["gatehouse_registrations_total", "Registrations.", this.registrations.count],
      ["gatehouse_logins_total", "Login attempts by outcome.", logins],
      [
        "gatehouse_hash_cost_seconds",
        "Kind and cost of new hashes, and the time that one took at the start while all cores hashed.",
        [[{ work: hash.work }, hash.costMs / 1_000]],
      ],
      ["gatehouse_hash_duration_seconds", "Time to hash one password, without the wait.", this.hashes],
      ["gatehouse_hash_wait_seconds", "Time that a password waited to be hashed.", this.hashWaits],
      ["gatehouse_hashes_waiting", "Passwords that wait to be hashed.", hashesWaiting],
      ["gatehouse_hashes_running", "Passwords that are being hashed.", hashesRunning],
      ["gatehouse_sync_duration_seconds", "Time to sync the journal to the disk.", this.syncs],
      ["gatehouse_database_call_duration_seconds", "Time of a statement or transaction.", this.databaseCalls],
      ["gatehouse_failures_total", "Requests that failed through no fault of the client, by reason.", failures],
      ["gatehouse_store_up", "1 if the store accepts changes, else 0.", Number(isStoreUp)],
      ["gatehouse_users", "Users in the store.", storeSize?.users],
      [
        "gatehouse_sessions",
        "Sessions in the store, including those that expired within the last hour.",
        storeSize?.sessions,
      ],
      ["gatehouse_store_bytes", "Size of the store in bytes.", storeSize?.bytes],
      ["http_requests_total", "Requests by method, route and status.", requests],
      ["http_request_duration_seconds", "Time to respond by method and route.", durations],
      ["process_resident_memory_bytes", "Resident memory in bytes.", Deno.memoryUsage().rss],
      ["process_cpu_seconds_total", "CPU time in seconds, on all cores.", (user + system) / 1_000_000],
      ["process_start_time_seconds", "Start time in seconds since the epoch.", performance.timeOrigin / 1_000],
    ];
    return families.map(familyText).join("");
  }
}

function familyText([name, help, value]: Family): string {
  const samples: readonly Labelled[] = value === undefined ? [] : value instanceof Array ? value : [[{}, value]];
  if (samples[0] === undefined) return "";
  const type = samples[0][1] instanceof Histogram ? "histogram" : name.endsWith("_total") ? "counter" : "gauge";
  const lines = samples.flatMap((sample) => linesOf(sample).map((line) => `${name}${line}\n`));
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

/** What follows the name of the family: suffix, labels and value. */
function linesOf([labels, value]: Labelled): readonly string[] {
  if (typeof value === "number") return [`${labelsText(labels)} ${value}`];
  const { bounds, countsUntil, count, sumSeconds } = value;
  const bucket = (le: string, countUntil: number) => `_bucket${labelsText({ ...labels, le })} ${countUntil}`;
  return [
    ...bounds.map((bound, index) => bucket(String(bound), countsUntil[index] ?? 0)),
    bucket("+Inf", count),
    `_sum${labelsText(labels)} ${sumSeconds}`,
    `_count${labelsText(labels)} ${count}`,
  ];
}

/** JSON escapes what the format requires, and labels contain nothing else to escape. */
function labelsText(labels: Labels): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return texts.length === 0 ? "" : `{${texts.join(",")}}`;
}
