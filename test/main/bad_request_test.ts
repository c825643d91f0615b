/** Bad requests over real sockets: each gets its problem, and the service lives on. */
import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { HeldConnections } from "../support/held_connections.ts";
import { addressOf, rawPost, type RawReply, sendRaw } from "../support/raw_request.ts";
import { type RunningService, startService } from "../support/service.ts";

type Parts = Parameters<typeof sendRaw>[1];

const password = "seven purple wombats sing";
const mebibyte = "a".repeat(1024 * 1024);
const head = "Host: gatehouse.test\r\nContent-Type: application/json\r\n";

const chunkedHead = `POST /user/ HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n`;

function chunked(body: string): string[] {
  const chunks = body.match(/.{1,16384}/gs) ?? [];
  const frames = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  return [chunkedHead, ...frames, "0\r\n\r\n"];
}

function request(method: string, path: string, headers = ""): string {
  return `${method} ${path} HTTP/1.1\r\nHost: gatehouse.test\r\n${headers}\r\n`;
}

function post(body: string, headers: readonly string[] = []): string[] {
  return [rawPost("/user/", body, headers)];
}

const badRequests: [what: string, parts: Parts, status: number, code: string][] = [
  ["malformed JSON", post('{"login":'), 400, "malformed-json"],
  ["a login without quotes", post("{login:1}"), 400, "malformed-json"],
  ["two documents", post("{}{}"), 400, "malformed-json"],
  ["NaN", post('{"login":NaN}'), 400, "malformed-json"],
  ["wrong types", post('{"login":1,"password":true}'), 422, "invalid-user"],
  ["a list", post("[]"), 422, "invalid-user"],
  ["lists for texts", post('{"login":["a"],"password":[]}'), 422, "invalid-user"],
  ["null", post("null"), 422, "invalid-user"],
  ["a number", post("1e999"), 422, "invalid-user"],
  ["lists 10,000 deep, not closed", post("[".repeat(10_000)), 400, "malformed-json"],
  ["lists 8,000 deep", post("[".repeat(8_000) + "]".repeat(8_000)), 422, "invalid-user"],
  ["lists 10,000 deep", post("[".repeat(10_000) + "]".repeat(10_000)), 413, "body-too-large"],
  ["objects 2,700 deep", post('{"a":'.repeat(2_700) + "1" + "}".repeat(2_700)), 422, "invalid-user"],
  ["a login 8,000 deep", post(`{"login":${"[".repeat(8_000)}${"]".repeat(8_000)}}`), 422, "invalid-user"],
  ["1 MiB, announced", post(mebibyte), 413, "body-too-large"],
  ["1 MiB, in chunks", chunked(mebibyte), 413, "body-too-large"],
  ["16 KiB of spaces", post(" ".repeat(16 * 1024)), 400, "malformed-json"],
  ["a byte more", post(" ".repeat(16 * 1024 + 1)), 413, "body-too-large"],
  ["16 KiB in chunks of a byte", [`${chunkedHead}${"1\r\n \r\n".repeat(16 * 1024)}`], 413, "body-too-large"],
  ["1 TiB, announced", [`POST /user/ HTTP/1.1\r\n${head}Content-Length: ${2 ** 40}\r\n\r\n{}`], 413, "body-too-large"],
  ["1 MiB of unknown fields", chunked(`{${'"a":1,'.repeat(150_000)}"b":1}`), 413, "body-too-large"],
  [
    "invalid UTF-8",
    [
      `POST /user/ HTTP/1.1\r\n${head}Content-Length: 5\r\n\r\n`,
      new Uint8Array([0x22, 0xc3, 0x28, 0xff, 0x22]),
    ],
    400,
    "malformed-json",
  ],
  ["half a surrogate pair", post(`{"login":"\\ud800","password":"${password}"}`), 422, "invalid-user"],
  ["NUL in a login", post(`{"login":"ali\\u0000ce","password":"${password}"}`), 422, "invalid-user"],
  ["a raw NUL", post(`{"login":"ali\0ce","password":"${password}"}`), 400, "malformed-json"],
  ["__proto__", post(`{"__proto__":{"login":"eve","password":"${password}"}}`), 422, "invalid-user"],
  ["__proto__ beside a user", post(`{"login":"eve","password":"${password}","__proto__":1}`), 422, "invalid-user"],
  ["__proto__ as a login", post(`{"login":"__proto__","password":"${password}"}`), 422, "invalid-user"],
  ["unknown fields", post(`{"login":"eve","password":"${password}","admin":true}`), 422, "invalid-user"],
  ["no body", [request("POST", "/user/", "Content-Type: application/json\r\n")], 400, "malformed-json"],
  ["a body of 0 bytes", post(""), 400, "malformed-json"],
  [
    "another content type",
    [rawPost("/user/", "login=eve").replace("/json", "/x-www-form-urlencoded")],
    415,
    "not-json",
  ],
  ["another charset", [rawPost("/user/", "{}").replace("/json", "/json; charset=utf-16")], 415, "not-json"],
  ["no content type", [rawPost("/user/", "{}").replace(/Content-Type.*\r\n/, "")], 415, "not-json"],
  ["a content encoding", post("{}", ["Content-Encoding: gzip"]), 415, "not-json"],
  ["an unknown method", [request("FROB", "/user/")], 405, "method-not-allowed"],
  ["a method in small letters", [request("get", "/session/")], 405, "method-not-allowed"],
  ["TRACE", [request("TRACE", "/session/")], 405, "method-not-allowed"],
  ["CONNECT", [request("CONNECT", "gatehouse.test:443")], 405, "method-not-allowed"],
  ["bad percent-encoding", [request("GET", "/user/%zz")], 400, "malformed-path"],
  ["percent-encoding that is no UTF-8", [request("GET", "/problem/%ff")], 400, "malformed-path"],
  ["a path out of the root", [request("GET", "/../../etc/passwd")], 404, "not-found"],
  ["a long path", [request("GET", `/${"a".repeat(8_000)}`)], 404, "not-found"],
  ["a broken cookie", [request("GET", "/session/", "Cookie: =; ;;=x\r\n")], 401, "not-authenticated"],
  ["a broken token", [request("GET", "/session/", "Authorization: Bearer \xff.\xff\r\n")], 401, "not-authenticated"],
  ["a broken address", [request("GET", "/session/", "X-Forwarded-For: \xff, ::zz, \r\n")], 401, "not-authenticated"],
  [
    "a body where none belongs",
    [request("GET", "/session/", "Content-Length: 2\r\n") + "{}"],
    401,
    "not-authenticated",
  ],
];

Deno.test("each bad request gets its problem, and the service lives on", async () => {
  await using service = await startService();
  const address = addressOf(service.url);
  for (const [what, parts, status, code] of badRequests) {
    assertProblem(await sendRaw(address, parts), { what, status, code });
    await assertLives(service);
  }
  assertEquals(service.log().match(/"level":"error"/g), null);
});

Deno.test("bodies that come by the byte keep no more memory than they have bytes", async () => {
  await using service = await startService();
  const residentBytes = async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
  };
  const before = await residentBytes();
  // No more than are taken; and then no end.
  const sent = chunkedHead + "1\r\n \r\n".repeat(250);
  using _held = await HeldConnections.open(() => Deno.connect(addressOf(service.url)), { count: 80, sent });
  await assertLives(service);
  // Nothing tells when they are read.
  await delay(1_000);
  // What Deno reads a chunk into has 64 KiB: kept, they would be 1,280 MB.
  assertLess(await residentBytes() - before, 320_000_000);
});

Deno.test("a redirect keeps a query that was sent as UTF-8, which no header can carry", async () => {
  await using service = await startService();
  for (const [query, expected] of [["é", "%C3%A9"], ["next=/я&b=%D1", "next=/%D1%8F&b=%D1"], ["😀", "%F0%9F%98%80"]]) {
    const { status, head } = await sendRaw(addressOf(service.url), [request("GET", `/session?${query}`)]);
    assertEquals(status, 308, query);
    assertStringIncludes(head, `\r\nlocation: ./session/?${expected?.toLowerCase()}\r\n`);
  }
  assertEquals(service.log().match(/"level":"error"/g), null);
});

Deno.test("hundreds of clients that go away in the middle leave the service as it was", async () => {
  await using service = await startService();
  const sent = rawPost("/user/", `{"login":"alice","password":"${password}"}`);
  await Promise.all(Array.from({ length: 300 }, async (_, index) => {
    const connection = await Deno.connect(addressOf(service.url));
    await connection.write(new TextEncoder().encode(sent.slice(0, index % (sent.length - 1))));
    connection.close();
  }));
  await assertLives(service);
  assertEquals(service.log().match(/"level":"error"/g), null);
});

function assertProblem(reply: RawReply, expected: { what: string; status: number; code: string }): void {
  const { what, status, code } = expected;
  assertEquals(reply.status, status, `${what}: ${reply.head}`);
  assertStringIncludes(reply.head, "\r\ncontent-type: application/problem+json", what);
  assertEquals(JSON.parse(reply.body).type, `/problem/${code}`, what);
}

async function assertLives(service: RunningService): Promise<void> {
  const response = await fetch(`${service.url}/health/ready`);
  assertEquals([response.status, await response.json()], [200, { status: "ready" }]);
}
