/** Responses of a site, read from a TLS connection. */
import { assertEquals, assertRejects } from "@std/assert";
import { SiteClient, SiteError } from "../../caddy/doctor_client.ts";
import { type RunningCaddy, startCaddy } from "../support/caddy/caddy.ts";
import { ensureProgram } from "../support/packages.ts";
import { freePort } from "../support/process.ts";
import { serveUpstream } from "../support/upstream.ts";

const ignore = !await ensureProgram("caddy", "caddy");

test("SiteClient sends method, path and headers unchanged", async () => {
  await using upstream = serveUpstream(({ method, url, headers }) =>
    Response.json([method, url.replace(/^[^/]+..[^/]+/, ""), headers.get("x_odd"), headers.get("content-length")])
  );
  await using caddy = await startCaddy({ upstream: upstream.address });
  const response = await clientOf(caddy).send("BREW //a/%2e?%zz", { headers: ["X_Odd: 1"], json: "ü" });
  assertEquals(JSON.parse(response.body), ["BREW", "//a/%2e?%zz", "1", "4"]);
});

test("SiteClient joins the chunks of a response", async () => {
  const chunks = ["x".repeat(10_000), "\r\n0\r\n\r\n", "end"];
  await using upstream = serveUpstream(() =>
    new Response(ReadableStream.from(chunks).pipeThrough(new TextEncoderStream()))
  );
  await using caddy = await startCaddy({ upstream: upstream.address });
  const { headers, body } = await clientOf(caddy).get("/");
  assertEquals([headers.get("transfer-encoding"), body], ["chunked", chunks.join("")]);
});

test("SiteClient reads at most a mebibyte of a response", async () => {
  await using upstream = serveUpstream(() => new Response("x".repeat(4 * 1024 * 1024)));
  await using caddy = await startCaddy({ upstream: upstream.address });
  const { body } = await clientOf(caddy).get("/");
  assertEquals(body.length < 1.1 * 1024 * 1024, true);
});

test("SiteClient waits for a response, but not for ever", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using upstream = serveUpstream(() => promise);
  await using caddy = await startCaddy({ upstream: upstream.address });
  await assertRejects(() => clientOf(caddy).get("/"), SiteError, "The site does not respond to GET /: ");
  resolve(new Response());
});

test("SiteClient names the site that does not respond", async () => {
  const client = new SiteClient(new URL(`https://localhost:${freePort()}`), { caCerts: [] });
  await assertRejects(() => client.get("/x"), SiteError, "to GET /x: Connection refused");
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

function clientOf({ url, rootCertificate }: RunningCaddy): SiteClient {
  return new SiteClient(new URL(url), { caCerts: [rootCertificate], timeoutMs: 500 });
}
