import { assert, assertEquals } from "@std/assert";
import { ifMatch, ifNoneMatch, maxFieldLength } from "../../../lib/http/entity_tag.ts";

const etag = '"20-abc"';

/** A field, and whether it lists the tag for If-Match, which compares strong tags only, and for If-None-Match. */
const rows: readonly (readonly [field: string, isStrong: boolean, isWeak: boolean])[] = [
  [etag, true, true],
  ["*", true, true],
  [" * ", true, true],
  [`W/${etag}`, false, true],
  [`W/${etag}, ${etag}`, true, true],
  [`"x", ${etag}`, true, true],
  [`"x",${etag}`, true, true],
  [`"x"\t ,, \t${etag} , `, true, true],
  [` ,${etag},`, true, true],
  [`"a,b", ${etag}`, true, true],
  [`"", ${etag}`, true, true],
  [`"\u00e9", ${etag}`, true, true],
  ['"x"', false, false],
  ["", false, false],
  [" ", false, false],
  [",", false, false],
  ["**", false, false],
  ["*, *", false, false],
  [`"x", *`, false, false],
  ["20-abc", false, false],
  ['"20-abc', false, false],
  ['20-abc"', false, false],
  ['"20-ABC"', false, false],
  [`w/${etag}`, false, false],
  [`W/ ${etag}`, false, false],
  [`"x"${etag}`, false, false],
  [`"x";${etag}`, false, false],
  [`x, ${etag}`, false, false],
  [`"a b", ${etag}`, false, false],
  [`"x, ${etag}"`, false, false],
  ['"x\\", "20-abc"', true, true],
  // The longest that is read, and one character more.
  [" ".repeat(maxFieldLength - etag.length) + etag, true, true],
  [" ".repeat(maxFieldLength - etag.length + 1) + etag, false, false],
  ["*".padEnd(maxFieldLength + 1), false, false],
];

Deno.test("ifMatch() and ifNoneMatch() find a tag in a list as RFC 9110 has it, and in nothing else", () => {
  for (const [field, isStrong, isWeak] of rows) {
    assertEquals([ifMatch(field, etag), !ifNoneMatch(field, etag)], [isStrong, isWeak], field.slice(0, 100));
  }
});

Deno.test("ifNoneMatch() lets a request without the field go on", () => {
  assert(ifNoneMatch(null, etag));
});
