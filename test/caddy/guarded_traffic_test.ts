/** Uploads, ranges and methods through a real Caddy and nginx: as without the guard, and refused without being read. */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { startGuarded, testProxies } from "../support/caddy/guarded.ts";
import { serveUpstream } from "../support/upstream.ts";

const chunk = new Uint8Array(64 * 1024);
const chunkCount = 1_600;

/** A body of 100 MB. @param onPull is called with the number of bytes requested so far */
function longBody(onPull: (length: number) => void = () => {}): ReadableStream<Uint8Array<ArrayBuffer>> {
  let count = 0;
  return new ReadableStream({
    pull(controller) {
      if (count++ === chunkCount) return controller.close();
      onPull(count * chunk.length);
      controller.enqueue(chunk);
    },
  });
}

await testProxies("passes 100 MB on to an app", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const cookie = await site.enter("alice");
  const response = await site.ask("/upload?a=b", { method: "PUT", headers: { cookie }, body: longBody() });
  const { method, length, headers } = await response.json();
  assertEquals([method, length, headers["remote-user"]], ["PUT", chunkCount * chunk.length, "alice"]);
  assertEquals(site.arrived, ["PUT /upload?a=b"]);
});

await testProxies("refuses 100 MB without reading them", async (proxy) => {
  await using site = await startGuarded({ proxy });
  let sentBytes = 0;
  const body = longBody((length) => sentBytes = length);
  const response = await site.ask("/upload", { method: "POST", body });
  assertEquals([response.status, (await response.json()).type], [401, "/problem/not-authenticated"]);
  assertLess(sentBytes, 16 * 1024 * 1024);
  assertEquals(site.arrived, []);
});

/** The beginnings of bodies of HTTP/1.1 that do not end. */
const beginnings = [
  "Content-Length: 104857600\r\n\r\nx",
  `Transfer-Encoding: chunked\r\n\r\n800\r\n${"x".repeat(2_048)}\r\n`,
];

// Caddy reads 256 kB first.
await testProxies("refuses a body of HTTP/1.1 before its end", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const { port, rootCertificate } = site.caddy;
  for (const beginning of beginnings) {
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    using connection = await Deno.startTls(plain, { hostname: "localhost", caCerts: [rootCertificate] });
    const head = `POST /upload HTTP/1.1\r\nHost: localhost:${port}\r\n${beginning}`;
    await connection.write(new TextEncoder().encode(head));
    const buffer = new Uint8Array(16 * 1024);
    const text = new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
    assertMatch(text, /^HTTP\/1\.1 401 /, beginning.slice(0, 20));
  }
  assertEquals(site.arrived, []);
}, { proxies: ["nginx"] });

await testProxies("passes ranges, HEAD and OPTIONS on", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const cookie = await site.enter("alice");
  const headers = [`Cookie: ${cookie}`, "Range: bytes=2-5", "If-Range: x"];
  const arrived = await site.headersAtApp(headers);
  assertEquals([arrived["range"], arrived["if-range"]], ["bytes=2-5", "x"]);
  const methods = ["HEAD", "OPTIONS", "DELETE", "PROPFIND", "BREW"];
  for (const method of methods) {
    assertEquals((await site.client.send(`${method} /x?y=%2F`, { headers })).status, 200, method);
  }
  assertEquals(site.arrived.slice(1), methods.map((method) => `${method} /x?y=%2F`));
});

await testProxies("serves ranges and HEAD of a folder", async (proxy) => {
  const folder = new URL("../../routes/page/", import.meta.url).pathname;
  await using site = await startGuarded({ proxy, folder });
  const cookie = await site.enter("alice");
  const range = await site.ask("/index.html", { headers: { cookie, range: "bytes=2-8" } });
  assertEquals([range.status, await range.text()], [206, "DOCTYPE"]);
  const head = await site.ask("/index.html", { method: "HEAD", headers: { cookie } });
  assertEquals([head.status, head.headers.get("cache-control")], [200, "private, no-cache"]);
  assertMatch(head.headers.get("content-type") ?? "", /^text\/html/);
  const missing = await site.ask("/nowhere", { headers: { cookie } });
  await missing.body?.cancel();
  assertEquals(missing.status, 404);
  assertEquals(await site.statusOf("/", { headers: { cookie } }), 200);
});

// It gets no body. On a connection that is used again, it would take the next request for one.
await testProxies("announces no body to the guard", async (proxy) => {
  const lengths: unknown[] = [];
  await using service = serveUpstream(({ url, headers }) => {
    if (new URL(url).pathname.startsWith("/guard/")) lengths.push(headers.get("content-length"));
    const refusal = headers.has("gatehouse-subrequest") ? 403 : 401;
    const identity = { "remote-user": "alice", "remote-id": "1", "remote-groups": "users" };
    return new Response(null, { status: headers.has("cookie") ? 200 : refusal, headers: identity });
  });
  await using site = await startGuarded({ proxy, env: { UPSTREAM: service.address } });
  const post = { method: "POST", body: "abc" };
  const statuses = [
    await site.statusOf("/x", { ...post, headers: { cookie: "a=1" } }),
    await site.statusOf("/x", post),
  ];
  assertEquals([statuses, site.arrived], [[200, 401], ["POST /x"]]);
  // nginx asks for the refusal once more.
  assertEquals(lengths, proxy === "caddy" ? [null, null] : [null, null, null]);
});

// For nginx the refusal of the guard is a 403 as well.
await testProxies("shows that a folder without an index is forbidden", async (proxy) => {
  const folder = new URL("../../caddy/", import.meta.url).pathname;
  await using site = await startGuarded({ proxy, folder });
  const cookie = await site.enter("alice");
  const forbidden = await site.ask("/", { headers: { cookie } });
  assertEquals(forbidden.status, 403);
  assertEquals(await forbidden.json(), { type: "about:blank", title: "Forbidden", status: 403 });
  assertEquals(await site.statusOf("/"), 401);
}, { proxies: ["nginx"] });

await testProxies("refuses workers where caddy/README.md does", async (proxy) => {
  const readme = await Deno.readTextFile("caddy/README.md");
  const [, refusal = ""] = /^```nginx\n(if \(\$http_service_worker.*?)^```$/ms.exec(readme) ?? [];
  assertMatch(refusal, /exit-worker/);
  const include = "\tinclude snippets/gatehouse.conf;\n";
  await using site = await startGuarded({ proxy, edits: [[include, include + refusal]] });
  const cookie = await site.enter("alice");
  const script = await site.ask("/worker.js", { headers: { cookie, "service-worker": "script" } });
  assertEquals([script.status, script.headers.get("content-type")], [200, "text/javascript; charset=utf-8"]);
  assertMatch(await script.text(), /registration\.unregister/);
  assertEquals(await site.statusOf("/worker.js", { headers: { cookie } }), 200);
  assertEquals(site.arrived, ["GET /worker.js"]);
}, { proxies: ["nginx"] });

await testProxies(
  "leads to the login page, also where files have a location and an instance is away",
  async (proxy) => {
    const files = "location ~* \\.(js|css|svg)$ {\n\t\tproxy_pass http://127.0.0.1:3000;\n\t}\n";
    const server = "server 127.0.0.1:8000;";
    await using site = await startGuarded({
      proxy,
      edits: [["location /staff {", `${files}\tlocation /staff {`], [
        server,
        `server 127.0.0.1:1 max_fails=0;\n${server}`,
      ]],
    });
    const headers = { "sec-fetch-mode": "navigate" };
    for (let count = 0; count < 2; count++) assertEquals(await site.statusOf("/notes.js", { headers }), 302);
    assertEquals(await site.statusOf("/auth/page/main.js"), 200);
    assertEquals(site.arrived, []);
  },
  { proxies: ["nginx"] },
);
