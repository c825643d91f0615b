/** What the router adds to the responses of handlers, and what it logs and counts. */
import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { OverloadedError } from "../../lib/passwords/hash_queue.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import { createRouter, type Handler, type Route } from "../../lib/router.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "../../lib/store.ts";
import { createLog } from "../../lib/log.ts";
import { openTestApp } from "../support/app.ts";
import { connection, get, type LogLine, openScene, origin, table } from "../support/router_scene.ts";

/** What a handler of `GET /` ends in. */
async function served(handler: Handler): Promise<{ response: Response; log: LogLine[] }> {
  const { serve, log } = await openScene([get("/", handler)]);
  return { response: await serve("GET", "/"), log: log() };
}

Deno.test("createRouter() gives each request an id of its own, also after a restart", async () => {
  const ids: (string | null)[] = [];
  for (let restart = 0; restart < 2; restart++) {
    const { serve } = await openScene(table);
    for (let count = 0; count < 100; count++) {
      const response = await serve("GET", count % 2 === 0 ? "/user/" : "/nothing");
      ids.push(response.headers.get("x-request-id"));
    }
  }
  for (const id of ids) assertMatch(id ?? "", /^[0-9a-f]{8}-[0-9a-z]+$/);
  assertEquals(new Set(ids).size, 200);
});

Deno.test("createRouter() forbids to guess the type of a reply, whatever the reply", async () => {
  const { serve } = await openScene(table);
  for (
    const [method, path] of [["GET", "/"], ["GET", "/no"], ["GET", "/user"], ["PUT", "/"], ["OPTIONS", "/"]] as const
  ) {
    assertEquals((await serve(method, path)).headers.get("x-content-type-options"), "nosniff");
  }
});

interface FaultRow {
  readonly title: string;
  readonly thrown: unknown;
  readonly status: number;
  readonly code: string;
  /** The level, unless it is not logged. */
  readonly logged?: "error" | "warn";
  readonly headers?: Readonly<Record<string, string>>;
}

const secret = "hunter2";
const faults: readonly FaultRow[] = [
  {
    title: "an HttpError, as it says",
    thrown: new HttpError("login-taken", { headers: { allow: "x" }, cause: new Error(secret) }),
    status: 409,
    code: "login-taken",
    headers: { allow: "x" },
  },
  {
    title: "overload, and when to come again",
    thrown: new OverloadedError(7),
    status: 503,
    code: "overloaded",
    headers: { "retry-after": "7" },
  },
  { title: "a full disk", thrown: new StoreFullError(secret), status: 507, code: "store-full", logged: "warn" },
  { title: "a closed store", thrown: new StoreClosedError(secret), status: 503, code: "store-closed", logged: "error" },
  {
    title: "a database that is away, and when to come again",
    thrown: new StoreUnavailableError(secret),
    status: 503,
    code: "store-unavailable",
    logged: "error",
    headers: { "retry-after": "5" },
  },
  { title: "an error", thrown: new Error(secret), status: 500, code: "internal-error", logged: "error" },
  { title: "text", thrown: secret, status: 500, code: "internal-error", logged: "error" },
  { title: "nothing", thrown: undefined, status: 500, code: "internal-error", logged: "error" },
];
const isOutage = (thrown: unknown) => thrown instanceof StoreClosedError || thrown instanceof StoreUnavailableError;

for (const { title, thrown, status, code, logged, headers = {} } of faults) {
  for (const when of ["at once", "later"]) {
    Deno.test(`createRouter() replies what a handler throws ${when}: ${title}`, async () => {
      const { response, log } = await served(() => {
        if (when === "later") return Promise.reject(thrown);
        throw thrown;
      });
      const text = await response.text();
      const id = response.headers.get("x-request-id");
      assertEquals([response.status, JSON.parse(text).type], [status, `/problem/${code}`]);
      for (const [name, value] of Object.entries(headers)) assertEquals(response.headers.get(name), value);
      assertEquals(response.headers.get("x-content-type-options"), "nosniff");
      assertFalse(text.includes(secret));
      assertEquals(log.map(({ level, event, requestId }) => [level, event, requestId]), [
        ...logged === undefined ? [] : [[logged, isOutage(thrown) ? "store-not-ready" : "request-failed", id]],
        ["info", "request", id],
      ]);
    });
  }
}

Deno.test("createRouter() logs a fault with its cause", async () => {
  const { log } = await served(() => {
    throw new Error("outer", { cause: new RangeError("inner") });
  });
  const { error } = log[0] ?? {};
  assertMatch(JSON.stringify(error), /"message":"outer".*"name":"RangeError","message":"inner"/);
});

Deno.test("createRouter() logs a line for each request, with its pattern and no text of the client", async () => {
  const { serve, log } = await openScene(table);
  const rows: readonly (readonly [method: string, url: string, logged: readonly unknown[]])[] = [
    ["GET", `/user/${secret}?${secret}`, ["GET", "/user/:login", 200]],
    ["HEAD", "/user/", ["HEAD", "/user/", 200]],
    ["GET", `/${secret}`, ["GET", "(none)", 404]],
    ["POST", `/user?${secret}`, ["POST", "(none)", 308]],
    ["GET", `/user/${secret}%`, ["GET", "(none)", 400]],
    ["PUT", `/user/${secret}`, ["PUT", "/user/:login", 405]],
    ["OPTIONS", "/user/me", ["OPTIONS", "/user/me", 204]],
    ["PROPFIND", "/user/", ["PROPFIND", "/user/", 405]],
    ["X", "/user/", ["X", "/user/", 405]],
    ["UNSUBSCRIB", "/user/", ["UNSUBSCRIB", "/user/", 405]],
    // More than 10 letters, and what is no letter.
    ["UNSUBSCRIBE", "/user/", ["(other)", "/user/", 405]],
    [secret, "/user/", ["(other)", "/user/", 405]],
  ];
  for (const [method, url] of rows) await serve(method, url, { "x-forwarded-for": "192.0.2.7" });
  assertEquals(log().map(({ method, route, status }) => [method, route, status]), rows.map(([, , logged]) => logged));
  for (const line of log()) {
    assertEquals([line.level, line.event, line.clientAddress], ["info", "request", "192.0.2.7"]);
    assert(typeof line.ms === "number" && line.ms >= 0);
  }
  assertFalse(JSON.stringify(log()).includes(secret));
});

Deno.test("createRouter() logs how long a request took, in milliseconds", async () => {
  for (const [tookMs, expected] of [[12, 12], [0, 0], [-5_000, 0]] as const) {
    const now = Date.now;
    let nowMs = now();
    Date.now = () => nowMs;
    try {
      const { log } = await served(() => {
        nowMs += tookMs;
        return new Response();
      });
      assertEquals(log[0]?.ms, expected, "the clock may be set back meanwhile");
    } finally {
      Date.now = now;
    }
  }
});

/** A routine route that responds 200, or 403 to `?no`. */
const routine: Route = {
  ...get("/routine", ({ request }) => new Response(null, { status: request.url.endsWith("?no") ? 403 : 200 })),
  routineStatuses: [200],
};

Deno.test("createRouter() logs a 200 of a routine route at debug level only, and counts it like all", async () => {
  for (const isDebug of [false, true]) {
    const { app } = await openTestApp();
    const lines: string[] = [];
    const log = createLog((line) => lines.push(line), { isDebug });
    const router = createRouter([routine, get("/other")], { ...app, log });
    for (const path of ["/routine", "/routine?no", "/other", "/routine?a"]) {
      const { headers } = await router(new Request(origin + path), connection);
      assertMatch(headers.get("x-request-id") ?? "", /^[0-9a-f]{8}-[0-9a-z]+$/);
      assertEquals(headers.get("x-content-type-options"), "nosniff");
    }
    const logged = lines.map((line) => JSON.parse(line)).map(({ level, route, status }) => [level, route, status]);
    const passed = isDebug ? [["debug", "/routine", 200]] : [];
    assertEquals(logged, [...passed, ["info", "/routine", 403], ["info", "/other", 200], ...passed]);
    assertEquals(app.metrics.requests("GET", "/routine", 200).count, 2);
  }
});

Deno.test("createRouter() counts every request by method, pattern and status", async () => {
  const routes = [get("/user/:login"), routine, get("/fault", () => Promise.reject(new Error("bug")))];
  const { app, serve } = await openScene(routes);
  const hash = { work: "", costMs: 1 };
  const gauges = { build: {}, hash, hashesWaiting: 0, hashesRunning: 0, isStoreUp: true, storeSize: undefined };
  const counts = () =>
    Object.fromEntries(
      app.metrics.toText(gauges)
        .matchAll(/^http_requests_total\{method="(.*)",route="(.*)",status="(.*)"\} (.*)$/gm)
        .map(([, method, route, status, count]) => [`${method} ${route} ${status}`, Number(count)] as const),
    );
  assertEquals(counts(), {});
  for (const path of ["/user/alice", "/user/bob", "/user/%zz", "/routine", "/routine?a", "/fault", "/none"]) {
    await serve("GET", path);
  }
  await serve("HEAD", "/user/alice");
  await serve("DELETE", "/routine");
  await serve("FROB", "/none");
  assertEquals(counts(), {
    "GET /routine 200": 2,
    "GET /user/:login 200": 2,
    "GET (none) 400": 1,
    "GET /fault 500": 1,
    "GET (none) 404": 1,
    "HEAD /user/:login 200": 1,
    "DELETE /routine 405": 1,
    "_OTHER (none) 404": 1,
  });
  // What is no operation takes no time and would only dilute the durations.
  const durations = ["/user/:login", "/routine", "/fault"].map((path) => {
    const route = routes.find((one) => one.path === path);
    return route && app.metrics.durations(route).count;
  });
  assertEquals(durations, [3, 2, 1]);
});

Deno.test("createRouter() shows a problem as a page to who navigates by GET, and as JSON to all others", async () => {
  const fail = () => Promise.reject(new HttpError("forbidden"));
  const { serve } = await openScene([get("/x", fail), { method: "POST", path: "/x", handler: fail }]);
  const navigate = { "sec-fetch-mode": "navigate" };
  const html = "text/html; charset=utf-8";
  const json = "application/problem+json";
  const rows: readonly [method: string, headers: Record<string, string>, type: string][] = [
    ["GET", navigate, html],
    ["HEAD", navigate, html],
    ["GET", { "sec-fetch-mode": "cors", accept: "text/html" }, json],
    ["GET", { accept: "text/html" }, json],
    ["GET", {}, json],
    ["POST", navigate, json],
  ];
  for (const [method, headers, type] of rows) {
    const response = await serve(method, "/x", headers);
    assertEquals([response.status, response.headers.get("content-type")], [403, type], method);
    assertEquals([response.headers.has("x-request-id"), response.headers.get("cache-control")], [true, "no-store"]);
    const text = await response.text();
    if (method === "HEAD") assertEquals(text, "");
    if (type === html && method === "GET") assertMatch(text, new RegExp(response.headers.get("x-request-id") ?? "-"));
  }
});
