import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { oneOf, quote, readSetting, type Setting, wholeNumber, withoutSecret } from "../../../lib/config/setting.ts";

const count: Setting<number> = {
  name: "COUNT",
  default: "3",
  meaning: "",
  parse: wholeNumber({ least: 2, most: 4 }),
};

Deno.test("readSetting() reads the text, the default when there is none, and notes a fault", () => {
  const rows: readonly (readonly [env: Record<string, string>, value: number, fault: string | undefined])[] = [
    [{ COUNT: "4" }, 4, undefined],
    [{}, 3, undefined],
    [{ COUNT: "5" }, 3, 'COUNT cannot be "5": use a whole number from 2 to 4, in digits'],
    [{ COUNT: "" }, 3, 'COUNT cannot be "": unset it to get its default'],
  ];
  for (const [env, value, fault] of rows) {
    const faults: string[] = [];
    assertEquals(readSetting(count, { env, faults }), value);
    assertEquals(faults, fault === undefined ? [] : [fault]);
  }
});

Deno.test("readSetting() refuses quotes and white space around a value, which a file of settings has kept", () => {
  for (const text of ['"4"', "'4'", '4"', "'4", " 4", "4 ", "4\r", "4\n", "\ufeff4"]) {
    const faults: string[] = [];
    readSetting(count, { env: { COUNT: text }, faults });
    assertEquals(faults.length, 1);
    assertStringIncludes(faults[0] ?? "", ": leave out the quotes or white space around it; not every file");
  }
});

Deno.test("readSetting() lets a bug in a parser through", () => {
  const broken: Setting<number> = {
    ...count,
    parse: () => {
      throw new TypeError("bug");
    },
  };
  assertThrows(() => readSetting(broken, { env: { COUNT: "1" }, faults: [] }), TypeError, "bug");
});

Deno.test("quote() keeps a value on one line, and of a URL only the scheme", () => {
  const rows: readonly (readonly [text: string, shown: string])[] = [
    ["data", '"data"'],
    ["a\nb", '"a\\nb"'],
    ["postgres://user:pass@host/db", '"postgres://…"'],
    ["postgres+tls://user:pass\nword@host", '"postgres+tls://…"'],
    ["a folder://x", '"a folder://x"'],
  ];
  for (const [text, shown] of rows) assertEquals(quote(text), shown);
});

Deno.test("wholeNumber() takes both limits and nothing beyond", () => {
  assertEquals(["2", "3", "4", "04"].map(wholeNumber({ least: 2, most: 4 })), [2, 3, 4, 4]);
  for (const text of ["1", "5", "99999999999999999999", "3.0", "3 ", "1e0", ""]) {
    assertThrows(() => wholeNumber({ least: 2, most: 4 })(text), RangeError, "from 2 to 4");
  }
});

Deno.test("oneOf() takes each word as it is written", () => {
  assertEquals(["on", "off"].map(oneOf("on", "off")), ["on", "off"]);
  for (const text of ["On", "on ", "o", "toString", ""]) {
    const error = assertThrows(() => oneOf("on", "off")(text), RangeError);
    assertStringIncludes(error.message, "use on or off");
  }
});

Deno.test("withoutSecret() keeps of a URL the scheme, and anything else as it is", () => {
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
