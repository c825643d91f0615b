/** What `readJson()` accepts: JSON in UTF-8, its content type and its coding. */
import { assert, assertEquals, assertFalse, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { maxBodyBytes, readJson } from "../../../lib/http/request_body.ts";
import { json, post, refusalOf, streamOf } from "../../support/json_body.ts";

const encoder = new TextEncoder();

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
