import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  oneOf,
  parseInstance,
  parseOrigins,
  parseStore,
  quote,
  wholeNumber,
  withoutSecret,
} from "../../../lib/config/parsers.ts";

Deno.test("quote() keeps a value on one line, and only the scheme of a URL", () => {
  const rows: readonly (readonly [text: string, shown: string])[] = [
    ["data", '"data"'],
    ["a\nb", '"a\\nb"'],
    ["postgres://user:pass@host/db", '"postgres://…"'],
    ["postgres+tls://user:pass\nword@host", '"postgres+tls://…"'],
    ["a folder://x", '"a folder://x"'],
  ];
  for (const [text, shown] of rows) assertEquals(quote(text), shown);
});

Deno.test("wholeNumber() accepts both limits and nothing beyond", () => {
  assertEquals(["2", "3", "4", "04"].map(wholeNumber(2, 4)), [2, 3, 4, 4]);
  for (const text of ["1", "5", "99999999999999999999", "3.0", "3 ", "1e0", ""]) {
    assertThrows(() => wholeNumber(2, 4)(text), RangeError, "from 2 to 4");
  }
});

Deno.test("oneOf() accepts each word exactly", () => {
  assertEquals(["on", "off"].map(oneOf("on", "off")), ["on", "off"]);
  for (const text of ["On", "on ", "o", "toString", ""]) {
    const error = assertThrows(() => oneOf("on", "off")(text), RangeError);
    assertStringIncludes(error.message, "use on or off");
  }
});

Deno.test("parseInstance() accepts 1 to 40 letters, digits and . _ -, and nothing else", () => {
  assertEquals(["", "auth-1.example_A", "a".repeat(40)].map(parseInstance), [
    undefined,
    "auth-1.example_A",
    "a".repeat(40),
  ]);
  for (const text of ["a".repeat(41), 'a"b', "a b", "a\n", "ä"]) {
    assertThrows(() => parseInstance(text), RangeError, "use 1 to 40 of");
  }
});

Deno.test("withoutSecret() keeps only the scheme of a URL, and any other text", () => {
  const rows: readonly (readonly [text: string, shown: string])[] = [
    ["postgres://gatehouse:hunter2@db/gatehouse", "postgres://…"],
    ["POSTGRES+x://:a\nb@db", "POSTGRES+x://…"],
    ["postgres://", "postgres://"],
    [`"postgres://a:b@c/d"`, `"postgres://…`],
    ["' postgres://a:b@c/d", "' postgres://…"],
    ["GATEHOUSE_STORE=postgres://a:b@c/d", "GATEHOUSE_STORE=postgres://…"],
    ["export GATEHOUSE_STORE='postgres://a:b@c/d'", "export GATEHOUSE_STORE='postgres://…"],
    ["data", "data"],
    ["unix:/run/gatehouse.sock", "unix:/run/gatehouse.sock"],
    ["my data://x", "my data://x"],
    ["https://app.example.org,http://[::1]:5173", "https://app.example.org,http://[::1]:5173"],
    ["https://alice:hunter2@app.example.org", "https://…"],
    ["https://app.example.org, https://app.example.org/?token=hunter2", "https://…"],
    ["", ""],
  ];
  for (const [text, shown] of rows) assertEquals(withoutSecret(text), shown);
});

Deno.test("parseStore() returns the path of a folder unchanged", () => {
  for (const folder of ["data", "/var/lib/gatehouse", "my data", "./~", "a~", "a$b", "it's", "данные", "-x"]) {
    assertEquals(parseStore(folder), { folder });
  }
});

Deno.test("parseStore() rejects what a shell would expand, control characters and other URLs", () => {
  const rows = [
    ["~", '"~" is not expanded here: write the full path'],
    ["~/gatehouse", '"~" is not expanded here: write the full path'],
    ["~gatehouse/data", '"~" is not expanded here: write the full path'],
    ["$HOME/data", '"$" is not expanded here: write the full path'],
    ["${HOME}/data", '"$" is not expanded here: write the full path'],
    ["da\tta", "use a path without control characters"],
    ["da\nta", "use a path without control characters"],
    ["file:///var/lib/gatehouse", "use the path of a folder, or postgres://"],
    ["GATEHOUSE_STORE=postgres://a:b@c/d", "use the path of a folder, or postgres://"],
    [" postgres://a:b@c/d", "use the path of a folder, or postgres://"],
  ] as const;
  for (const [text, reason] of rows) assertThrows(() => parseStore(text), RangeError, reason);
});

Deno.test("parseOrigins() returns origins as browsers send them", () => {
  const texts = ["https://app.example.org", "https://app.example.org:8443", "https://xn--e1afmkfd.example"];
  const local = ["http://localhost:5173", "http://app.localhost", "http://127.0.0.1", "http://[::1]:3000"];
  assertEquals(parseOrigins([...texts, ...local].join()), [...texts, ...local]);
  assertEquals(parseOrigins("https://a.example, https://b.example"), ["https://a.example", "https://b.example"]);
  assertEquals(parseOrigins(""), []);
});

Deno.test("parseOrigins() rejects everything else, and says what to write", () => {
  const onlyOrigin = "an origin is only scheme, host and port: write https://app.example.org";
  const scheme = "an origin must begin with https://, or with http:// if its host is localhost";
  const rows = [
    ["*", "entry 1: use an origin, such as https://app.example.org"],
    ["null", "entry 1: use an origin"],
    ["app.example.org", "entry 1: use an origin"],
    ["https://*.example.org", "use an origin"],
    ["https://app.example.org,", "entry 2: use an origin"],
    ["https://app.example.org,*", "entry 2: use an origin"],
    ["https://app.example.org/", onlyOrigin],
    ["https://app.example.org/app", onlyOrigin],
    ["https://app.example.org?a", onlyOrigin],
    ["https://app.example.org#a", onlyOrigin],
    ["https://APP.example.org", onlyOrigin],
    ["https://app.example.org:443", onlyOrigin],
    ["https://alice:hunter2@app.example.org", onlyOrigin],
    ["https://app.example.org https://b.example", "use an origin"],
    ["https://пример.example", "write https://xn--e1afmkfd.example"],
    ["http://app.example.org", scheme],
    ["http://localhost.example.org", scheme],
    ["http://10.0.0.1", scheme],
    ["localhost:5173", scheme],
    ["file:///srv/app", scheme],
    ["chrome-extension://abc", scheme],
  ] as const;
  for (const [text, reason] of rows) {
    const { message } = assertThrows(() => parseOrigins(text), RangeError, reason);
    assertEquals(message.includes("hunter2"), false);
  }
});
