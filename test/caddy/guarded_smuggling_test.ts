/** Requests that a proxy and what is behind it could read differently, through a real Caddy and nginx. */
import { assert, assertEquals } from "@std/assert";
import { type Guarded, startGuarded, testProxies } from "../support/caddy/guarded.ts";
import { switchProtocols } from "../support/upstream.ts";

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
    const text = await exchange(site, [request, host, `Cookie: ${cookie}`, ...headers, "", rest].join("\r\n"));
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
  const text = await exchange(site, [request, "Host: staff.example", `Cookie: ${cookie}`, "", ""].join("\r\n"));
  const [, headers = "{}"] = /"headers":(\{.*?\})/.exec(text) ?? [];
  const { host = "", "x-forwarded-host": forwarded } = JSON.parse(headers);
  assertEquals([host.replace(/:\d+$/, ""), forwarded], ["localhost", host], text);
  assertEquals(site.arrived, ["GET /x"]);
});

// A host that it does not serve may be one of another proxy, whose token is not to be good here.
await testProxies("asks the guard for the site that it serves, also for a host that it does not", async (proxy) => {
  const settings = { GATEHOUSE_HOME: "https://login.example.org", GATEHOUSE_SITES: "https://localhost" };
  await using site = await startGuarded({ proxy, settings });
  const send = (path: string, value: unknown) => {
    const headers = { "content-type": "application/json" };
    return fetch(site.service.url + path, { method: "POST", headers, body: JSON.stringify(value) });
  };
  const alice = { login: "alice", password: "mellow-otter-41-lantern" };
  await (await send("/user/", alice)).body?.cancel();
  const { token } = await (await send("/session/", alice)).json();
  for (const lines of ["GET /x HTTP/1.1\r\nHost: login.example.org", "GET /x HTTP/1.0"]) {
    await exchange(site, `${lines}\r\nCookie: __Host-gatehouse=${token}\r\n\r\n`);
  }
  assertEquals(site.arrived, []);
  await exchange(site, `GET /y HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  assertEquals(site.arrived, ["GET /y"]);
});

// RFC 9113, 8.2.2: HTTP/2 has no upgrades, and nginx would read the frames of the client as what follows one.
await testProxies("upgrades no connection of HTTP/2", async (proxy) => {
  await using willing = switchProtocols();
  await using site = await startGuarded({ proxy, env: { APP: willing.address } });
  const cookie = await site.enter("alice");
  const fields = { ":method": "GET", ":scheme": "https", ":path": "/", ":authority": `localhost:${site.caddy.port}` };
  await exchange(site, http2Request({ ...fields, cookie, connection: "upgrade", upgrade: "websocket" }), ["h2"]);
  const heads = willing.heads.map((head) => /^upgrade: .*/im.exec(head)?.[0]);
  // Caddy refuses the request.
  assertEquals(heads, proxy === "caddy" ? [] : [undefined]);
});

/** The bytes of a connection with one request, without indexes or compression (RFC 9113, RFC 7541). */
function http2Request(fields: Readonly<Record<string, string>>): string {
  const text = (value: string) => String.fromCharCode(value.length) + value;
  const block = Object.entries(fields).map(([name, value]) => `\0${text(name)}${text(value)}`).join("");
  const frame = (type: number, flags: number, payload: string) => {
    const { length } = payload;
    const stream = type === 1 ? 1 : 0;
    return String.fromCharCode(0, length >> 8, length & 255, type, flags, 0, 0, 0, stream) + payload;
  };
  return `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${frame(4, 0, "")}${frame(1, 5, block)}`;
}

/** Everything that the site sends on one connection. A second of silence ends it. */
async function exchange({ caddy }: Guarded, sent: string, alpnProtocols: string[] = []): Promise<string> {
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: caddy.port });
  using connection = await Deno.startTls(plain, {
    hostname: "localhost",
    caCerts: [caddy.rootCertificate],
    alpnProtocols,
  });
  await connection.write(Uint8Array.from(sent, (character) => character.charCodeAt(0)));
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
