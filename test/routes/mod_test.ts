/** What holds for every route: the rules of HTTP, and the line in the log. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { routes } from "../../routes/mod.ts";
import { openAdminApp } from "../support/accounts.ts";
import { alice, openAppOfAlice, openTestApp, type SendOptions } from "../support/app.ts";

const paths = [...new Set(routes.map((route) => route.path))];
/** What the parameters of a path stand for, in a path that exists. */
const examples: Readonly<Record<string, string>> = {
  ":login": "alice",
  ":code": "not-found",
  ":id": "none",
  ":file": "main.js",
  ":demands*": "users",
};

function exampleOf(path: string): string {
  return path.replace(/:\w+\*?/g, (parameter) => examples[parameter] ?? "");
}

function methodsOf(path: string): string[] {
  return routes.filter((route) => route.path === path).map((route) => route.method);
}

function allowedAt(path: string): string {
  const methods = methodsOf(path);
  return [...methods, ...methods.includes("GET") ? ["HEAD"] : [], "OPTIONS"].sort().join(", ");
}

Deno.test("every path of the table has an example here", () => {
  for (const path of paths) assertMatch(exampleOf(path), /^\/[a-z/.-]*$/);
});

for (const path of paths) {
  const example = exampleOf(path);

  Deno.test(`${path} answers OPTIONS with the methods that it knows`, async () => {
    const { send } = await openTestApp();
    const { status, headers, text } = await send("OPTIONS", example);
    assertEquals([status, headers.get("allow"), text], [204, allowedAt(path), ""]);
  });

  Deno.test(`${path} answers 405 to every other method`, async () => {
    const { send, token } = await openAppOfAlice();
    const known = allowedAt(path).split(", ");
    const unknown = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "FROB"].filter((name) => !known.includes(name));
    for (const method of [...unknown, "__proto__", "get".repeat(10)]) {
      const { status, headers, json } = await send(method, example, { token });
      assertEquals([status, headers.get("allow")], [405, allowedAt(path)], method);
      if (method !== "HEAD") assertEquals(json.type, "/problem/method-not-allowed");
    }
  });

  Deno.test(`${path} with a query is the same path`, async () => {
    const { send } = await openTestApp();
    for (const query of ["?", "?a=b/c", "?/user/"]) {
      assertEquals((await send("OPTIONS", example + query)).headers.get("allow"), allowedAt(path));
    }
  });

  if (methodsOf(path).includes("GET")) {
    Deno.test(`${path} answers HEAD like GET, without the body`, async () => {
      const { send, admin: token, addUser } = await openAdminApp();
      await addUser("alice");
      const get = await send("GET", example, { token });
      const head = await send("HEAD", example, { token });
      // Without a home there is no login at sites.
      const status = path === "/site-session/" ? 404 : 200;
      assertEquals([get.status, head.status, head.text], [status, status, ""]);
      const expected = new Headers(get.headers);
      // Both count the first request or the time since.
      if (["/status/", "/metrics"].includes(path)) head.headers.delete("content-length");
      else if (get.text !== "") {
        expected.set("content-length", String(new TextEncoder().encode(get.text).length));
      }
      for (const headers of [expected, head.headers]) headers.delete("x-request-id");
      assertEquals(Array.from(head.headers), Array.from(expected));
    });
  }

  if (path.endsWith("/") && path !== "/") {
    Deno.test(`${path} is what the path without its last slash redirects to`, async () => {
      const { send } = await openTestApp();
      for (const [query, method] of [["", "POST"], ["?a=b/c", "GET"], ["?", "DELETE"]] as const) {
        const from = path.slice(0, -1) + query;
        const { status, headers } = await send(method, from);
        assertEquals(status, 308);
        // Also where a proxy has mounted the service at another path.
        const location = new URL(headers.get("location") ?? "", `https://gatehouse.test/auth${from}`);
        assertEquals(location.href, `https://gatehouse.test/auth${path}${query}`);
      }
    });
  }
}

const nothing = [
  "//",
  "/nothing",
  "/USER/",
  "/user//",
  "/user/alice/",
  "/user/a/b",
  "/users",
  "/health",
  "/health/",
  "/health/live/",
  // Old Caddyfiles ask for /guard?group=staff: without its demand it would let everybody in.
  "/guard",
  "/guard?group=staff",
  "/health%2Flive",
  "/problem/",
  "/problem/a/b",
  "/__proto__",
  "/constructor",
  "/:login",
  "/%zz",
];

for (const path of nothing) {
  Deno.test(`there is nothing at ${path}`, async () => {
    const { send } = await openTestApp();
    for (const method of ["GET", "POST", "OPTIONS", "FROB"]) {
      const { status, json } = await send(method, path);
      assertEquals([status, json.type], [404, "/problem/not-found"]);
    }
  });
}

Deno.test("a path whose percent-encoding is no text is refused", async () => {
  const { send } = await openTestApp();
  for (
    const path of [
      "/user/%zz",
      "/user/%",
      "/user/%ff",
      "/user/%c3",
      "/problem/%ed%a0%80",
      "/user/%C0%80",
      "/user/%zz/password",
      "/user/%zz/session",
    ]
  ) {
    const { status, json } = await send("GET", path);
    assertEquals([status, json.type], [400, "/problem/malformed-path"], path);
    const head = await send("HEAD", path);
    assertEquals([head.status, head.text], [400, ""], path);
  }
});

Deno.test("every reply names its request, as one line of the log does, and is not to be sniffed", async () => {
  const { lines, send, token } = await openAppOfAlice();
  const requests: [method: string, path: string, route: string, options: SendOptions][] = [
    ["GET", "/user/alice?q=1", "/user/:login", { token }],
    ["POST", "/user", "(none)", {}],
    ["POST", "/session/", "/session/", { json: alice }],
    ["DELETE", "/nothing/at/all", "(none)", {}],
    ["FROB", "/health/live", "/health/live", {}],
    ["frob", "/health/live", "/health/live", {}],
    ["OPTIONS", "/session/", "/session/", { client: "192.0.2.9" }],
    ["GET", "/session/", "/session/", { headers: { "x-forwarded-for": "198.51.100.1, 192.0.2.9" } }],
  ];
  const seen = new Set<string>();
  for (const [method, path, route, options] of requests) {
    const before = lines.length;
    const { status, headers } = await send(method, path, options);
    const requestId = headers.get("x-request-id") ?? "";
    assertMatch(requestId, /^[0-9a-f]{8}-[0-9a-z]+$/);
    seen.add(requestId);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    const requestLines = lines.slice(before).filter((line) => line.includes('"event":"request"'));
    assertEquals(requestLines, lines.slice(-1));
    const { time, ms, ...rest } = JSON.parse(lines.at(-1) ?? "");
    assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert(ms >= 0 && ms < 10_000);
    const isForwarded = options.headers !== undefined;
    assertEquals(rest, {
      level: "info",
      event: "request",
      method: method === "frob" ? "(other)" : method,
      route,
      status,
      clientAddress: options.client ?? (isForwarded ? "192.0.2.9" : "127.0.0.1"),
      requestId,
    });
  }
  assertEquals(seen.size, requests.length);
});
