/**
 * What Caddy sends again, and what never, while the service is away. An upstream counts and breaks connections at will;
 * the restarts are those of the real service.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { startCaddy } from "../support/caddy/caddy.ts";
import { editCaddyfile } from "../support/caddy/edited_caddyfile.ts";
import { assertRepeatable, lostOf, underLoad } from "../support/caddy/caddy_load.ts";
import { ensureProgram } from "../support/packages.ts";
import { freePort } from "../support/process.ts";
import { startService } from "../support/service.ts";
import { breakConnections, serveUpstream } from "../support/upstream.ts";
import { get, hostOf, pick, post } from "../support/caddy/caddy_client.ts";

const ignore = !await ensureProgram("caddy", "caddy");
const alice = { login: "alice", password: "mellow-otter-41-lantern" };

test("Caddyfile keeps requests waiting over a restart of the service", async () => {
  const env = { GATEHOUSE_LISTEN: `127.0.0.1:${freePort()}` };
  await using service = await startService({ env });
  await using caddy = await startCaddy({ upstream: hostOf(service.url) });
  assertEquals((await post(caddy, "/user/", alice)).status, 201);
  assertEquals((await service.stop()).code, 0);

  const registering = post(caddy, "/user/", { ...alice, login: "bob" });
  const loggingIn = post(caddy, "/session/", alice);
  const getting = get(caddy, "/health/ready");
  // Long enough for the health check to fail, which 2.6.2 takes as a reason to refuse a POST.
  await delay(1_500);
  await using restarted = await startService({ env: { ...env, GATEHOUSE_STORE: service.folder } });
  assertEquals([(await getting).status, (await registering).status, (await loggingIn).status], [
    200,
    201,
    201,
  ]);
  assertEquals(restarted.url, service.url);
  assertEquals((await post(caddy, "/user/", { ...alice, login: "bob" })).status, 409);
});

test("Caddyfile fails few requests when the service restarts under load, and only repeatable ones", async () => {
  const env = { GATEHOUSE_LISTEN: `127.0.0.1:${freePort()}` };
  await using folder = await startService({ env });
  await using caddy = await startCaddy({ upstream: hostOf(folder.url) });
  let service = folder;
  const { registered, failures } = await underLoad(caddy, async () => {
    for (let count = 0; count < 3; count++) {
      await service.stop();
      service = await startService({ env: { ...env, GATEHOUSE_STORE: folder.folder } });
      // Until those that have waited are through.
      await delay(1_500);
    }
  });
  await using _last = service;
  assertRepeatable(failures);
  assertEquals(await lostOf(caddy, registered), []);
});

test("Caddyfile never sends a POST twice", async () => {
  await using upstream = breakConnections({ times: Infinity });
  await using caddy = await startCaddy({ upstream: upstream.address });
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const response = await fetch(`${caddy.url}/user/alice`, {
      client: caddy.client,
      method,
      body: '{"a":1}',
    });
    assertEquals(response.headers.get("content-type"), "application/problem+json");
    assertEquals([response.status, (await response.json()).status], [502, 502], method);
  }
  assertEquals(
    upstream.requests,
    ["POST", "PUT", "PATCH", "DELETE"].map((method) => `${method} /user/alice`),
  );
});

test("Caddyfile sends a GET again", async () => {
  await using upstream = breakConnections({ times: 2 });
  await using caddy = await startCaddy({ upstream: upstream.address });
  assertEquals((await get(caddy, "/user/alice")).status, 200);
  assertEquals(upstream.requests, Array(3).fill("GET /user/alice"));
});

test("Caddyfile lets reads through when the service is not ready", async () => {
  await using upstream = serveUpstream(({ method, url }) => {
    const status = new URL(url).pathname === "/health/ready" ? 503 : 200;
    return Response.json({ method, status }, { status });
  });
  await using config = await impatientCaddyfile();
  await using caddy = await startCaddy({ upstream: upstream.address, config: config.path });
  assertEquals((await get(caddy, "/user/alice")).body, { method: "GET", status: 200 });
  assertEquals((await post(caddy, "/user/", alice)).status, 503);
});

test("Caddyfile says 503 when the service stays away", async () => {
  await using config = await impatientCaddyfile();
  await using caddy = await startCaddy({ upstream: `127.0.0.1:${freePort()}`, config: config.path });
  for (const ask of [() => get(caddy, "/user/alice"), () => post(caddy, "/user/", alice)]) {
    const { status, headers, body } = await ask();
    assertEquals(pick(headers, ["content-type", "cache-control", "retry-after", "x-content-type-options"]), {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "retry-after": "5",
      "x-content-type-options": "nosniff",
    });
    assertEquals([status, body.status, body.title], [503, 503, "Service Unavailable"]);
    assertEquals(body.detail, "The service cannot be reached; nothing was changed");
  }
  const headers = { "sec-fetch-mode": "navigate" };
  const shown = await fetch(`${caddy.url}/`, { client: caddy.client, headers });
  assertEquals([shown.status, shown.headers.get("content-type")], [503, "text/html; charset=utf-8"]);
  assertMatch(await shown.text(), /<h1>Service Unavailable<.*nothing was changed.*попробуйте/);
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** The project's Caddyfile, but for the patience of a test. */
function impatientCaddyfile() {
  return editCaddyfile("Caddyfile", [["lb_try_duration 10s", "lb_try_duration 500ms"]]);
}
