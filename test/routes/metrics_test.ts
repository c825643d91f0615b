/** `GET /metrics`: who gets it, and that it counts what happens. */
import { assert, assertEquals } from "@std/assert";
import { openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, openTestApp, type TestApp } from "../support/app.ts";
import { version } from "../../lib/config/version.ts";
import { StoreUnavailableError } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import type { StoreSize } from "../../lib/store/queries.ts";

/** The value of one sample; 0 when there is no such line. */
async function valueOf({ send }: TestApp, sample: string): Promise<number> {
  const { text } = await send("GET", "/metrics");
  const line = text.split("\n").find((one) => one.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1) ?? 0);
}

Deno.test("showMetrics() answers in the text format of Prometheus, not to be stored", async () => {
  const { send } = await openTestApp();
  const { status, headers, text } = await send("GET", "/metrics");
  assertEquals([status, headers.get("content-type")], [200, "text/plain; version=0.0.4; charset=utf-8"]);
  assertEquals(headers.get("cache-control"), "no-store");
  assert(text.startsWith("# HELP gatehouse_build_info "));
});

Deno.test("showMetrics() shows the version, and the instance in a label that Prometheus does not use", async () => {
  for (const [settings, name] of [[{}, "127.0.0.1:8000"], [{ GATEHOUSE_INSTANCE: "auth-1" }, "auth-1"]] as const) {
    const opened = await openTestApp({ settings });
    const sample = `gatehouse_build_info{version="${version}",gatehouse_instance="${name}"}`;
    assertEquals(await valueOf(opened, sample), 1);
  }
});

Deno.test("showMetrics() shows kind and cost of new hashes", async () => {
  const rows = [[{}, "pbkdf2-sha256 i=100"], [
    { GATEHOUSE_PASSWORD_HASH: "argon2id" },
    "argon2id m=19456,t=2,p=1",
  ]] as const;
  for (const [settings, work] of rows) {
    const opened = await openTestApp({ settings });
    assertEquals(
      await valueOf(opened, `gatehouse_hash_cost_seconds{work="${work}"}`),
      opened.app.hasher.costMs / 1_000,
    );
  }
});

/** A store whose answers are set by hand. */
class AwayStore extends TableStore {
  answer = () => Promise.resolve<string | undefined>(undefined);
  isSilent = false;

  override failure(): Promise<string | undefined> {
    return this.answer();
  }

  override size(): Promise<StoreSize> {
    if (this.isSilent) return Promise.reject(new StoreUnavailableError("away"));
    return super.size();
  }
}

const forever = () => new Promise<never>(() => {});
const answers: readonly [what: string, answer: AwayStore["answer"], isSilent: boolean][] = [
  ["takes no changes", () => Promise.resolve("read-only"), false],
  ["is away", () => Promise.resolve("away"), true],
  ["does not answer", forever, true],
  ["fails in a way nobody foresaw", () => Promise.reject(new TypeError("bug")), true],
];

for (const [what, answer, isSilent] of answers) {
  Deno.test(`showMetrics() goes on when the store ${what}`, async () => {
    const store = new AwayStore();
    const opened = await openTestApp({ store });
    assertEquals(await valueOf(opened, "gatehouse_store_up"), 1);
    Object.assign(store, { answer, isSilent });
    const startedAt = performance.now();
    const { status, text } = await opened.send("GET", "/metrics");
    assertEquals([status, /^gatehouse_store_up (.*)$/m.exec(text)?.[1]], [200, "0"]);
    assertEquals(text.includes("gatehouse_users "), !isSilent);
    assert(text.includes("process_resident_memory_bytes "));
    // Half of the 10 s that Prometheus waits.
    assert(performance.now() - startedAt < 5_000);
    const errors = opened.lines.filter((line) => line.includes('"stack"'));
    assertEquals(errors.length, what.startsWith("fails") ? 1 : 0);
    Object.assign(store, { answer: () => Promise.resolve(undefined), isSilent: false });
    assertEquals(await valueOf(opened, "gatehouse_store_up"), 1);
  });
}

Deno.test("showMetrics() counts failures by reason, and has no line in the log", async () => {
  const store = new AwayStore();
  store.findUser = () => Promise.reject(new StoreUnavailableError("away"));
  const opened = await openTestApp({ store });
  for (let count = 0; count < 100; count++) {
    assertEquals((await opened.send("POST", "/session/", { json: alice })).status, 503);
  }
  assertEquals(await valueOf(opened, 'gatehouse_failures_total{reason="store-unavailable"}'), 100);
  assertEquals(await valueOf(opened, 'gatehouse_failures_total{reason="internal-error"}'), 0);
  const count = valueOf(opened, 'http_request_duration_seconds_count{method="POST",route="/session/"}');
  assertEquals(await count, 100);
  const records = opened.lines.map((line) => JSON.parse(line)).filter(({ event }) => event !== "request");
  assertEquals(records.map(({ level, event, reason }) => [level, event, reason]), [[
    "error",
    "store-not-ready",
    "away",
  ]]);
  assertEquals(opened.lines.filter((line) => line.includes("/metrics")), []);
});

/** What a request has that a proxy has passed on, or that a browser has made. */
const signs = [
  ["X-Forwarded-For", "192.0.2.1"],
  ["X-Forwarded-For", ""],
  ["X-Forwarded-Proto", "https"],
  ["X-Forwarded-Host", "a.example"],
  ["Forwarded", "for=192.0.2.1"],
  ["X-Real-IP", "192.0.2.1"],
  ["Via", "1.1 proxy"],
  ["Sec-Fetch-Mode", "no-cors"],
  ["Sec-Fetch-Site", "cross-site"],
] as const;

for (const [name, value] of signs) {
  Deno.test(`showMetrics() tells a proxy or a browser nothing: ${name}: ${value}`, async () => {
    const { send, admin: token } = await openAdminApp();
    const headers = { [name]: value };
    assertEquals(outcomeOf(await send("GET", "/metrics", { headers, token })), "404 not-found");
    assertEquals(outcomeOf(await send("HEAD", "/metrics", { headers })), "404");
  });
}

Deno.test("showMetrics() answers Prometheus, whatever else it sends", async () => {
  const { send } = await openTestApp();
  const headers = {
    "accept-encoding": "gzip",
    "user-agent": "Prometheus/2.42.0",
    "x-prometheus-scrape-timeout-seconds": "10",
  };
  assertEquals((await send("GET", "/metrics", { headers })).status, 200);
});

Deno.test("showMetrics() answers whatever reaches the address of its own", async () => {
  const { send } = await openTestApp({ settings: { GATEHOUSE_METRICS_LISTEN: "127.0.0.1:9000" } });
  for (const [name, value] of signs) {
    assertEquals((await send("GET", "/metrics", { headers: { [name]: value } })).status, 200);
  }
});

Deno.test("showMetrics() counts registrations, once each", async () => {
  const opened = await openTestApp();
  const { send } = opened;
  assertEquals(await valueOf(opened, "gatehouse_registrations_total"), 0);
  for (const login of ["alice", "bob", "alice", "b:ob"]) await send("POST", "/user/", { json: { ...alice, login } });
  assertEquals(await valueOf(opened, "gatehouse_registrations_total"), 2);
  assertEquals(await valueOf(opened, "gatehouse_users"), 2);
  // Each registration of a login that is free is one hash.
  assertEquals(await valueOf(opened, "gatehouse_hash_duration_seconds_count"), 2);
  assert(await valueOf(opened, "gatehouse_hash_duration_seconds_sum") > 0);
});

Deno.test("showMetrics() counts logins by what came of them, also those by HTTP Basic that fail", async () => {
  const opened = await openTestApp();
  const { send, logIn } = opened;
  const counts = () =>
    Promise.all(["success", "failure", "throttled"].map((outcome) => {
      return valueOf(opened, `gatehouse_logins_total{outcome="${outcome}"}`);
    }));
  await send("POST", "/user/", { json: alice });
  assertEquals(await counts(), [0, 0, 0]);
  await logIn();
  await logIn();
  assertEquals([await counts(), await valueOf(opened, "gatehouse_sessions")], [[2, 0, 0], 2]);
  await send("POST", "/session/", { json: { login: "nobody", password: "wrong" } });
  await send("GET", "/guard/", { headers: { authorization: `Basic ${btoa("alice:wrong 0")}` } });
  assertEquals(await counts(), [2, 2, 0]);
  const json = (count: number) => ({ ...alice, password: `wrong ${count}` });
  for (let count = 1; count < 10; count++) await send("POST", "/session/", { json: json(count) });
  assertEquals(await counts(), [2, 11, 0]);
  await send("POST", "/session/", { json: json(10) });
  assertEquals(await counts(), [2, 11, 1]);
});

Deno.test("showMetrics() counts requests by the pattern of their route, quiet ones too", async () => {
  const opened = await openAdminApp();
  const { send, admin: token } = opened;
  const count = (method: string, route: string, status: number) => {
    return valueOf(opened, `http_requests_total{method="${method}",route="${route}",status="${status}"}`);
  };
  assertEquals(await count("GET", "/guard/:demands*", 200), 0);
  for (let turn = 0; turn < 3; turn++) {
    await send("GET", "/guard/", { headers: { cookie: `__Host-gatehouse=${token}` } });
  }
  await send("GET", "/guard/");
  assertEquals([await count("GET", "/guard/:demands*", 200), await count("GET", "/guard/:demands*", 401)], [3, 1]);
  for (const login of ["root", "nobody", "no%20body"]) await send("GET", `/user/${login}`, { token });
  assertEquals([await count("GET", "/user/:login", 200), await count("GET", "/user/:login", 404)], [1, 2]);
  await send("GET", "/secret/path");
  await send("FROB", "/secret/path");
  assertEquals([await count("GET", "(none)", 404), await count("_OTHER", "(none)", 404)], [1, 1]);
  const { text } = await send("GET", "/metrics");
  assert(!text.includes("secret") && !text.includes("nobody") && !text.includes("FROB"), text);
});
