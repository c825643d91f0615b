/**
 * Figures of the service, for `GET /metrics` and the status page.
 *
 * Without prom-client, which does not know the last minute and would replace only the text format below. Names and
 * units follow https://prometheus.io/docs/practices/naming/. Labels have few values, regardless of what clients send.
 */

import { cpuUsage } from "node:process";
import { Histogram } from "./histogram.ts";
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
  | "ticket-made"
  | "ticket-deleted"
  | "ticket-used";

/** Seconds, around the 70 to 100 ms that a hash takes at 600,000 iterations, up to what it takes on busy cores. */
const hashBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5];
/** Seconds, from a disk with a battery-backed cache to a spinning one. */
const syncBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** Clients can send any other method: all of them get one label. */
const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** The label that OpenTelemetry gives to an unknown method. */
const otherMethod = "_OTHER";

/** The outcome of a login attempt. */
export type LoginOutcome = "success" | "failure" | "throttled";

/** A number that only grows. A plain field, so that counting each request of a guarded site costs nothing. */
export interface Counter {
  count: number;
}

/** The current values that the metrics show. */
export type Gauges = Readonly<
  Record<"hashesWaiting" | "hashesRunning" | "users" | "sessions" | "storeBytes", number>
>;

type Labels = Readonly<Record<string, string>>;
/** One line: what follows the name of the family, labels, value. */
type Sample = readonly [suffix: string, labels: Labels, value: number];
type Family = readonly [name: string, help: string, value: number | readonly Sample[] | Histogram];

/** The figures of one process. */
export class Metrics {
  /** Jobs of the hash queue: one hash, or two if a password is hashed again with more iterations. */
  readonly hashes: Histogram;
  /** Syncs of the journal. */
  readonly syncs: Histogram;
  readonly registrations: Counter = { count: 0 };
  readonly logins: Readonly<Record<LoginOutcome, MinuteCounter>>;
  readonly #requests = new Map<string, Counter & { readonly labels: Labels }>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.hashes = new Histogram(hashBounds, now);
    this.syncs = new Histogram(syncBounds, now);
    this.logins = {
      success: new MinuteCounter(now),
      failure: new MinuteCounter(now),
      throttled: new MinuteCounter(now),
    };
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

  /** All figures in the text format of Prometheus, version 0.0.4. */
  toText({ hashesWaiting, hashesRunning, users, sessions, storeBytes }: Gauges): string {
    const { user, system } = cpuUsage();
    const logins = Object.entries(this.logins).map(([outcome, { total }]): Sample => ["", { outcome }, total]);
    const requests = Array.from(this.#requests.values(), ({ labels, count }): Sample => ["", labels, count]);
    const families: readonly Family[] = [
      ["gatehouse_registrations_total", "Registrations.", this.registrations.count],
      ["gatehouse_logins_total", "Login attempts by outcome.", logins],
      ["gatehouse_hash_duration_seconds", "Time to hash one password, without the wait.", this.hashes],
      ["gatehouse_hashes_waiting", "Passwords that wait to be hashed.", hashesWaiting],
      ["gatehouse_hashes_running", "Passwords that are being hashed.", hashesRunning],
      ["gatehouse_sync_duration_seconds", "Time to sync the journal to the disk.", this.syncs],
      ["gatehouse_users", "Users in the store.", users],
      ["gatehouse_sessions", "Sessions in the store, including those that expired within the last hour.", sessions],
      ["gatehouse_store_bytes", "Size of the store in bytes.", storeBytes],
      ["http_requests_total", "Requests by method, route and status.", requests],
      ["process_resident_memory_bytes", "Resident memory in bytes.", Deno.memoryUsage().rss],
      ["process_cpu_seconds_total", "CPU time in seconds, on all cores.", (user + system) / 1_000_000],
      ["process_start_time_seconds", "Start time in seconds since the epoch.", performance.timeOrigin / 1_000],
    ];
    return families.map(familyText).join("");
  }
}

function familyText([name, help, value]: Family): string {
  const type = value instanceof Histogram ? "histogram" : name.endsWith("_total") ? "counter" : "gauge";
  const lines = samplesOf(value).map(([suffix, labels, one]) => `${name}${suffix}${labelsText(labels)} ${one}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function samplesOf(value: Family[2]): readonly Sample[] {
  if (typeof value === "number") return [["", {}, value]];
  if (!(value instanceof Histogram)) return value;
  const { bounds, countsUntil, count, sumSeconds } = value;
  return [
    ...bounds.map((bound, index): Sample => ["_bucket", { le: String(bound) }, countsUntil[index] ?? 0]),
    ["_bucket", { le: "+Inf" }, count],
    ["_sum", {}, sumSeconds],
    ["_count", {}, count],
  ];
}

/** JSON escapes what the format requires, and labels contain nothing else to escape. */
function labelsText(labels: Labels): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return texts.length === 0 ? "" : `{${texts.join(",")}}`;
}
