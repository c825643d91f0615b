/** An app behind a real Caddy or nginx, as `caddy/` configures them: which headers reach it, and what it may do. */
import { Buffer } from "node:buffer";
import { connect } from "node:http2";
import { assertEquals, assertMatch } from "@std/assert";
import { trustedNames, trustedNameSpellings } from "../support/caddy/forged_headers.ts";
import { type Guarded, startGuarded, testProxies } from "../support/caddy/guarded.ts";
import { serveUpstream, switchProtocols } from "../support/upstream.ts";

const settings = "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA";

await testProxies("tells the app who asks, and lets nobody else tell it", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const cookie = await site.enter("alice");
  // Not all at once: a request to Deno has at most 100 headers.
  for (const spell of trustedNameSpellings) {
    const forged = trustedNames.map((name) => `${spell(name)}: forged`);
    const headers = await site.headersAtApp([`Cookie: ${cookie}`, ...forged]);
    assertEquals(Object.entries(headers).filter(([, value]) => value === "forged"), []);
  }
  const headers = await site.headersAtApp([`Cookie: ${cookie}`, "Remote-User: root", "X-Forwarded-For: 203.0.113.77"]);
  const told = Object.entries(headers).filter(([name]) => /^(x.)?(remote|forwarded)/.test(name));
  const [, id = ""] = told.find(([name]) => name === "remote-id") ?? [];
  assertMatch(id, /^[0-9A-Z]{26}$/);
  assertEquals(Object.fromEntries(told), {
    "remote-user": "alice",
    "remote-id": id,
    "remote-groups": "users",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": `localhost:${site.caddy.port}`,
    "x-forwarded-proto": "https",
  });
  const dropping = await site.headersAtApp([`Cookie: ${cookie}`, "Connection: close, Remote-User, remote-id"]);
  assertEquals([dropping["remote-user"], dropping["remote-id"]], ["alice", id]);
  assertEquals(await site.statusOf("/", { headers: { "Remote-User": "admin", "Remote-Id": id } }), 401);
});

await testProxies("keeps session and password from the app, and no other cookie", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const cookie = await site.enter("alice");
  const device = "__Host-gatehouse-device=x";
  const rows: readonly (readonly [lines: readonly string[], arrived: string | undefined])[] = [
    [[cookie], undefined],
    [[`${cookie}; a=1`], "a=1"],
    [[`a=1; ${cookie}; b=2`], "a=1; b=2"],
    [[`a=1;${cookie}`], "a=1"],
    [[`${device}; ${cookie}; a=__Host-gatehouse=1`], "a=__Host-gatehouse=1"],
    [[`a=1,2;b="x y"; ${cookie};${device}; a=3; c={env.HOME}$1`], 'a=1,2;b="x y"; a=3; c={env.HOME}$1'],
    [[cookie, "a=1"], "a=1"],
    [["a=1", cookie], "a=1"],
    [["a=1", cookie, "b=2"], "a=1; b=2"],
    [[cookie, device], undefined],
    [["", cookie, ";"], undefined],
    [["", "a=1;", " ;; ", `${device};${cookie}; b=2`, "", "a=3"], "a=1; b=2; a=3"],
    [[cookie, `a=${";".repeat(7_000)}x`], "a=;x"],
    // A host beside this one can set it, but not `__Host-b`.
    [[",__Host-b=1", cookie, ",__Host-b=2; ,c"], ",__Host-b=1; ,__Host-b=2; ,c"],
  ];
  for (const [lines, arrived] of rows) {
    const headers = lines.map((line) => `Cookie: ${line}`);
    const expected = proxy === "caddy" ? arrived : crumbsOf(arrived);
    const seen = ({ cookie }: Record<string, string | undefined>) => proxy === "caddy" ? cookie : crumbsOf(cookie);
    assertEquals(seen(await site.headersAtApp(headers)), expected, `${lines}`);
    const crumbs = lines.flatMap((line) => line.split("; ")).filter((crumb) => !/^[; ]*$/.test(crumb));
    assertEquals(seen(await overHttp2(site, crumbs)), expected, `${crumbs}`);
  }
  const token = cookie.slice(cookie.indexOf("=") + 1);
  const password = btoa("alice:mellow-otter-41-lantern");
  for (const authorization of [`Bearer ${token}`, `Basic ${password}`]) {
    const headers = await site.headersAtApp([`Authorization: ${authorization}`]);
    assertEquals([headers["remote-user"], headers["authorization"]], ["alice", undefined]);
  }
  assertEquals(await site.statusOf("/", { headers: { authorization: `Basic ${btoa("alice:wrong")}` } }), 401);
});

await testProxies("does not stand in an app's way", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const cookie = await site.enter("alice");
  const large = 4 * 1024 * 1024;
  const body = new Blob(["x".repeat(large)]).stream();
  const uploaded = await site.ask("/upload?group=none", { method: "PUT", headers: { cookie }, body });
  assertEquals((await uploaded.json()).length, large);
  assertEquals(await site.statusOf("/", { method: "HEAD", headers: { cookie } }), 200);
  assertEquals(site.arrived, ["PUT /upload?group=none", "HEAD /"]);
  const url = `${site.caddy.url.replace("https:", "wss:")}/socket`;
  const socket = new WebSocket(url, { headers: { cookie }, client: site.caddy.client });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.onopen = () => socket.send("hello");
  socket.onmessage = ({ data }) => resolve(data);
  socket.onerror = reject;
  assertEquals(await promise, "alice: hello");
  socket.close();
  const own = [
    "X-Auth-Token",
    "X-User-Id",
    "X-CSRF-Token",
    "X-HTTP-Method-Override",
    "Sec-WebSocket-Protocol",
    "Origin",
  ];
  const headers = await site.headersAtApp([`Cookie: ${cookie}`, ...own.map((name) => `${name}: own`)]);
  assertEquals(own.map((name) => headers[name.toLowerCase()]), own.map(() => "own"));
});

await testProxies("lets a connection become a websocket, and nothing else", async (proxy) => {
  // It would switch to any protocol, as an app that speaks h2c does: further requests would pass the guard by.
  await using willing = switchProtocols();
  await using site = await startGuarded({ proxy, env: { APP: willing.address } });
  const cookie = await site.enter("alice");
  const websocket = "connection: upgrade, upgrade: websocket";
  const rows: readonly (readonly [sent: readonly string[], arrived: string, arrivedByNginx?: string])[] = [
    [["Connection: Upgrade", "Upgrade: websocket"], websocket],
    [["Connection: keep-alive, upgrade", "Upgrade: WebSocket"], websocket],
    [["Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket"], websocket, ""],
    [["Connection: Upgrade, Remote-User", "Connection: remote-id", "Upgrade: websocket"], websocket],
    [[], ""],
    [["Connection: Upgrade"], ""],
    [["Upgrade: websocket"], ""],
    [["Upgrade: h2c"], ""],
    [["Connection: Remote-User, remote-id", "Connection: X-Forwarded-For"], ""],
    ...["", "h2c", "H2C", "hh2c2c", "h2c, websocket", "websocket, h2c", "websocketh2c", "TLS/1.2", "h2", "HTTP/2.0"]
      .map(
        (value) => [["Connection: Upgrade, HTTP2-Settings", `Upgrade: ${value}`, settings], ""] as const,
      ),
    [["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "Upgrade: hh2c2c", settings], ""],
    [["Connection: Upgrade", "Connection: HTTP2-Settings", "Upgrade: h2c", settings], ""],
  ];
  for (const [sent, byCaddy, byNginx = byCaddy] of rows) {
    const headers = [`Cookie: ${cookie}`, "Connection: close", ...sent];
    const expected = proxy === "caddy" ? byCaddy : byNginx;
    const { status } = await site.client.get("/", proxy === "caddy" ? headers : asOneConnection(headers));
    const lines = willing.heads.splice(0).flatMap((head) => head.toLowerCase().split("\r\n"));
    const arrived = lines.filter((line) => /^(connection|upgrade|http2-settings):/.test(line)).join(", ");
    assertEquals([arrived, status], [expected, expected === "" ? 200 : 101], `${sent}`);
    for (const name of ["remote-user: alice", "remote-id: ", "x-forwarded-for: "]) {
      assertEquals(lines.filter((line) => line.startsWith(name)).length, 1, `${sent}: ${name}`);
    }
  }
});

await testProxies("sets headers, and leaves the app its own", async (proxy) => {
  const identity = { "remote-user": "alice", "remote-id": "1", "remote-groups": "users" };
  await using upstream = serveUpstream(async (request) => {
    const own = request.url.endsWith("/own") ? { "cache-control": "max-age=60" } : {};
    const text = "text ".repeat(1_000) + await request.text();
    return new Response(text, { headers: { "content-type": "text/plain", server: "app", ...identity, ...own } });
  });
  await using site = await startGuarded({ proxy, env: { UPSTREAM: upstream.address, APP: upstream.address } });
  const names = ["server", "cache-control", "x-frame-options", "vary", "strict-transport-security"];
  const [server, vary] = proxy === "caddy" ? [null, "Accept-Encoding"] : ["nginx", null];
  const rows = [
    ["/", server, "private, no-cache", null, vary, null],
    ["/own", server, "max-age=60", null, vary, null],
    ["/auth/", server, null, "DENY", vary, null],
  ];
  for (const [path, ...expected] of rows) {
    const { headers, body } = await site.ask(`${path}`);
    assertEquals(names.map((name) => headers.get(name)), expected, `${path}`);
    await body?.cancel();
  }
  const body = "x".repeat(64 * 1024 + 1);
  const limited = await site.ask("/auth/user/", { method: "POST", body });
  assertEquals([limited.status, limited.headers.get("x-content-type-options")], [413, "nosniff"]);
  assertEquals(await limited.json(), { type: "about:blank", title: "Body too large", status: 413 });
});

/** What arrives at the app of a request over HTTP/2 with each of these as a field of its own (RFC 9113, 8.2.3). */
async function overHttp2({ caddy }: Guarded, cookie: string[]): Promise<Record<string, string | undefined>> {
  const session = connect(caddy.url, { ca: caddy.rootCertificate });
  try {
    const stream = session.request({ ":path": "/", cookie });
    const chunks = await Array.fromAsync(stream);
    return JSON.parse(Buffer.concat(chunks).toString()).headers;
  } finally {
    session.close();
  }
}

/** The cookies of a header, which proxies separate differently. */
function crumbsOf(header: string | undefined): string[] {
  return (header ?? "").split(";").map((crumb) => crumb.trim()).filter((crumb) => crumb !== "");
}

/** Several lines of Connection as one, because nginx reads the first only. */
function asOneConnection(lines: readonly string[]): string[] {
  const values = lines.filter((line) => line.startsWith("Connection:")).map((line) =>
    line.slice("Connection: ".length)
  );
  return [`Connection: ${values.join(", ")}`, ...lines.filter((line) => !line.startsWith("Connection:"))];
}
