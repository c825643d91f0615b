/** What `readJson()` accepts: JSON in UTF-8, its content type and its coding. */
import { assert, assertEquals, assertFalse, assertStrictEquals } from "@std/assert";
import { HttpError, problemResponse } from "../../../lib/http/http_error.ts";
import { maxBodyBytes, readJson } from "../../../lib/http/request_body.ts";
import { query } from "../../../lib/http/schema.ts";
import { asSent, encoder, json, post, refusalOf, streamOf } from "../../support/json_body.ts";

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

Deno.test("readJson() puts chunks together, wherever they are cut", async () => {
  const bytes = encoder.encode('{"a":"é😀"}');
  assertEquals(await readJson(post(streamOf(...Array.from(bytes, (byte) => Uint8Array.of(byte))))), {
    a: "é😀",
  });
  for (let cut = 0; cut <= bytes.length; cut++) {
    assertEquals(await readJson(post(streamOf(bytes.slice(0, cut), bytes.slice(cut)))), { a: "é😀" });
  }
});

Deno.test("readJson() does not wait for a client that does not take back what it sends", async () => {
  const stubborn = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => new Promise(() => {}) });
  assertEquals((await refusalOf(post(stubborn), { timeoutMs: 1 })).code, "slow-body");
  const rude = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => Promise.reject(new Error("no")) });
  assertEquals((await refusalOf(post(rude), { timeoutMs: 1 })).code, "slow-body");
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
