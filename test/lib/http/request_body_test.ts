import { assert, assertEquals, assertFalse, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { HttpError, jsonResponse, problemResponse } from "../../../lib/http/http_error.ts";
import { maxBodyBytes, maxBodyMs, readJson, type ReadOptions } from "../../../lib/http/request_body.ts";
import { query } from "../../../lib/http/schema.ts";
import { watchSignal } from "../../support/listeners.ts";

const json = { "content-type": "application/json" };
const encoder = new TextEncoder();

function post(body: BodyInit | null, headers: Readonly<Record<string, string>> = json): Request {
  return new Request("http://localhost/", { method: "POST", headers, body });
}

/** A body that arrives in these chunks. */
function streamOf(...chunks: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(chunks);
}

/** The error that reading a request ends in. */
function refusalOf(request: Request, options?: ReadOptions): Promise<HttpError> {
  return assertRejects(() => readJson(request, options), HttpError);
}

/** JSON of exactly so many bytes: a text in quotes. */
function jsonOf(byteCount: number): Uint8Array<ArrayBuffer> {
  return encoder.encode(`"${"x".repeat(byteCount - 2)}"`);
}

const queries: readonly (readonly [url: string, parameters: Readonly<Record<string, string>>])[] = [
  ["http://a/", {}],
  ["http://a/?", {}],
  ["http://a/?limit=5", { limit: "5" }],
  ["http://a/?prefix=%C3%A9+b&limit=5", { prefix: "é b", limit: "5" }],
  ["http://a/?limit=", { limit: "" }],
  ["http://a/?limit", {}],
  ["http://a/?limit=%zz", { limit: "%zz" }],
  ["http://a/?limit=1=2?3", { limit: "1=2?3" }],
  ["http://a/?&&limit=5&&", { limit: "5" }],
  // The first counts.
  ["http://a/?limit=1&limit=2", { limit: "1" }],
  ["http://a/?xlimit=1&limitx=2&a?limit=3&x=limit=4", {}],
  ["http://a/#?limit=1", {}],
  ["http://a/?prefix=a#&limit=1", { prefix: "a" }],
  ["http://a/?after=1", {}],
  // An address that `URL` refuses.
  ["http://[/?limit=5", { limit: "5" }],
  [`http://a/?${"a&".repeat(30_000)}limit=5`, { limit: "5" }],
];

const asSent = { schema: {}, parse: (value: unknown) => value };
const limitAndPrefix = query({ limit: asSent, prefix: asSent });

for (const [url, parameters] of queries) {
  Deno.test(`query() reads the declared parameters, and nothing like them: ${url.slice(0, 60)}`, () => {
    const request = Object.defineProperty(new Request("http://a/"), "url", { value: url });
    assertEquals(limitAndPrefix.parse(request), { limit: undefined, prefix: undefined, ...parameters });
  });
}

Deno.test("readJson() reads what JSON is", async () => {
  const rows: readonly (readonly [body: string, value: unknown])[] = [
    ['{"login":"alice","n":[1,null,true]}', { login: "alice", n: [1, null, true] }],
    ['"text"', "text"],
    ["null", null],
    ["-0.5e3", -500],
    [" \t\r\n[] \n", []],
    ['"\\u00e9\\ud83d\\ude00"', "é😀"],
    ['"é😀"', "é😀"],
    // RFC 8259, 8.1 lets a parser ignore the byte order mark.
    ["\ufeff1", 1],
    // Of duplicate keys the last counts.
    ['{"login":"alice","login":"bob"}', { login: "bob" }],
  ];
  for (const [body, value] of rows) assertEquals(await readJson(post(body)), value, body);
});

Deno.test("readJson() refuses what is not JSON, without repeating it", async () => {
  const secret = "hunter2";
  const bodies = [
    ...[
      " ",
      "{",
      "}",
      '{"a":1',
      '{"a":1,}',
      "[1,]",
      "{'a':1}",
      "{a:1}",
      '"a',
      "nul",
      "NaN",
      "01",
      "+1",
      "1 2",
    ],
    ...['"\n"', '"\\x41"', '"\\ud83"', "\0", "{}\0", "// c\n{}", "undefined", "login=alice&password=hunter2"],
    ...[`{"password":${secret}}`, `{"password":"${secret}"`, `"${secret}`],
  ];
  for (const body of bodies) {
    const error = await refusalOf(post(body));
    assertEquals([error.code, error.detail, error.cause], [
      "malformed-json",
      "The body is not JSON",
      undefined,
    ], body);
    assertFalse(error.message.includes(secret));
  }
});

Deno.test("readJson() refuses a request without a body", async () => {
  for (const request of [post(null), post(""), new Request("http://localhost/", { headers: json })]) {
    const error = await refusalOf(request);
    assertEquals([error.code, error.detail], ["malformed-json", "The body is missing"]);
  }
});

Deno.test("readJson() takes names that every object knows for names of fields, and changes no prototype", async () => {
  const value = await readJson(post('{"__proto__":{"isAdmin":true},"constructor":1}'));
  assert(typeof value === "object" && value !== null);
  assertEquals(Object.keys(value), ["__proto__", "constructor"]);
  assertStrictEquals(Object.getPrototypeOf(value), Object.prototype);
  assertFalse("isAdmin" in value);
  assertFalse("isAdmin" in {});
});

Deno.test("readJson() reads nesting as deep as a body can be", async () => {
  const depth = maxBodyBytes / 2;
  let value = await readJson(post("[".repeat(depth) + "]".repeat(depth)));
  let levels = 0;
  for (; Array.isArray(value); value = value[0]) levels++;
  assertEquals(levels, depth);
  assertEquals((await refusalOf(post("[".repeat(maxBodyBytes)))).code, "malformed-json");
});

const types: readonly (readonly [contentType: string, isTaken: boolean])[] = [
  ["application/json", true],
  ["application/json; charset=utf-8", true],
  ["application/json;charset=UTF-8", true],
  ['Application/JSON ; charset = "utf-8" ', true],
  ["application/json;charset=utf8", true],
  ["application/json; charset=UTF8", true],
  ['application/json; charset="UTF-8"', true],
  ["application/json;", true],
  ["application/json ; ", true],
  ["application/json; charset=utf-8;", true],
  ["application/json;;\tcharset=utf-8 ; ", true],
  [`application/json${"; ".repeat(92)}`, true],
  // Quoted pairs (RFC 9110, 5.6.4) are for whoever needs them.
  ['application/json; charset="utf\\-8"', false],
  ['application/json; charset="utf-8', false],
  ["application/json; charset='utf-8'", false],
  ["application/json; charset=", false],
  ["application/json; charset=utf-8; charset=utf-16", false],
  ["application/json; profile=a", false],
  ["application/json; charset=utf-8; profile=a", false],
  ["application/json charset=utf-8", false],
  ["application/json, charset=utf-8", false],
  ["application /json", false],
  [";application/json", false],
  [`application/json${"; ".repeat(1_000)}`, false],
  ["", false],
  ["text/plain", false],
  ["text/plain; application/json", false],
  ["application/x-www-form-urlencoded", false],
  ["multipart/form-data; boundary=application/json", false],
  ["application/jsonp", false],
  ["application/json-seq", false],
  ["application/problem+json", false],
  ["text/json", false],
  ["x-application/json", false],
  ["application/json, text/plain", false],
  ["application/json; charset=iso-8859-1", false],
  ["application/json; charset=utf-16", false],
  ["application/json; charset", false],
];

Deno.test("readJson() takes the content type JSON in UTF-8, and no other", async () => {
  for (const [contentType, isTaken] of types) {
    const request = post("{}", { "content-type": contentType });
    if (isTaken) {
      assertEquals(await readJson(request), {}, contentType);
    } else {
      const error = await refusalOf(request);
      assertEquals([error.code, error.headers], ["not-json", { accept: "application/json" }], contentType);
    }
  }
});

Deno.test("readJson() refuses a body without a content type", async () => {
  const request = post(encoder.encode("{}"), {});
  assertEquals(request.headers.get("content-type"), null);
  assertEquals((await refusalOf(request)).code, "not-json");
});

Deno.test("readJson() refuses a coded body, and says that no coding is understood", async () => {
  for (const coding of ["gzip", "br", "identity"]) {
    const error = await refusalOf(post("{}", { ...json, "content-encoding": coding }));
    assertEquals([error.code, error.headers], ["not-json", { "accept-encoding": "identity" }]);
  }
});

Deno.test("readJson() refuses what is not UTF-8", async () => {
  const rows: readonly (readonly number[])[] = [
    [0xff],
    [0x80],
    [0xc3],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xf0, 0x9f, 0x98],
  ];
  for (const bytes of rows) {
    const error = await refusalOf(post(new Uint8Array([0x22, ...bytes, 0x22])));
    assertEquals([error.code, error.detail], ["malformed-json", "The body is not UTF-8"]);
    assertInstanceOf(error.cause, TypeError);
  }
  // JSON in UTF-16, which some parsers take.
  assertEquals(
    (await refusalOf(post(new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0])))).code,
    "malformed-json",
  );
});

Deno.test("readJson() puts chunks together, wherever they are cut", async () => {
  const bytes = encoder.encode('{"a":"é😀"}');
  assertEquals(await readJson(post(streamOf(...Array.from(bytes, (byte) => Uint8Array.of(byte))))), {
    a: "é😀",
  });
  for (let cut = 0; cut <= bytes.length; cut++) {
    assertEquals(await readJson(post(streamOf(bytes.slice(0, cut), bytes.slice(cut)))), { a: "é😀" });
  }
});

Deno.test("readJson() has the limits of the contract", () => {
  assertEquals([maxBodyBytes, maxBodyMs], [16_384, 10_000]);
});

const sizes: readonly (readonly [byteCount: number, isTaken: boolean])[] = [
  [maxBodyBytes - 1, true],
  [maxBodyBytes, true],
  [maxBodyBytes + 1, false],
  [1_048_576, false],
];
for (const [byteCount, isTaken] of sizes) {
  Deno.test(`readJson() ${isTaken ? "takes" : "refuses"} a body of ${byteCount} bytes, whatever its headers`, async () => {
    const body = jsonOf(byteCount);
    const chunks = Array.from(
      { length: Math.ceil(byteCount / 1_000) },
      (_, index) => body.slice(index * 1_000, (index + 1) * 1_000),
    );
    const declared = ["", String(byteCount), "5", "-1", "0", "abc"];
    for (const length of declared) {
      const headers = length === "" ? json : { ...json, "content-length": length };
      for (const request of [post(streamOf(body), headers), post(streamOf(...chunks), headers)]) {
        if (isTaken) assertEquals(await readJson(request), "x".repeat(byteCount - 2));
        else assertEquals((await refusalOf(request)).code, "body-too-large");
      }
    }
  });
}

Deno.test("readJson() believes a content length that is too long, and reads nothing then", async () => {
  for (const length of [String(maxBodyBytes + 1), "1e9", "99999999999999999999"]) {
    const request = post(streamOf(encoder.encode("{}")), { ...json, "content-length": length });
    assertEquals((await refusalOf(request)).code, "body-too-large");
    assertEquals([request.bodyUsed, await request.text()], [false, "{}"]);
  }
});

Deno.test("readJson() stops reading at the limit, gives the rest up, and has the connection closed", async () => {
  let pulledBytes = 0;
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      controller.enqueue(new Uint8Array(1_024));
      pulledBytes += 1_024;
    },
    cancel: () => resolve(),
  });
  const error = await refusalOf(post(endless));
  assertEquals([error.code, error.headers], ["body-too-large", { connection: "close" }]);
  await cancelled;
  // One chunk more than fits, and what the stream itself holds ready.
  assert(pulledBytes <= maxBodyBytes + 4 * 1_024, `${pulledBytes}`);
});

Deno.test("readJson() takes a body in 256 chunks, and in no more", async () => {
  const inChunks = (count: number) =>
    streamOf(...Array.from(`"${"x".repeat(count - 2)}"`, (one) => encoder.encode(one)));
  assertEquals(await readJson(post(inChunks(256))), "x".repeat(254));
  const error = await refusalOf(post(inChunks(257)));
  assertEquals([error.code, error.headers], ["body-too-large", { connection: "close" }]);
});

Deno.test("readJson() takes the limits that it is given", async () => {
  assertEquals(await readJson(post(streamOf(jsonOf(10))), { maxBytes: 10 }), "x".repeat(8));
  assertEquals((await refusalOf(post(streamOf(jsonOf(11))), { maxBytes: 10 })).code, "body-too-large");
  const long = post(streamOf(jsonOf(11)), { ...json, "content-length": "11" });
  assertEquals((await refusalOf(long, { maxBytes: 10 })).code, "body-too-large");
});

Deno.test("readJson() gives up a body that does not come, and has the connection closed", async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => resolve() });
  const error = await refusalOf(post(silent), { timeoutMs: 1 });
  assertEquals([error.code, error.headers], ["slow-body", { connection: "close" }]);
  await cancelled;
});

Deno.test("readJson() gives up a body that drips for longer than it may, though something always comes", async () => {
  const { promise: given, resolve: giveUp } = Promise.withResolvers<void>();
  let drops = 0;
  async function* drip() {
    try {
      for (;; drops++) {
        await delay(1);
        yield encoder.encode(" ");
      }
    } finally {
      giveUp();
    }
  }
  assertEquals((await refusalOf(post(ReadableStream.from(drip())), { timeoutMs: 20 })).code, "slow-body");
  await given;
  assert(drops > 0 && drops < maxBodyBytes);
});

Deno.test("readJson() does not wait for a client that does not take back what it sends", async () => {
  const stubborn = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => new Promise(() => {}) });
  assertEquals((await refusalOf(post(stubborn), { timeoutMs: 1 })).code, "slow-body");
  const rude = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => Promise.reject(new Error("no")) });
  assertEquals((await refusalOf(post(rude), { timeoutMs: 1 })).code, "slow-body");
});

Deno.test("readJson() waits 10 s, and leaves no timer behind", async () => {
  const { setTimeout, clearTimeout } = globalThis;
  const open = new Map<unknown, number | undefined>();
  const waits: (number | undefined)[] = [];
  const stubs = {
    setTimeout: (work: () => void, ms?: number) => {
      const timer = setTimeout(work, ms);
      open.set(timer, ms);
      waits.push(ms);
      return timer;
    },
    clearTimeout: (timer?: ReturnType<typeof setTimeout>) => {
      clearTimeout(timer);
      open.delete(timer);
    },
  };
  Object.assign(globalThis, stubs);
  try {
    await readJson(post("{}"));
    await refusalOf(post(streamOf(jsonOf(maxBodyBytes + 1))));
    await refusalOf(post(ReadableStream.from(failing())));
    assertEquals([waits, open.size], [[maxBodyMs, maxBodyMs, maxBodyMs], 0]);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});

async function* failing(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield encoder.encode('{"login":"al');
  await Promise.resolve();
  throw new Deno.errors.ConnectionReset("gone");
}

Deno.test("readJson() takes a body that is broken off for the client's fault", async () => {
  const error = await refusalOf(post(ReadableStream.from(failing())));
  assertEquals([error.code, error.detail], ["malformed-json", "The body is incomplete"]);
  assertInstanceOf(error.cause, Deno.errors.ConnectionReset);
});

Deno.test("readJson() takes a body that is broken off by the service's own end for nobody's fault", async () => {
  const stopping = new AbortController();
  const fault = async () => (await refusalOf(post(ReadableStream.from(failing())), { stopping: stopping.signal })).code;
  assertEquals(await fault(), "malformed-json");
  stopping.abort("SIGTERM");
  assertEquals(await fault(), "not-ready");
});

Deno.test("readJson() waits for no body when the service is about to stop, or does so meanwhile", async () => {
  for (const isEarly of [true, false]) {
    const stopping = new AbortController();
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => resolve() });
    if (isEarly) stopping.abort();
    const refused = refusalOf(post(silent), { stopping: stopping.signal });
    stopping.abort();
    assertEquals((await refused).code, "not-ready");
    await cancelled;
  }
  // What has come already is not refused.
  assertEquals(await readJson(post("{}"), { stopping: AbortSignal.abort() }), {});
});

Deno.test("readJson() leaves no listener on a signal that outlives the request, however the body ends", async () => {
  const stopping = watchSignal();
  const bodies: (() => Request)[] = [
    () => post("{}"),
    () => post(streamOf(jsonOf(maxBodyBytes + 1))),
    () => post(ReadableStream.from(failing())),
    () => post(new ReadableStream<Uint8Array<ArrayBuffer>>()),
    () => post("{"),
  ];
  for (let round = 0; round < 20; round++) {
    for (const body of bodies) {
      await readJson(body(), { stopping: stopping.signal, timeoutMs: 1 }).catch((error) =>
        assertInstanceOf(error, HttpError)
      );
    }
  }
  assertEquals([stopping.addedCount, stopping.openCount], [100, 0]);
});

Deno.test("HttpError has the status and title of its problem, and what happened in this case", () => {
  const plain = new HttpError("login-taken");
  assertEquals([plain.name, plain.code, plain.status, plain.message], [
    "HttpError",
    "login-taken",
    409,
    "Login taken",
  ]);
  assertEquals([plain.detail, plain.errors, plain.headers, plain.cause], [
    undefined,
    undefined,
    {},
    undefined,
  ]);
  const cause = new RangeError("inner");
  const headers = { "retry-after": "1" };
  const errors = [{ pointer: "/login", code: "too-short", detail: "Must have at least 1 character." }];
  const full = new HttpError("invalid-user", { detail: "In this case", errors, headers, cause });
  assertEquals([full.status, full.message, full.detail], [422, "In this case", "In this case"]);
  assertEquals([full.errors, full.headers, full.cause], [errors, headers, cause]);
});

Deno.test("jsonResponse() replies JSON that nobody stores", async () => {
  const reply = jsonResponse({ login: "älice" });
  assertEquals([reply.status, Object.fromEntries(reply.headers)], [200, {
    "cache-control": "no-store",
    "content-type": "application/json",
  }]);
  assertEquals(await reply.text(), '{"login":"älice"}');
});

Deno.test("jsonResponse() takes a status and headers, which go before its own", () => {
  const reply = jsonResponse(1, {
    status: 201,
    headers: { location: "/user/alice", "cache-control": "private" },
  });
  assertEquals([reply.status, Object.fromEntries(reply.headers)], [201, {
    "cache-control": "private",
    "content-type": "application/json",
    "location": "/user/alice",
  }]);
});

Deno.test("problemResponse() replies as RFC 9457 has it", async () => {
  const errors = [{
    pointer: "/password",
    code: "too-short",
    detail: "Must have at least 15 characters. It has 1.",
  }];
  const headers = { "retry-after": "7" };
  const reply = problemResponse(new HttpError("invalid-user", { detail: "Two fields", errors, headers }));
  assertEquals([reply.status, Object.fromEntries(reply.headers)], [422, {
    "cache-control": "no-store",
    "content-type": "application/problem+json",
    "retry-after": "7",
  }]);
  assertEquals(await reply.json(), {
    type: "/problem/invalid-user",
    title: "Invalid user",
    status: 422,
    detail: "Two fields",
    errors,
  });
});

Deno.test("problemResponse() leaves out what there is nothing of, and never tells a cause", async () => {
  const reply = problemResponse(new HttpError("internal-error", { cause: new Error("secret") }));
  assertEquals(await reply.json(), { type: "/problem/internal-error", title: "Internal error", status: 500 });
});
