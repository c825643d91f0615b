/** `GATEHOUSE_ORIGINS`: which pages of other origins may use the API. cors_browser_test.ts asks Chromium. */
import { assertEquals } from "@std/assert";
import { StoreUnavailableError } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { routes } from "../../routes/mod.ts";
import { alice, openAppOfAlice, openTestApp, type Reply } from "../support/app.ts";

const listed = "https://app.example.org";
const second = "http://localhost:5173";
const settings = { GATEHOUSE_ORIGINS: `${listed}, ${second}` };
const exposed = "ETag, Link, Location, Retry-After, X-Request-Id";

/** The header fields of CORS, by their last words. */
function corsFields({ headers }: Reply): Record<string, string> {
  const names = Array.from(headers.keys()).filter((name) => name === "vary" || name.startsWith("access-control-"));
  return Object.fromEntries(names.map((name) => [name.replace("access-control-", ""), headers.get(name) ?? ""]));
}

const readable = (origin: string) => ({ "allow-origin": origin, "expose-headers": exposed, vary: "Origin" });

for (const origin of [listed, second]) {
  Deno.test(`${origin} may read responses`, async () => {
    const { send } = await openTestApp({ settings });
    assertEquals(corsFields(await send("GET", "/health/live", { headers: { origin } })), readable(origin));
  });
}

const strangers: readonly (string | undefined)[] = [
  undefined,
  "null",
  "*",
  "",
  "https://app.example.org.evil.example",
  "https://app.example.org:8443",
  "https://app.example.org/",
  "http://app.example.org",
  "HTTPS://APP.EXAMPLE.ORG",
  "http://localhost",
  `${listed}, ${second}`,
  "__proto__",
];

for (const origin of strangers) {
  Deno.test(`no page of another origin may read responses: ${JSON.stringify(origin)}`, async () => {
    const { send } = await openTestApp({ settings });
    for (const method of ["GET", "OPTIONS"]) {
      const reply = await send(method, "/health/live", { headers: origin === undefined ? {} : { origin } });
      // A cache must not give it to a page of a listed origin.
      assertEquals(corsFields(reply), { vary: "Origin" });
    }
  });
}

Deno.test("without the setting nothing is added, whatever the origin", async () => {
  const { send } = await openTestApp();
  for (const method of ["GET", "OPTIONS", "FROB"]) {
    assertEquals(corsFields(await send(method, "/health/live", { headers: { origin: listed } })), {});
  }
});

const closed = ["/guard/:demands*", "/metrics"];

for (const path of new Set(routes.map((route) => route.path))) {
  Deno.test(`a preflight of ${path} lists its methods, unless it is not for pages`, async () => {
    const { send } = await openTestApp({ settings });
    const target = path.replaceAll(/:\w+\*?/g, "x");
    const headers = { origin: listed, "access-control-request-method": "GET" };
    const reply = await send("OPTIONS", target, { headers });
    const expected = {
      ...readable(listed),
      "allow-methods": reply.headers.get("allow"),
      "allow-headers": "Authorization, Content-Type, If-Match, If-None-Match",
      "max-age": "7200",
    };
    assertEquals(reply.status, 204);
    assertEquals<unknown>(corsFields(reply), closed.includes(path) ? {} : expected);
  });
}

Deno.test("the guard and the metrics are not for pages, with whatever is behind their paths", async () => {
  const { send } = await openTestApp({ settings });
  for (const path of ["/guard", "/guard/", "/guard/staff", "/guard/%zz", "/metrics", "/metrics/x"]) {
    for (const method of ["GET", "PUT"]) {
      assertEquals(corsFields(await send(method, path, { headers: { origin: listed } })), {}, path);
    }
  }
  assertEquals(corsFields(await send("GET", "/metricsx", { headers: { origin: listed } })), readable(listed));
});

/** Requests that are refused, each with its status. */
const refusals: readonly (readonly [status: number, method: string, path: string, json?: unknown])[] = [
  [308, "GET", "/user"],
  [400, "GET", "/user/%zz"],
  [401, "GET", "/user/alice"],
  [401, "POST", "/session/", { ...alice, password: "another password" }],
  [403, "POST", "/user/", { ...alice, ticket: "none" }],
  [404, "GET", "/nothing"],
  [405, "PUT", "/user/"],
  [409, "POST", "/user/", alice],
  [422, "POST", "/user/", {}],
];

for (const [status, method, path, json] of refusals) {
  Deno.test(`a page can read why a request was refused: ${status}`, async () => {
    const { send } = await openAppOfAlice({ settings });
    const reply = await send(method, path, { json, headers: { origin: listed } });
    assertEquals(reply.status, status);
    assertEquals(corsFields(reply), readable(listed));
  });
}

Deno.test("a page can read that it has to wait, and why", async () => {
  const { send } = await openTestApp({ settings: { ...settings, GATEHOUSE_REGISTRATIONS_PER_HOUR: "1" } });
  await send("POST", "/user/", { json: alice });
  const throttled = await send("POST", "/user/", { json: { ...alice, login: "bob" }, headers: { origin: listed } });
  assertEquals([throttled.status, throttled.headers.has("retry-after")], [429, true]);
  assertEquals(corsFields(throttled), readable(listed));
});

Deno.test("a page can read that the store is away", async () => {
  class AwayStore extends TableStore {
    override findUser(): Promise<never> {
      return Promise.reject(new StoreUnavailableError("gone"));
    }
  }
  const { send } = await openTestApp({ settings, store: new AwayStore() });
  const reply = await send("POST", "/session/", { json: alice, headers: { origin: listed } });
  assertEquals([reply.status, reply.headers.has("retry-after")], [503, true]);
  assertEquals(corsFields(reply), readable(listed));
});

Deno.test("with the cookie a listed origin is as foreign as any other", async () => {
  const { app, send, token } = await openAppOfAlice({ settings });
  const fromListed = { origin: listed, "sec-fetch-site": "cross-site" };
  const cookie = `__Host-gatehouse=${token}`;
  for (const headers of [{ ...fromListed, cookie }, { origin: listed, cookie }]) {
    const { status, json } = await send("DELETE", "/session/", { headers });
    assertEquals([status, json.type], [403, "/problem/cross-origin"]);
  }
  assertEquals((await app.store.size()).sessions, 1);
  const shown = await send("GET", "/session/", { headers: { ...fromListed, cookie } });
  // Browsers do not show it to the page, as nothing allows credentials.
  assertEquals(corsFields(shown), readable(listed));
  // The bearer token wins, and no page has it by accident.
  assertEquals((await send("DELETE", "/session/", { token, headers: { ...fromListed, cookie } })).status, 204);
});
