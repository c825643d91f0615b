import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { type Gauges, Metrics } from "../../../lib/metrics/metrics.ts";

const gauges: Gauges = {
  build: { version: "1.2.3", gatehouse_instance: "a" },
  hash: { work: "argon2id m=19456,t=2,p=1", costMs: 57.5 },
  hashesWaiting: 1,
  hashesRunning: 2,
  isStoreUp: true,
  storeSize: { users: 3, sessions: 4, bytes: 5_000_000 },
};

function open(): Metrics {
  return new Metrics(() => 1_800_000_000_000);
}

/** The lines of a family, without those that begin with "#". */
function samplesOf(metrics: Metrics, name: string, changed: Partial<Gauges> = {}): string[] {
  return metrics.toText({ ...gauges, ...changed }).split("\n").filter((line) => line.startsWith(name));
}

Deno.test("toText() is in the text format of Prometheus, every family once, with help, type and samples", () => {
  const metrics = open();
  metrics.requests("GET", "/user/:login", 200).count++;
  metrics.durations({ method: "GET", path: "/user/:login" }).observe(0.002);
  const text = metrics.toText(gauges);
  const family = /# HELP (\w+) [^\n]+\n# TYPE \1 (counter|gauge|histogram)\n((?:\1(?:_bucket|_sum|_count)?[^\n]*\n)+)/y;
  const names: string[] = [];
  for (let match = family.exec(text); match !== null; match = family.exec(text)) {
    const [whole, name = "", type, samples = ""] = match;
    names.push(name);
    for (const line of samples.trimEnd().split("\n")) {
      assertMatch(line, /^[a-z_]+(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? [\d.e+-]+$/);
    }
    assertEquals(name.endsWith("_total"), type === "counter", name);
    if (family.lastIndex === text.length) break;
    assert(whole.length > 0);
  }
  assertEquals(names, [
    "gatehouse_build_info",
    "gatehouse_registrations_total",
    "gatehouse_logins_total",
    "gatehouse_hash_cost_seconds",
    "gatehouse_hash_duration_seconds",
    "gatehouse_hash_wait_seconds",
    "gatehouse_hashes_waiting",
    "gatehouse_hashes_running",
    "gatehouse_sync_duration_seconds",
    "gatehouse_database_call_duration_seconds",
    "gatehouse_failures_total",
    "gatehouse_store_up",
    "gatehouse_users",
    "gatehouse_sessions",
    "gatehouse_store_bytes",
    "http_requests_total",
    "http_request_duration_seconds",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
  ]);
});

Deno.test("toText() shows the gauges as they are given", () => {
  const metrics = open();
  assertEquals(samplesOf(metrics, "gatehouse_hashes_"), ["gatehouse_hashes_waiting 1", "gatehouse_hashes_running 2"]);
  assertEquals(samplesOf(metrics, "gatehouse_users"), ["gatehouse_users 3"]);
  assertEquals(samplesOf(metrics, "gatehouse_sessions"), ["gatehouse_sessions 4"]);
  assertEquals(samplesOf(metrics, "gatehouse_store_"), ["gatehouse_store_up 1", "gatehouse_store_bytes 5000000"]);
  assertEquals(samplesOf(metrics, "gatehouse_build_info"), [
    'gatehouse_build_info{version="1.2.3",gatehouse_instance="a"} 1',
  ]);
});

Deno.test("toText() omits the size of a store that does not tell it, and what was never observed", () => {
  const metrics = open();
  const changed = { isStoreUp: false, storeSize: undefined };
  assertEquals(samplesOf(metrics, "gatehouse_store_", changed), ["gatehouse_store_up 0"]);
  for (const name of ["gatehouse_users", "gatehouse_sessions", "http_request"]) {
    assertEquals(samplesOf(metrics, name, changed), []);
    assert(!metrics.toText({ ...gauges, ...changed }).includes(`# TYPE ${name}`));
  }
});

Deno.test("toText() shows every reason of failures from the start, so that an alert sees the first one", () => {
  const metrics = open();
  metrics.failures["internal-error"].count++;
  assertEquals(samplesOf(metrics, "gatehouse_failures_total"), [
    'gatehouse_failures_total{reason="overloaded"} 0',
    'gatehouse_failures_total{reason="store-full"} 0',
    'gatehouse_failures_total{reason="store-closed"} 0',
    'gatehouse_failures_total{reason="store-unavailable"} 0',
    'gatehouse_failures_total{reason="internal-error"} 1',
  ]);
});

Deno.test("durations() has one histogram for each operation, with its method and path", () => {
  const metrics = open();
  const [show, change] = [{ method: "GET", path: "/user/:login" }, { method: "PATCH", path: "/user/:login" }];
  for (const [operation, seconds] of [[show, 0.002], [show, 0.004], [change, 7]] as const) {
    metrics.durations(operation).observe(seconds);
  }
  const lines = samplesOf(metrics, "http_request_duration_seconds");
  const shown = lines.filter((line) => /le="(0\.001|0\.003|0\.01|\+Inf)"|_sum|_count/.test(line));
  const name = "http_request_duration_seconds";
  assertEquals(shown, [
    `${name}_bucket{method="GET",route="/user/:login",le="0.001"} 0`,
    `${name}_bucket{method="GET",route="/user/:login",le="0.003"} 1`,
    `${name}_bucket{method="GET",route="/user/:login",le="0.01"} 2`,
    `${name}_bucket{method="GET",route="/user/:login",le="+Inf"} 2`,
    `${name}_sum{method="GET",route="/user/:login"} 0.006`,
    `${name}_count{method="GET",route="/user/:login"} 2`,
    `${name}_bucket{method="PATCH",route="/user/:login",le="0.001"} 0`,
    `${name}_bucket{method="PATCH",route="/user/:login",le="0.003"} 0`,
    `${name}_bucket{method="PATCH",route="/user/:login",le="0.01"} 0`,
    `${name}_bucket{method="PATCH",route="/user/:login",le="+Inf"} 1`,
    `${name}_sum{method="PATCH",route="/user/:login"} 7`,
    `${name}_count{method="PATCH",route="/user/:login"} 1`,
  ]);
});

Deno.test("toText() shows the process as it is", () => {
  const valueOf = (name: string) => Number(samplesOf(open(), name)[0]?.split(" ")[1]);
  assert(Math.abs(valueOf("process_start_time_seconds") * 1_000 - performance.timeOrigin) < 1);
  assert(valueOf("process_resident_memory_bytes") > 10_000_000);
  const before = valueOf("process_cpu_seconds_total");
  for (const until = performance.now() + 50; performance.now() < until;);
  const spent = valueOf("process_cpu_seconds_total") - before;
  assert(spent > 0.01 && spent < 60, `${spent}`);
});

Deno.test("countEvent() counts registrations and what comes of logins, and nothing else", () => {
  const metrics = open();
  const logins = () => samplesOf(metrics, "gatehouse_logins_total").map((line) => line.replace(/^.*"(\w+)"\}/, "$1"));
  const registrations = () => samplesOf(metrics, "gatehouse_registrations_total");
  assertEquals([logins(), registrations()], [
    ["success 0", "failure 0", "throttled 0"],
    ["gatehouse_registrations_total 0"],
  ]);
  for (const event of ["logout", "user-changed", "password-changed", "ticket-used"] as const) metrics.countEvent(event);
  for (const event of ["user-registered", "login", "login", "login-failed"] as const) metrics.countEvent(event);
  for (let count = 0; count < 3; count++) metrics.countEvent("login-throttled");
  assertEquals([logins(), registrations()], [
    ["success 2", "failure 1", "throttled 3"],
    ["gatehouse_registrations_total 1"],
  ]);
});

Deno.test("a histogram is shown with its ranges, each with all that is below, sum and count", () => {
  const metrics = open();
  metrics.syncs.observe(0.000_25);
  metrics.syncs.observe(0.75);
  metrics.syncs.observe(3);
  assertEquals(samplesOf(metrics, "gatehouse_sync_duration_seconds"), [
    'gatehouse_sync_duration_seconds_bucket{le="0.0001"} 0',
    ...["0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25"]
      .map((bound) => `gatehouse_sync_duration_seconds_bucket{le="${bound}"} 1`),
    'gatehouse_sync_duration_seconds_bucket{le="1"} 2',
    'gatehouse_sync_duration_seconds_bucket{le="+Inf"} 3',
    "gatehouse_sync_duration_seconds_sum 3.75025",
    "gatehouse_sync_duration_seconds_count 3",
  ]);
  assertEquals(samplesOf(metrics, "gatehouse_hash_duration_seconds_count"), [
    "gatehouse_hash_duration_seconds_count 0",
  ]);
});

Deno.test("requests() gives the same tally for the same kind of request, and another for any other", () => {
  const metrics = open();
  const tally = metrics.requests("GET", "/guard", 200);
  tally.count++;
  assertStrictEquals(metrics.requests("GET", "/guard", 200), tally);
  metrics.requests("GET", "/guard", 401).count++;
  metrics.requests("HEAD", "/guard", 200).count++;
  metrics.requests("GET", "/guard", 200).count++;
  assertEquals(samplesOf(metrics, "http_requests_total"), [
    'http_requests_total{method="GET",route="/guard",status="200"} 2',
    'http_requests_total{method="GET",route="/guard",status="401"} 1',
    'http_requests_total{method="HEAD",route="/guard",status="200"} 1',
  ]);
});

Deno.test("requests() has one tally for all methods that nobody knows", () => {
  const metrics = open();
  for (const method of ["FROB", "get", "A".repeat(10), '"}\n', "__proto__"]) metrics.requests(method, "/", 405).count++;
  assertEquals(samplesOf(metrics, "http_requests_total"), [
    'http_requests_total{method="_OTHER",route="/",status="405"} 5',
  ]);
});

Deno.test("toText() shows kind and cost of new hashes, in seconds", () => {
  const line = 'gatehouse_hash_cost_seconds{work="argon2id m=19456,t=2,p=1"} 0.0575';
  assertEquals(samplesOf(open(), "gatehouse_hash_cost_seconds"), [line]);
});
