import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { App, Context } from "../../lib/app.ts";
import { OverloadedError } from "../../lib/passwords/hash_queue.ts";
import { HttpError, jsonResponse } from "../../lib/http/http_error.ts";
import { createRouter, type Handler, type Route } from "../../lib/router.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "../../lib/store.ts";
import { createLog } from "../../lib/log.ts";
import { openTestApp } from "../support/app.ts";

type LogLine = Readonly<Record<string, unknown>>;
type Serve = (method: string, url: string, headers?: Readonly<Record<string, string>>) => Promise<Response>;

const origin = "http://gatehouse.test";
const connection = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 } } as const;

/** A router of these routes. The address of a request may be relative. */
async function openScene(routes: readonly Route[]): Promise<{ app: App; serve: Serve; log: () => LogLine[] }> {
  const { app, lines } = await openTestApp();
  const router = createRouter(routes, app);
  const serve: Serve = async (method, url, headers = {}) => {
    const request = new Request(origin, { method, headers });
    // As the server gives it: a request made by hand would tidy its path.
    Object.defineProperty(request, "url", { value: url.startsWith("/") ? origin + url : url });
    return await router(request, connection);
  };
  return { app, serve, log: () => lines.map((line) => JSON.parse(line)) };
}

/** Replies its name and the parameters. */
function echo(name: string): Handler {
  return ({ params }) => jsonResponse([name, params]);
}

const get = (path: string, handler = echo(path)): Route => ({ method: "GET", path, handler });

/** What a handler of `GET /` ends in. */
async function served(handler: Handler): Promise<{ response: Response; log: LogLine[] }> {
  const { serve, log } = await openScene([get("/", handler)]);
  return { response: await serve("GET", "/"), log: log() };
}

const table: readonly Route[] = [
  get("/"),
  get("/user/"),
  { method: "POST", path: "/user/", handler: echo("POST /user/") },
  get("/user/me"),
  get("/user/:login"),
  { method: "DELETE", path: "/user/:login", handler: echo("DELETE /user/:login") },
  get("/user/:login/session/"),
  get("/user/:login/session/:id"),
  get("/file/:name.txt"),
  get("/rest/:id/:names*"),
];

const found: readonly (readonly [method: string, url: string, name: string, params: Record<string, string>])[] = [
  ["GET", "/", "/", {}],
  ["GET", "/user/", "/user/", {}],
  ["POST", "/user/", "POST /user/", {}],
  ["GET", "/user/?limit=50&after=/user/me", "/user/", {}],
  ["GET", "/user/?", "/user/", {}],
  ["GET", "/user/#fragment", "/user/", {}],
  ["GET", "/user/me", "/user/me", {}],
  ["GET", "/user/alice", "/user/:login", { login: "alice" }],
  ["DELETE", "/user/alice?x", "DELETE /user/:login", { login: "alice" }],
  ["GET", "/user/Alice", "/user/:login", { login: "Alice" }],
  ["GET", "/user/a%40b.c", "/user/:login", { login: "a@b.c" }],
  ["GET", "/user/a@b+c", "/user/:login", { login: "a@b+c" }],
  ["GET", "/user/%c3%a4", "/user/:login", { login: "ä" }],
  // "%2F" is a character of the segment, and so are "%3F", "%00" and a percent that was encoded.
  ["GET", "/user/a%2Fb", "/user/:login", { login: "a/b" }],
  ["GET", "/user/a%3Fb%00%252F", "/user/:login", { login: "a?b\0%2F" }],
  ["GET", "/user/%2e%2e", "/user/:login", { login: ".." }],
  ["GET", "/user/..", "/user/:login", { login: ".." }],
  ["GET", "/user/__proto__", "/user/:login", { login: "__proto__" }],
  // The text of a pattern is a path like any other.
  ["GET", "/user/:login", "/user/:login", { login: ":login" }],
  ["GET", "/user/alice/session/", "/user/:login/session/", { login: "alice" }],
  ["GET", "/user/alice/session/7", "/user/:login/session/:id", { login: "alice", id: "7" }],
  // The rest of a path, as it was sent.
  ["GET", "/rest/1/", "/rest/:id/:names*", { id: "1", names: "" }],
  ["GET", "/rest/1/a?b/c", "/rest/:id/:names*", { id: "1", names: "a" }],
  ["GET", "/rest/a%40b/c/%2F//%zz", "/rest/:id/:names*", { id: "a@b", names: "c/%2F//%zz" }],
  // Absolute forms, with and without a path.
  ["GET", "http://other.test/user/me", "/user/me", {}],
  ["GET", "https://[::1]:8443/user/me?a", "/user/me", {}],
  ["GET", "http://other.test", "/", {}],
  ["GET", "http://other.test?x=/user/me", "/", {}],
];

Deno.test("createRouter() finds the handler and the parameters of a path", async () => {
  const { serve } = await openScene(table);
  for (const [method, url, name, params] of found) {
    const response = await serve(method, url);
    assertEquals([response.status, await response.json()], [200, [name, params]], url);
  }
});

Deno.test("createRouter() answers 404 where there is nothing", async () => {
  const { serve } = await openScene(table);
  const paths = [
    ...["/nothing", "/users/", "/USER/", "/user/me/", "/user/alice/", "/user//", "//user/", "/user/alice/session/7/"],
    ...["/user//session/", "/user/alice//", "/./user/", "/x/../user/", "/%75ser/", "/user/;x/", "/constructor", "//"],
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "OPTIONS", "FROB"]) {
      const response = await serve(method, path);
      const problem = { type: "/problem/not-found", title: "Not found", status: 404 };
      assertEquals([response.status, await response.json()], [404, problem], `${method} ${path}`);
    }
  }
});

const redirects: readonly (readonly [url: string, location: string])[] = [
  ["/user", "./user/"],
  ["/user?limit=1&after=a?b", "./user/?limit=1&after=a?b"],
  ["/user?", "./user/?"],
  ["/user/alice/session", "./session/"],
  ["/user/%2F%2Fevil.example/session", "./session/"],
  ["http://other.test/user", "./user/"],
];

Deno.test("createRouter() redirects to the path with the last slash, whatever the method, and nowhere else", async () => {
  const { serve } = await openScene(table);
  for (const [url, location] of redirects) {
    for (const method of ["GET", "POST", "HEAD"]) {
      const response = await serve(method, url);
      assertEquals([response.status, response.headers.get("location")], [308, location], url);
      const target = new URL(location, new URL(url, origin));
      assertEquals([target.host, target.pathname.at(-1)], [new URL(url, origin).host, "/"]);
    }
  }
});

Deno.test("createRouter() redirects within whatever path the service is mounted at", () => {
  assertEquals(new URL("./user/", "https://site.test/auth/user").pathname, "/auth/user/");
});

Deno.test("createRouter() refuses a percent-encoding that stands for no text", async () => {
  const { serve } = await openScene(table);
  const paths = ["%", "%zz", "%4", "%ff", "%c3", "%C0%80", "%ed%a0%80", "a%"].map((text) => `/user/${text}`);
  for (const path of [...paths, "/user/%ff/session/", "/user/%ff/session", "/user/alice/session/%"]) {
    const response = await serve("GET", path);
    assertEquals([response.status, (await response.json()).type], [400, "/problem/malformed-path"], path);
  }
});

Deno.test("createRouter() answers 405 with the methods of the path", async () => {
  const { serve } = await openScene(table);
  const rows: readonly (readonly [method: string, path: string, allow: string])[] = [
    ["PUT", "/", "GET, HEAD, OPTIONS"],
    ["DELETE", "/user/", "GET, HEAD, OPTIONS, POST"],
    ["FROB", "/user/", "GET, HEAD, OPTIONS, POST"],
    ["get2", "/user/", "GET, HEAD, OPTIONS, POST"],
    // The fixed path stands before the pattern, for every method.
    ["DELETE", "/user/me", "GET, HEAD, OPTIONS"],
    ["PATCH", "/user/alice", "DELETE, GET, HEAD, OPTIONS"],
    ["constructor", "/user/alice", "DELETE, GET, HEAD, OPTIONS"],
  ];
  for (const [method, path, allow] of rows) {
    const response = await serve(method, path);
    assertEquals([response.status, response.headers.get("allow")], [405, allow], `${method} ${path}`);
    assertEquals((await response.json()).type, "/problem/method-not-allowed");
  }
});

Deno.test("createRouter() answers 405 to HEAD where there is no GET", async () => {
  const { serve } = await openScene([{ method: "POST", path: "/", handler: echo("/") }]);
  for (const method of ["GET", "HEAD"]) {
    const response = await serve(method, "/");
    assertEquals([response.status, response.headers.get("allow")], [405, "OPTIONS, POST"]);
  }
});

Deno.test("createRouter() answers OPTIONS with the methods of the path, and calls no handler", async () => {
  const { serve } = await openScene([get("/", () => unreachable()), get("/x/:name", () => unreachable())]);
  for (const path of ["/", "/x/alice"]) {
    const response = await serve("OPTIONS", path);
    assertEquals([response.status, response.headers.get("allow"), response.body], [204, "GET, HEAD, OPTIONS", null]);
  }
});

function unreachable(): never {
  throw new Error("the handler was called");
}

Deno.test("createRouter() answers HEAD as GET, without the body", async () => {
  const { serve, log } = await openScene(table);
  for (const path of ["/user/", "/user/ä", "/nothing", "/user/%"]) {
    const whole = await serve("GET", path);
    const head = await serve("HEAD", path);
    const { byteLength } = await whole.arrayBuffer();
    const expected = { ...Object.fromEntries(whole.headers), "content-length": String(byteLength) };
    const id = head.headers.get("x-request-id") ?? "";
    assertEquals([head.status, head.body], [whole.status, null]);
    assertEquals(Object.fromEntries(head.headers), { ...expected, "x-request-id": id });
  }
  assertEquals(log()[1]?.method, "HEAD");
});

Deno.test("createRouter() gives no length to a HEAD of what has no body", async () => {
  const { serve } = await openScene([
    get("/same", () => new Response(null, { status: 304, headers: { etag: '"1"' } })),
    get("/user/"),
  ]);
  for (const path of ["/same", "/user"]) {
    assertFalse((await serve("HEAD", path)).headers.has("content-length"), path);
  }
});

Deno.test("createRouter() gives handlers the app, the request, its parameters, id, client address and rate-limit key", async () => {
  const contexts: Context[] = [];
  const { app, serve } = await openScene([get("/x/:name", (context) => {
    contexts.push(context);
    return new Response();
  })]);
  const response = await serve("GET", "/x/x", { "x-forwarded-for": "2001:db8::7" });
  const requestId = response.headers.get("x-request-id") ?? "";
  const [context, ...others] = contexts;
  assert(context !== undefined && others.length === 0);
  assertStrictEquals(context.app, app);
  const { request, params, clientAddress, rateLimitKey } = context;
  assertEquals([request.url, request.headers.get("x-forwarded-for")], [`${origin}/x/x`, "2001:db8::7"]);
  assertEquals({ params, requestId: context.requestId, clientAddress, rateLimitKey }, {
    params: { name: "x" },
    requestId,
    clientAddress: "2001:db8::7",
    rateLimitKey: "2001:db8:0:0::/64",
  });
});

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
  { title: "a closed store", thrown: new StoreClosedError(secret), status: 503, code: "store-closed", logged: "warn" },
  {
    title: "a database that is away, and when to come again",
    thrown: new StoreUnavailableError(secret),
    status: 503,
    code: "store-unavailable",
    logged: "warn",
    headers: { "retry-after": "5" },
  },
  { title: "an error", thrown: new Error(secret), status: 500, code: "internal-error", logged: "error" },
  { title: "text", thrown: secret, status: 500, code: "internal-error", logged: "error" },
  { title: "nothing", thrown: undefined, status: 500, code: "internal-error", logged: "error" },
];
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
        ...logged === undefined ? [] : [[logged, "request-failed", id]],
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

Deno.test("createRouter() logs a line for each request: what was asked for as a pattern, and nothing as it was sent", async () => {
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
  isRoutine: true,
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
  const { app, serve } = await openScene([
    get("/user/:login"),
    routine,
    get("/fault", () => Promise.reject(new Error("bug"))),
  ]);
  const counts = () =>
    Object.fromEntries(
      app.metrics.toText({ hashesWaiting: 0, hashesRunning: 0, users: 0, sessions: 0, storeBytes: 0 })
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

Deno.test("createRouter() refuses two routes of the same method and path", async () => {
  const { app } = await openTestApp();
  assertThrows(() => createRouter([get("/user/"), get("/x"), get("/user/")], app), TypeError, "Cannot route /user/");
  for (const path of ["/:name", "/:name/x", "/:names*"]) {
    assertThrows(() => createRouter([get(path)], app), TypeError, `Cannot route ${path}: it begins with a parameter`);
  }
  const post: Route = { method: "POST", path: "/user/", handler: echo("") };
  assertNotEquals(createRouter([get("/user/"), post, get("/user")], app), undefined);
});

Deno.test("createRouter() of no routes finds nothing", async () => {
  const { serve } = await openScene([]);
  assertEquals((await serve("GET", "/")).status, 404);
});
