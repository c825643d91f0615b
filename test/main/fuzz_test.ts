/**
 * Over real sockets: a share of the requests of test/routes/fuzz_test.ts, and what is no HTTP at all.
 *
 * A failure is printed with its seed and the path to it; to repeat it alone, put both into the options below.
 */
import { assert, assertEquals } from "@std/assert";
// fast-check: see test/support/fuzz/odd.ts.
import fc from "npm:fast-check@4.10.2";
import { openApiDocument } from "../../routes/openapi/document.ts";
import { operations } from "../../routes/mod.ts";
import { Coverage } from "../support/fuzz.ts";
import { oddHeaderText, weighted } from "../support/fuzz/odd.ts";
import { FuzzedService, suspiciousLines } from "../support/fuzz/service.ts";
import { addressOf } from "../support/raw_request.ts";
import { type RunningService, startService } from "../support/service.ts";

const seed = 20_261_122;
const goodLines = [
  ...["GET /health/live HTTP/1.1", "GET /?next=/ HTTP/1.1", "GET /guard/ HTTP/1.1", "GET /user/?limit=1 HTTP/1.1"],
  ...["POST /user/ HTTP/1.1", "POST /session/ HTTP/1.1", "PATCH /user/root HTTP/1.1", "HEAD /docs/ HTTP/1.1"],
];
const oddLines = [
  ...["GET http://[/user/ HTTP/1.1", "GET http://a@b:99999/user/ HTTP/1.1", "GET ftp:/user/ HTTP/1.1"],
  ...["CONNECT gatehouse.test:443 HTTP/1.1", "CONNECT /user/ HTTP/1.1", "TRACE /user/ HTTP/1.1", "OPTIONS * HTTP/1.1"],
  ...["GET /user/ HTTP/1.0", "GET /user/ HTTP/0.9", "GET /user/ HTTP/9.9", "GET /user/", "GET  /user/  HTTP/1.1"],
  ...["GET\t/user/\tHTTP/1.1", "GET /\0 HTTP/1.1", "GET /\xff HTTP/1.1", "GET /a b HTTP/1.1", "/user/ HTTP/1.1", "GET"],
  ...["PRI * HTTP/2.0", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "HTTP/1.1 200 OK", "", " ", ":", "G\0T / HTTP/1.1"],
  ...["get /user/ HTTP/1.1", `GET /${"a".repeat(70_000)} HTTP/1.1`, `${"A".repeat(70_000)} / HTTP/1.1`],
];
/** What Deno makes the address of a request of, and takes almost anything for. */
const hosts = ["[", "a b", "a/user/?", "a:99999", "%", "#", "?", "a@b", "", "\xff", "//", "\\", "gatehouse.test, b"];
const headers = [
  ...hosts.map((host) => `Host: ${host}`),
  ...["Host", "Host :a", " Host: a", "Host: a\r\n b", ": a", "a", "a b: c", "a\0: b", "a: \0", "a: \x01\x7f"],
  ...["\xff: a", "Content-Length: -1", "Content-Length: +2", "Content-Length: 2, 2", "Content-Length: 2, 3"],
  ...[
    "Content-Length: 0x2",
    "Content-Length: 0",
    "Content-Length: 2",
    "Content-Length: 200",
    "Content-Length: 99999999999999999999",
  ],
  ...["Transfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, chunked"],
  ...["Transfer-Encoding: gzip, chunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding : chunked"],
  ...["Expect: 100-continue", "Expect: x", "Connection: close", "Connection: keep-alive, upgrade, content-length"],
  ...["Upgrade: websocket", "Upgrade: h2c", "HTTP2-Settings: AAA", "Content-Type: application/json", "TE: trailers"],
  ...["Accept-Encoding: gzip, br", `a: ${"b".repeat(70_000)}`, "a: b\r\n".repeat(150), "Range: bytes=0-"],
];
/** In chunks, or not, and with another request inside. */
const bodies = [
  ...["", "{}", "2\r\n{}\r\n0\r\n\r\n", "2;a=b\r\n{}\r\n0\r\na: b\r\n\r\n", "2\r\n{}\r\n", "2\n{}\n0\n\n", "-1\r\n"],
  ...["z\r\n", "ffffffffffffffffff\r\n{}", "0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"],
  ...["\xff".repeat(200), "a".repeat(20_000)],
];

/** One message, or what somebody takes for it. */
const message: fc.Arbitrary<string> = fc.record({
  first: weighted([2, fc.constantFrom(...goodLines)], [1, fc.constantFrom(...oddLines)]),
  host: fc.constantFrom("Host: gatehouse.test", "Host: gatehouse.test", "~none~"),
  caller: fc.constantFrom("Authorization: Bearer ~admin~", "Cookie: __Host-gatehouse=~admin~", "~none~"),
  odd: fc.array(weighted([5, fc.constantFrom(...headers)], [1, oddHeaderText.map((text) => `a: ${text}`)]), {
    maxLength: 3,
  }),
  end: weighted([8, fc.constant("\r\n")], [1, fc.constantFrom("\n", "\r", "\r\r\n", "\r\n ")]),
  body: fc.constantFrom(...bodies),
}).map(({ first, host, caller, odd, end, body }) =>
  [first, host, caller, ...odd, "", body].filter((line) => line !== "~none~").join(end)
);

/** Messages on one connection, now and then broken off or with a byte more somewhere. */
const stream: fc.Arbitrary<string> = fc.tuple(
  fc.array(message, { minLength: 1, maxLength: 3 }),
  weighted<{ at: number; byte: string; isCut: boolean }>(
    [3, fc.constant({ at: 1, byte: "", isCut: false })],
    [
      1,
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        byte: fc.constantFrom("", "\0", "\r", "\n", " ", ":", "\x80"),
        isCut: fc.boolean(),
      }),
    ],
  ),
).map(([messages, { at, byte, isCut }]) => {
  const text = messages.join("");
  const index = Math.floor(at * text.length);
  return `${text.slice(0, index)}${byte}${isCut ? "" : text.slice(index)}`;
});

/** Sends all of it, says that it is all, and reads until the connection ends. */
async function converse(url: string, text: string): Promise<string> {
  using connection = await Deno.connect(addressOf(url));
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const writing = (async () => {
    for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
    await connection.closeWrite();
  })().catch(() => {});
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1_024);
  let said = "";
  for (let count = await readSome(connection, buffer); count !== null; count = await readSome(connection, buffer)) {
    said += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  await writing;
  return said;
}

/** @returns `null` at the end of the connection, however it ended */
function readSome(connection: Deno.Conn, buffer: Uint8Array<ArrayBuffer>): Promise<number | null> {
  return connection.read(buffer).catch(() => null);
}

function newCoverage(): Coverage {
  return new Coverage(openApiDocument(operations, { passwordMinLength: 15 }));
}

async function assertLives({ url }: RunningService): Promise<void> {
  const response = await fetch(`${url}/health/ready`);
  assertEquals([response.status, await response.json()], [200, { status: "ready" }]);
}

Deno.test("a thousand concurrent requests over sockets get the documented responses", async () => {
  await using service = await startService({ env: { GATEHOUSE_PBKDF2_ITERATIONS: "1" } });
  const fuzz = await FuzzedService.open(service, { coverage: newCoverage(), seed });
  await fuzz.runUntil(1_000, { maxSequence: 50 });
  await assertLives(service);
  assertEquals(suspiciousLines(service.log()), []);
});

Deno.test("a Host that is none leads to no other path", async () => {
  await using service = await startService({ env: { GATEHOUSE_PBKDF2_ITERATIONS: "1" } });
  for (const host of [...hosts, "a/session/?", "a/problem/not-found#", "a/health/ready?b", "a/guard/#"]) {
    const said = await converse(service.url, `GET /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert(/^HTTP\/1\.1 400 |"status":"live"/.test(said), `Host: ${host}: ${said}`);
  }
});

Deno.test("what is no HTTP gets no failure, and the next good request its answer", async () => {
  await using service = await startService({ env: { GATEHOUSE_PBKDF2_ITERATIONS: "1" } });
  const { token } = await FuzzedService.open(service, { coverage: newCoverage(), seed });
  await fc.assert(
    fc.asyncProperty(stream, async (text) => {
      const said = await converse(service.url, text.replaceAll("~admin~", token));
      const failures = said.matchAll(/HTTP\/1\.[01] (5\d\d)/g).map(([, status]) => Number(status)).toArray();
      assert(failures.every((status) => [503, 507].includes(status)), said);
      await assertLives(service);
    }),
    { seed, numRuns: 3_000, interruptAfterTimeLimit: 60_000 },
  );
  assertEquals(suspiciousLines(service.log()), []);
});
