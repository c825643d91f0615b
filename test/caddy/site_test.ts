/** The site that Caddy serves: its settings, its root certificate, and waiting for it. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { findSite, siteUrl, waitForSite } from "../../caddy/site.ts";
import { ConfigError } from "../../lib/config/config.ts";
import { startCaddy } from "../support/caddy/caddy.ts";
import { ensureProgram } from "../support/packages.ts";
import { serveUpstream } from "../support/upstream.ts";

const ignore = !await ensureProgram("caddy", "caddy");

Deno.test("siteUrl() parses the addresses that Caddy accepts", () => {
  const rows = [
    ["https://localhost:8443", "https://localhost:8443"],
    ["localhost:8443", "https://localhost:8443"],
    ["gate.example.org", "https://gate.example.org"],
    ["https://gate.example.org, https://localhost", "https://gate.example.org"],
  ];
  for (const [addresses = "", origin] of rows) assertEquals(siteUrl(addresses).origin, origin);
});

Deno.test("siteUrl() rejects what is not an address of an HTTPS site", () => {
  for (const addresses of ["", ":8443", "http://localhost:8080", "https://"]) {
    assertThrows(() => siteUrl(addresses), ConfigError, `SITE cannot be "${addresses}"`);
  }
});

Deno.test({
  name: "findSite() returns the root certificate of Caddy's own CA only",
  ignore,
  fn: async () => {
    const internal = await findSite({});
    assertEquals(internal.url.origin, "https://localhost:8443");
    assertStringIncludes(`${internal.rootPath}`, "/pki/authorities/local/root.crt");
    const site = await findSite({ SITE: "https://gate.example.org", TLS: "you@example.org" });
    assertEquals([site.url.origin, site.rootPath], ["https://gate.example.org", undefined]);
  },
});

Deno.test({
  name: "waitForSite() waits for a ready service with a certificate of the root",
  ignore,
  fn: async () => {
    let readyCount = 0;
    await using upstream = serveUpstream(() => new Response(null, { status: ++readyCount < 3 ? 503 : 200 }));
    await using caddy = await startCaddy({ upstream: upstream.address });
    await using folder = await temporaryFolder();
    const site = { url: new URL(caddy.url), rootPath: `${folder.path}/root.crt` };
    const { signal } = new AbortController();
    const notices: string[] = [];
    const onNotice = (text: string) => {
      notices.push(text);
      // The missing file is reported; from now on it exists.
      Deno.writeTextFileSync(site.rootPath, caddy.rootCertificate);
    };
    assertEquals(await waitForSite(site, { signal, onNotice, noticeMs: 150 }), true);
    assertStringIncludes(`${notices[0]}`, `${caddy.url} does not respond yet: NotFound`);
  },
});

Deno.test("waitForSite() ends when its signal is aborted", async () => {
  const site = { url: new URL("https://localhost:1"), rootPath: undefined };
  const controller = new AbortController();
  const onNotice = () => controller.abort();
  assertEquals(await waitForSite(site, { signal: controller.signal, onNotice, noticeMs: 0 }), false);
});

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "gatehouse-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
