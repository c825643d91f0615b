/**
 * The project's Caddyfile in a real Caddy, over HTTPS that is verified against its root certificate.
 *
 * What Caddy sends again, and what never, is tested with an upstream of this file that counts and breaks
 * connections at will; everything else with the real service.
 */
import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { type RunningCaddy, startCaddy } from "../support/caddy/caddy.ts";
import { assertRepeatable, lostOf, underLoad } from "../support/caddy/caddy_load.ts";
import { ensureProgram } from "../support/packages.ts";
import { freePort } from "../support/process.ts";
import { startService } from "../support/service.ts";
import { breakConnections, serveUpstream } from "../support/upstream.ts";

const ignore = !await ensureProgram("caddy", "caddy");
const caddyfile = new URL("../../caddy/Caddyfile", import.meta.url).pathname;
const alice = { login: "alice", password: "mellow-otter-41-lantern" };

test("Caddyfile is valid and formatted", async () => {
  const validated = await runCaddy(["validate", "--config", caddyfile, "--adapter", "caddyfile"]);
  assertEquals(validated.code, 0, validated.stderr);
  assertEquals((await runCaddy(["fmt", caddyfile])).stdout, await Deno.readTextFile(caddyfile));
});

test("Caddyfile takes its settings from the environment", async () => {
  const env = {
    SITE: "https://gate.example.org",
    BIND: "0.0.0.0",
    TLS: "you@example.org",
    UPSTREAM: "unix//run/gatehouse.sock",
  };
  const { stdout } = await runCaddy(["adapt", "--config", caddyfile, "--adapter", "caddyfile"], env);
  for (
    const text of ['"0.0.0.0:443"', '"email":"you@example.org","module":"acme"', '"unix//run/gatehouse.sock"']
  ) {
    assertStringIncludes(stdout, text);
  }
  assert(!stdout.includes('"module":"internal"'));
});

test("Caddyfile lets users register and log in over HTTPS", async () => {
  await using service = await startService();
  await using caddy = await startCaddy({ upstream: hostOf(service.url) });
  assertEquals((await post(caddy, "/user/", alice)).status, 201);
  const again = await post(caddy, "/user/", alice);
  assertEquals([again.status, again.body.type], [409, "/problem/login-taken"]);
  const wrong = await post(caddy, "/session/", { ...alice, password: "mellow-otter-42-lantern" });
  assertEquals([wrong.status, wrong.body.type], [401, "/problem/wrong-credentials"]);

  const { status, body } = await post(caddy, "/session/", alice);
  assertEquals([status, body.login], [201, "alice"]);
  const headers = { authorization: `Bearer ${body.token}` };
  const session = await get(caddy, "/session/", { headers });
  assertEquals([session.status, session.body.login], [200, "alice"]);
});

test("Caddyfile shows a certificate that only its root vouches for", async () => {
  await using caddy = await startCaddy({ upstream: "127.0.0.1:1" });
  const { cause } = await assertRejects(() => fetch(`${caddy.url}/metrics`), TypeError);
  assertStringIncludes(String(cause), "UnknownIssuer");
  assertEquals((await get(caddy, "/metrics")).status, 404);
});

test("Caddyfile sets the headers that the service leaves to it", async () => {
  await using service = await startService();
  await using caddy = await startCaddy({ upstream: hostOf(service.url) });
  const expected = {
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "server": null,
    "strict-transport-security": null,
    "via": null,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
  // A reply of the service and one of Caddy's own.
  for (const path of ["/health/ready", "/metrics"]) {
    const { headers } = await get(caddy, path);
    assertEquals(pick(headers, Object.keys(expected)), expected, path);
    assert(headers.has("x-request-id"), path);
  }
});

test("Caddyfile promises HTTPS for good to real names only", async () => {
  await using service = await startService();
  const port = freePort();
  const env = { SITE: `https://localhost:${port}, https://gate.example.org:${port}` };
  await using caddy = await startCaddy({ upstream: hostOf(service.url), port, env });
  for (const [name = "", expected] of [["localhost"], ["gate.example.org", "max-age=31536000"]]) {
    const reply = await askByName(caddy, name);
    assertStringIncludes(reply, "HTTP/1.1 200 OK");
    assertEquals(/^strict-transport-security: (.*)\r$/im.exec(reply)?.[1], expected, name);
  }
});

test("Caddyfile compresses long replies", async () => {
  await using upstream = serveUpstream(() => Response.json({ text: "long".repeat(1_000) }));
  await using caddy = await startCaddy({ upstream: upstream.address });
  const response = await fetch(`${caddy.url}/`, {
    client: caddy.client,
    headers: { "accept-encoding": "gzip" },
  });
  assertEquals((await response.json()).text.length, 4_000);
  assertEquals(response.headers.get("vary"), "Accept-Encoding");
});

test("Caddyfile hides /metrics in every spelling", async () => {
  const paths: string[] = [];
  await using upstream = serveUpstream((request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== "/health/ready") paths.push(pathname);
    return Response.json("secret");
  });
  await using caddy = await startCaddy({ upstream: upstream.address });
  for (
    const path of ["/metrics", "/metrics/", "/METRICS", "/%6detrics", "//metrics", "/metrics?x", "/metrics/x"]
  ) {
    const { status, headers, body } = await get(caddy, path);
    assertEquals([status, headers.get("content-type")], [404, "application/problem+json"], path);
    assertEquals([body.type, body.title, body.status], ["about:blank", "Not Found", 404], path);
  }
  assertEquals(paths, []);
  await get(caddy, "/metrics2");
  assertEquals(paths, ["/metrics2"]);
});

test("Caddyfile refuses a body above 64 KiB", async () => {
  await using upstream = serveUpstream(async (request) => Response.json({ length: (await request.text()).length }));
  await using caddy = await startCaddy({ upstream: upstream.address });
  const limit = 64 * 1024;
  assertEquals((await post(caddy, "/user/", "x".repeat(limit - 2))).body, { length: limit });
  const chunked = new Blob(["x".repeat(limit + 1)]).stream();
  for (const body of [JSON.stringify("x".repeat(limit)), chunked]) {
    const response = await fetch(`${caddy.url}/user/`, { client: caddy.client, method: "POST", body });
    assertEquals(response.headers.get("content-type"), "application/problem+json");
    const { type, status } = await response.json();
    assertEquals([response.status, status, type], [413, 413, "/problem/body-too-large"]);
  }
});

test("Caddyfile tells the client's address and no forged one", async () => {
  await using service = await startService();
  await using caddy = await startCaddy({ upstream: hostOf(service.url) });
  const init = { headers: { "x-forwarded-for": "203.0.113.7", "x-forwarded-host": "forged" } };
  await get(caddy, "/session/", init);
  // The service believes whoever connects from loopback: without Caddy the forged address does arrive.
  await fetch(`${service.url}/session/`, init).then((response) => response.body?.cancel());
  await service.stop();
  const clients = [...service.log().matchAll(/"route":"\/session\/".*"clientAddress":"([^"]+)"/g)].map((match) =>
    match[1]
  );
  assertEquals(clients, ["127.0.0.1", "203.0.113.7"]);
});

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

test("Caddyfile fails hardly a request while the service is restarted under load, and none that cannot be repeated", async () => {
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

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function post(caddy: RunningCaddy, path: string, value: unknown): Promise<Reply> {
  const headers = { "content-type": "application/json" };
  return await get(caddy, path, { method: "POST", headers, body: JSON.stringify(value) });
}

async function get(caddy: RunningCaddy, path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(`${caddy.url}${path}`, { ...init, client: caddy.client });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** The reply to a request that reaches Caddy under `name`, whatever that resolves to. */
async function askByName({ port, rootCertificate }: RunningCaddy, name: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const secured = await Deno.startTls(connection, { hostname: name, caCerts: [rootCertificate] });
  const request = `GET /health/ready HTTP/1.1\r\nHost: ${name}:${port}\r\nConnection: close\r\n\r\n`;
  await secured.write(new TextEncoder().encode(request));
  return await new Response(secured.readable).text();
}

function pick(headers: Headers, names: string[]): Record<string, string | null> {
  return Object.fromEntries(names.map((name) => [name, headers.get(name)]));
}

function hostOf(url: string): string {
  return new URL(url).host;
}

async function runCaddy(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command("caddy", { args, env }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The project's Caddyfile, but for the patience of a test. */
async function impatientCaddyfile(): Promise<AsyncDisposable & { readonly path: string }> {
  const text = await Deno.readTextFile(caddyfile);
  const impatient = text.replaceAll("lb_try_duration 10s", "lb_try_duration 500ms");
  assertNotEquals(impatient, text);
  const path = await Deno.makeTempFile({ suffix: ".Caddyfile" });
  await Deno.writeTextFile(path, impatient);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
