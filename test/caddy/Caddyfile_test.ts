/** The project's Caddyfile in a real Caddy, over HTTPS that is verified against its root certificate. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { type RunningCaddy, startCaddy } from "../support/caddy/caddy.ts";
import { ensureProgram } from "../support/packages.ts";
import { freePort } from "../support/process.ts";
import { startService } from "../support/service.ts";
import { serveUpstream } from "../support/upstream.ts";
import { get, hostOf, pick, post } from "../support/caddy/caddy_client.ts";

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
    const reply = await askByName(caddy, { name });
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

test("the Caddyfile of caddy/README.md serves a home and its sites", async () => {
  await using cleanup = new AsyncDisposableStack();
  const port = freePort();
  const [home, ...sites] = ["login.example.org", "wiki.example.org", "files.example.net"];
  const origins = sites.map((site) => `https://${site}:${port}`).join();
  const env = { GATEHOUSE_HOME: `https://${home}:${port}`, GATEHOUSE_SITES: origins };
  const service = cleanup.use(await startService({ env }));
  const config = await writeHome(cleanup, port);
  const caddy = cleanup.use(await startCaddy({ upstream: hostOf(service.url), config, port, hostname: home }));
  const atHome = await askByName(caddy, { name: home });
  assertMatch(atHome, /^HTTP\/1.1 200 .*^Strict-Transport-Security: .*"status":"ready"/ims);
  for (const name of sites) {
    assertMatch(await askByName(caddy, { name }), /^HTTP\/1.1 401 .*"type":"\/problem\/not-authenticated"/s, name);
    assertMatch(await askByName(caddy, { name, path: "/auth/health/ready" }), /^HTTP\/1.1 200 /, name);
    assertMatch(await askByName(caddy, { name, path: "/auth/session/" }), /^HTTP\/1.1 403 .*only-at-home/s, name);
  }
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** The reply to a request that reaches Caddy under `name`, whatever that resolves to. */
async function askByName(
  { port, rootCertificate }: RunningCaddy,
  { name = "localhost", path = "/health/ready" }: { readonly name?: string | undefined; readonly path?: string },
): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const secured = await Deno.startTls(connection, { hostname: name, caCerts: [rootCertificate] });
  const request = `GET ${path} HTTP/1.1\r\nHost: ${name}:${port}\r\nConnection: close\r\n\r\n`;
  await secured.write(new TextEncoder().encode(request));
  return await new Response(secured.readable).text();
}

/** The complete Caddyfile of a home as a reader makes it, for this machine. @returns its path */
async function writeHome(cleanup: AsyncDisposableStack, port: number): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const readme = await Deno.readTextFile(new URL("../../caddy/README.md", import.meta.url));
  const [, section = ""] = readme.split("## One login for all sites\n");
  const [, commands = "", site = ""] = /^```sh\n(.*?)^```$.*?^```caddyfile\n(.*?)^```$/ms.exec(section) ?? [];
  const args = ["-c", commands.replaceAll("/etc/caddy", folder)];
  assert((await new Deno.Command("sh", { args }).output()).success);
  const local = `\tskip_install_trust\n\tlocal_certs\n\tdefault_bind 127.0.0.1\n\thttps_port ${port}\n` +
    "\tauto_https disable_redirects\n";
  await Deno.writeTextFile(`${folder}/Caddyfile`, site.replace("{\n", `{\n${local}`));
  return `${folder}/Caddyfile`;
}

async function runCaddy(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command("caddy", { args, env }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
