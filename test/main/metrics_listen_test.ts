/** `/metrics` at an address of its own: for a proxy that adds no header, which cannot be told from Prometheus. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { freePort } from "../support/process.ts";
import { addressOf, sendRaw } from "../support/raw_request.ts";
import { startService } from "../support/service.ts";

const get = (path: string) => [`GET ${path} HTTP/1.1\r\nHost: gatehouse.test\r\n\r\n`];

Deno.test("GATEHOUSE_METRICS_LISTEN serves /metrics there alone, and nothing else there", async () => {
  const port = freePort();
  await using service = await startService({ env: { GATEHOUSE_METRICS_LISTEN: `127.0.0.1:${port}` } });
  const [site, metrics] = [addressOf(service.url), { hostname: "127.0.0.1", port }];
  const status = async (address: Deno.ConnectOptions, path: string) => (await sendRaw(address, get(path))).status;
  assertEquals([await status(site, "/metrics"), await status(site, "/health/live")], [404, 200]);
  const { status: found, body } = await sendRaw(metrics, get("/metrics"));
  assertEquals(found, 200);
  assertStringIncludes(body, 'http_requests_total{method="GET",route="(none)",status="404"} 1');
  for (const path of ["/", "/health/live", "/user/", "/guard/", "/session/", "/openapi.json"]) {
    assertEquals([path, await status(metrics, path)], [path, 404]);
  }
  assertMatch(service.log(), /"event":"metrics-listening","at":"http:\/\/127\.0\.0\.1:\d+"/);
  assertEquals((await service.stop()).code, 0);
});

Deno.test("GATEHOUSE_METRICS_LISTEN serves on a unix socket, and is named when it cannot be had", async () => {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  try {
    const path = `${folder}/metrics.sock`;
    await using service = await startService({ env: { GATEHOUSE_METRICS_LISTEN: `unix:${path}` } });
    assertEquals((await sendRaw({ transport: "unix", path }, get("/metrics"))).status, 200);
    const failed = startService({ env: { GATEHOUSE_METRICS_LISTEN: `unix:${path}` } });
    const message = await failed.then(() => "it started", String);
    assertStringIncludes(message, `Cannot listen on unix:${path} as it is in use: stop what listens there, or set`);
    assertStringIncludes(message, "GATEHOUSE_METRICS_LISTEN");
    assertEquals((await service.stop()).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
