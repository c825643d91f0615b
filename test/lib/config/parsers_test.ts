import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { oneOf, parseStore, quote, wholeNumber, withoutSecret } from "../../../lib/config/parsers.ts";

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
  assertEquals(["2", "3", "4", "04"].map(wholeNumber({ least: 2, most: 4 })), [2, 3, 4, 4]);
  for (const text of ["1", "5", "99999999999999999999", "3.0", "3 ", "1e0", ""]) {
    assertThrows(() => wholeNumber({ least: 2, most: 4 })(text), RangeError, "from 2 to 4");
  }
});

Deno.test("oneOf() accepts each word exactly", () => {
  assertEquals(["on", "off"].map(oneOf("on", "off")), ["on", "off"]);
  for (const text of ["On", "on ", "o", "toString", ""]) {
    const error = assertThrows(() => oneOf("on", "off")(text), RangeError);
    assertStringIncludes(error.message, "use on or off");
  }
});

Deno.test("withoutSecret() keeps only the scheme of a URL, and any other text", () => {
  const rows: readonly (readonly [text: string, shown: string])[] = [
    ["postgres://gatehouse:hunter2@db/gatehouse", "postgres://…"],
    ["POSTGRES+x://:a\nb@db", "POSTGRES+x://…"],
    ["postgres://", "postgres://"],
    [`"postgres://a:b@c/d"`, `"postgres://…`],
    ["' postgres://a:b@c/d", "' postgres://…"],
    ["data", "data"],
    ["unix:/run/gatehouse.sock", "unix:/run/gatehouse.sock"],
    ["my data://x", "my data://x"],
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
  ] as const;
  for (const [text, reason] of rows) assertThrows(() => parseStore(text), RangeError, reason);
});
