/** Requests that a proxy and what is behind it could read differently, through a real Caddy and nginx. */
import { assert, assertEquals } from "@std/assert";
import { type Guarded, startGuarded, testProxies } from "../support/caddy/guarded.ts";

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n";
const chunked = `0\r\n\r\n${smuggled}`;
const websocket = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 777"];

/** Headers of a request with a session, and what follows them on its connection. */
const requests: readonly (readonly [headers: readonly string[], rest: string])[] = [
  [["Content-Length: 4", "Transfer-Encoding: chunked"], chunked],
  [[`Content-Length: ${chunked.length}`, "Transfer-Encoding: chunked"], chunked],
  [["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], chunked],
  [["Transfer-Encoding: xchunked", `Content-Length: ${chunked.length}`], chunked],
  [["Transfer-Encoding: gzip, chunked"], chunked],
  [["Transfer-Encoding:\tchunked"], chunked],
  [["Transfer_Encoding: chunked", `Content-Length: ${chunked.length}`], chunked],
  [["Content-Length: 0", `Content-Length: ${smuggled.length}`], smuggled],
  [["Content-Length: +0"], smuggled],
  [["Content_Length: 0"], smuggled],
  [["Connection: Content-Length", `Content-Length: ${smuggled.length}`], smuggled],
  [["Connection: Transfer-Encoding", "Transfer-Encoding: chunked"], chunked],
  // The app refuses both upgrades; a proxy that takes them for accepted would pass on what follows.
  [websocket, smuggled],
  [["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"], smuggled],
  [["Expect: 100-continue", "Content-Length: 0"], smuggled],
];

await testProxies("lets nobody smuggle a request to the app", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const cookie = await site.enter("alice");
  const [request, host] = ["POST /first HTTP/1.1", `Host: localhost:${site.caddy.port}`];
  for (const [headers, rest] of requests) {
    const text = await exchange(site, [request, host, `Cookie: ${cookie}`, ...headers, "", rest]);
    assert(/^HTTP\/1\.1 \d{3}/.test(text), `${headers}: ${text}`);
  }
  assertEquals(site.arrived.filter((request) => request.includes("smuggled")), []);
  assert(site.arrived.length > 5, `${site.arrived}`);
});

await testProxies("sends no header that the client has written", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const cookie = await site.enter("alice");
  const line = "%0d%0aX-Injected:%20yes";
  const paths = [
    `/${line}`,
    `/auth${line}`,
    `/auth/${line}`,
    `/auth/?next=/${line}`,
    `/auth?next=${line}`,
    `/a?${line}`,
  ];
  for (const path of paths.flatMap((path) => [path, path.replaceAll("%0d", ""), path.replaceAll("%0", "%E5%98%8")])) {
    for (const headers of [[], [`Cookie: ${cookie}`]]) {
      const reply = await site.client.navigate(path, headers);
      assertEquals([reply.headers.has("x-injected"), reply.otherHost], [false, undefined], path);
    }
  }
});

await testProxies("gives guard and app the host of the site that was selected, whatever Host says", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const cookie = await site.enter("alice");
  const request = `GET https://localhost:${site.caddy.port}/x HTTP/1.1`;
  // Of an app for several hosts, another one may be for a group only.
  const text = await exchange(site, [request, "Host: staff.example", `Cookie: ${cookie}`, "", ""]);
  const [, headers = "{}"] = /"headers":(\{.*?\})/.exec(text) ?? [];
  const { host = "", "x-forwarded-host": forwarded } = JSON.parse(headers);
  assertEquals([host.replace(/:\d+$/, ""), forwarded], ["localhost", host], text);
  assertEquals(site.arrived, ["GET /x"]);
});

/** Everything that the site sends on one connection. A second of silence ends it. */
async function exchange({ caddy }: Guarded, lines: readonly string[]): Promise<string> {
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: caddy.port });
  using connection = await Deno.startTls(plain, { hostname: "localhost", caCerts: [caddy.rootCertificate] });
  await connection.write(new TextEncoder().encode(lines.join("\r\n")));
  const buffer = new Uint8Array(16 * 1024);
  let text = "";
  const signal = AbortSignal.timeout(700);
  const silence = new Promise<null>((resolve) => signal.addEventListener("abort", () => resolve(null)));
  while (true) {
    const count = await Promise.race([connection.read(buffer).catch(() => null), silence]);
    if (count === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
}
