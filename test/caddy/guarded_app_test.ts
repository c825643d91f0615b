/** An app behind `caddy/guarded.Caddyfile` in a real Caddy: what it is told, what is kept from it, and what it may do. */
import { assertEquals, assertMatch } from "@std/assert";
import { startGuarded } from "../guarded.ts";
import { ensureProgram } from "../packages.ts";
import { serveUpstream } from "../upstream.ts";

const ignore = !await ensureProgram("caddy", "caddy");

test("guarded.Caddyfile tells the app who asks, and lets nobody else tell it", async () => {
  await using site = await startGuarded();
  const cookie = await site.enter("alice");
  const names = ["Remote-User", "remote-groups", "Remote-Email", "Remote_User", "REMOTE_GROUPS", "Remote.Id", "Remote"];
  const forwarded = ["For", "User", "Uri", "Method", "Groups"].flatMap((name) => [
    `X-Forwarded-${name}`,
    `X_Forwarded_${name}`,
  ]);
  const forged = [...names, ...forwarded, "Forwarded"].map((name) => `${name}: forged`);
  const headers = await site.headersAtApp([`Cookie: ${cookie}`, ...forged]);
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

test("guarded.Caddyfile keeps session and password from the app, and no other cookie", async () => {
  await using site = await startGuarded();
  const cookie = await site.enter("alice");
  const device = "__Host-gatehouse-device=x";
  const rows = [
    [cookie, undefined],
    [`${cookie}; a=1`, "a=1"],
    [`a=1; ${cookie}; b=2`, "a=1; b=2"],
    [`a=1;${cookie}`, "a=1"],
    [`${device}; ${cookie}; a=__Host-gatehouse=1`, "a=__Host-gatehouse=1"],
  ];
  for (const [sent, arrived] of rows) {
    assertEquals((await site.headersAtApp([`Cookie: ${sent}`]))["cookie"], arrived, sent);
  }
  const token = cookie.slice(cookie.indexOf("=") + 1);
  const password = btoa("alice:mellow-otter-41-lantern");
  for (const authorization of [`Bearer ${token}`, `Basic ${password}`]) {
    const headers = await site.headersAtApp([`Authorization: ${authorization}`]);
    assertEquals([headers["remote-user"], headers["authorization"]], ["alice", undefined]);
  }
  assertEquals(await site.statusOf("/", { headers: { authorization: `Basic ${btoa("alice:wrong")}` } }), 401);
});

test("guarded.Caddyfile does not stand in an app's way", async () => {
  await using site = await startGuarded();
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

  // Further requests over it would pass the guard by.
  const upgrade = [
    "Connection: close, Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
  ];
  const headers = await site.headersAtApp([`Cookie: ${cookie}`, ...upgrade]);
  assertEquals([headers["upgrade"], headers["connection"]], [undefined, undefined]);
});

test("guarded.Caddyfile sets headers, and leaves the app its own", async () => {
  const identity = { "remote-user": "alice", "remote-id": "1", "remote-groups": "users" };
  await using upstream = serveUpstream(async (request) => {
    const own = request.url.endsWith("/own") ? { "cache-control": "max-age=60" } : {};
    const text = "text ".repeat(1_000) + await request.text();
    return new Response(text, { headers: { "content-type": "text/plain", server: "app", ...identity, ...own } });
  });
  await using site = await startGuarded({ env: { UPSTREAM: upstream.address, APP: upstream.address } });
  const names = ["server", "cache-control", "x-frame-options", "vary", "strict-transport-security"];
  const rows = [
    ["/", null, "private, no-cache", null, "Accept-Encoding", null],
    ["/own", null, "max-age=60", null, "Accept-Encoding", null],
    ["/auth/", null, null, "DENY", "Accept-Encoding", null],
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

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}
