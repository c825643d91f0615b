import { assert, assertEquals, assertFalse } from "@std/assert";
import { copyHeaderText, copyText } from "../../../lib/http/kept_text.ts";

/** The value of a header as the runtime hands it on when a client sends `text` in UTF-8. */
function asSent(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

Deno.test("copyText() returns the same text", () => {
  for (const text of ["", "2001:db8::7", "é", "имя", "🦡 badger"]) assertEquals(copyText(text), text);
});

const values: [what: string, value: string, text: string][] = [
  ["ASCII", "curl/8.14.1", "curl/8.14.1"],
  ["nothing", "", ""],
  ["UTF-8 of two bytes", asSent("Браузер"), "Браузер"],
  ["UTF-8 of four bytes", asSent("🦡/1.0"), "🦡/1.0"],
  ["Latin-1 that is no UTF-8", "caf\xe9/1.0", "café/1.0"],
  ["UTF-8 that breaks off", asSent("Ж").slice(0, 1), "Ð"],
  ["an overlong form", "\xc0\xaf", "À¯"],
  ["a surrogate in three bytes", "\xed\xa0\x80", "í\xa0"],
  ["control characters", "a\x01b\tc\x7fd", "abcd"],
  ["controls of C1 in Latin-1", "a\x9bm\xff", "amÿ"],
  ["controls of C1 in UTF-8", asSent("a\x9bmя"), "amя"],
  ["a change of direction", asSent("a\u202eb\u2066c"), "abc"],
];

for (const [what, value, text] of values) {
  Deno.test(`copyHeaderText() takes ${what} for what it is`, () => assertEquals(copyHeaderText(value, 256), text));
}

Deno.test("copyHeaderText() returns no more than the limit, whatever a character takes", () => {
  for (const character of ["x", "é", "Ж", "€", "🦡"]) {
    for (const limit of [1, 2, 7, 256]) {
      for (const prefix of ["", "a", "ab", "abc"]) {
        const text = prefix + character.repeat(limit * 4);
        const copy = copyHeaderText(asSent(text), limit);
        assert(text.startsWith(copy) && copy.isWellFormed(), copy);
        assert(copy.length <= limit && copy.length > limit - character.length, `${copy.length} of ${limit}`);
      }
    }
  }
});

Deno.test("copyHeaderText() takes no time for a long value", () => {
  const value = asSent("Ж\u202e").repeat(12_000);
  const startedAt = performance.now();
  for (let round = 0; round < 100; round++) assertEquals(copyHeaderText(value, 256).length, 154);
  assertFalse(performance.now() - startedAt > 500, "5 ms each");
});
