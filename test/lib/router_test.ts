import { assert, assertEquals, assertFalse, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Context } from "../../lib/app.ts";
import { createRouter, type Route } from "../../lib/router.ts";
import { openTestApp } from "../support/app.ts";
import { echo, get, openScene, origin, table } from "../support/router_scene.ts";

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

Deno.test("createRouter() redirects only to the path with the final slash, for every method", async () => {
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

Deno.test("createRouter() gives handlers the app, request, parameters, id, address and rate-limit key", async () => {
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
