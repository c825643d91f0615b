/**
 * What the service counts of itself, for `GET /metrics` and for the page.
 *
 * By hand: prom-client knows nothing of the last minute, which the page shows, and what it would spare is the text
 * below (it is no slower: 0.17 µs to count a request with its labels, as here). Names and units are those that
 * Prometheus asks for (https://prometheus.io/docs/practices/naming/). Labels have few values, whatever clients send.
 */

import { cpuUsage } from "node:process";
import { Histogram } from "./histogram.ts";
import { MinuteCounter } from "./minute_counter.ts";

/** Events that `lib/audit.ts` logs and counts. */
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

/**
 * Around the 70 to 100 ms that a hash takes at 600,000 iterations, and what it takes when all cores are busy; seconds.
 */
const hashBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5];
/** From a disk with a battery to one that turns, in seconds. */
const syncBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** Other methods are one: clients could send any number of them. */
const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** The end of the name that OpenTelemetry gives to a method that is not known. */
const otherMethod = "_OTHER";

/** What came of a try to log in. */
export type LoginOutcome = "success" | "failure" | "throttled";

/** A number that only grows. A plain field: what each request to a guarded site adds to must cost nothing. */
export interface Counter {
  count: number;
}

/** How things are in this moment. */
export interface Gauges {
  readonly hashesWaiting: number;
  readonly hashesRunning: number;
  readonly users: number;
  readonly sessions: number;
  readonly storeBytes: number;
}

type Labels = Readonly<Record<string, string>>;

/** One line: what follows the name of the family, labels, value. */
type Sample = readonly [suffix: string, labels: Labels, value: number];

/** Counts what happens in one process. */
export class Metrics {
  /** What each turn at the gate takes: one hash, or two when a password is hashed anew. */
  readonly hashes: Histogram;
  /** Syncs of the journal. */
  readonly syncs: Histogram;
  readonly registrations: MinuteCounter;
  readonly logins: Readonly<Record<LoginOutcome, MinuteCounter>>;
  readonly #requests = new Map<string, Counter & { readonly labels: Labels }>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.hashes = new Histogram(hashBounds, now);
    this.syncs = new Histogram(syncBounds, now);
    this.registrations = new MinuteCounter(now);
    this.logins = {
      success: new MinuteCounter(now),
      failure: new MinuteCounter(now),
      throttled: new MinuteCounter(now),
    };
  }

  /** Counts an event of the audit, so that sums over the log are the same as these counts. */
  countEvent(event: AuditEvent): void {
    if (event === "user-registered") this.registrations.add();
    if (event === "login") this.logins.success.add();
    if (event === "login-failed") this.logins.failure.add();
    if (event === "login-throttled") this.logins.throttled.add();
  }

  /**
   * Requests of one kind, to be added to.
   *
   * @param route the pattern of the path, never the path as sent
   */
  requests(method: string, route: string, status: number): Counter {
    const knownMethod = knownMethods.has(method) ? method : otherMethod;
    const key = `${knownMethod} ${status} ${route}`;
    const known = this.#requests.get(key);
    if (known !== undefined) return known;
    const tally = { labels: { method: knownMethod, route, status: String(status) }, count: 0 };
    this.#requests.set(key, tally);
    return tally;
  }

  /** All of it in the text format of Prometheus, version 0.0.4. */
  toText(gauges: Gauges): string {
    const { user, system } = cpuUsage();
    const logins = Object.entries(this.logins).map(([outcome, { total }]): Sample => ["", { outcome }, total]);
    const requests = Array.from(this.#requests.values(), ({ labels, count }): Sample => ["", labels, count]);
    return [
      family("gatehouse_registrations_total", "counter", "Users that registered.", this.registrations.total),
      family("gatehouse_logins_total", "counter", "Tries to log in, by what came of them.", logins),
      family("gatehouse_hash_duration_seconds", "histogram", "Work on one password, without the wait.", this.hashes),
      family("gatehouse_hashes_waiting", "gauge", "Passwords that wait for their turn.", gauges.hashesWaiting),
      family("gatehouse_hashes_running", "gauge", "Passwords that are worked on.", gauges.hashesRunning),
      family("gatehouse_sync_duration_seconds", "histogram", "Syncs of the journal to the disk.", this.syncs),
      family("gatehouse_users", "gauge", "Users that are kept.", gauges.users),
      family("gatehouse_sessions", "gauge", "Sessions that are kept; expired ones for up to an hour.", gauges.sessions),
      family("gatehouse_store_bytes", "gauge", "Bytes of the snapshot and its journals.", gauges.storeBytes),
      family("http_requests_total", "counter", "Requests that were answered.", requests),
      family("process_resident_memory_bytes", "gauge", "Memory that is in use.", Deno.memoryUsage().rss),
      family("process_cpu_seconds_total", "counter", "Time on all cores.", (user + system) / 1_000_000),
      family(
        "process_start_time_seconds",
        "gauge",
        "When it started, since the epoch.",
        performance.timeOrigin / 1_000,
      ),
    ].join("");
  }
}

function family(
  name: string,
  type: "counter" | "gauge" | "histogram",
  help: string,
  value: number | readonly Sample[] | Histogram,
): string {
  const lines = samplesOf(value).map(([suffix, labels, one]) => `${name}${suffix}${labelsText(labels)} ${one}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function samplesOf(value: number | readonly Sample[] | Histogram): readonly Sample[] {
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

/** JSON escapes what the format wants escaped, and no label has anything else. */
function labelsText(labels: Labels): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return texts.length === 0 ? "" : `{${texts.join(",")}}`;
}
