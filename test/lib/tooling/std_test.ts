/**
 * Compares `lib/tooling/std.d.ts` and `test/support/std.d.ts` with the package that they describe. What they declare
 * exists (the first two tests), behaves as declared where Gatehouse relies on it (the third), and rejects wrong use:
 * a `@ts-expect-error` below fails `deno check` as unused once the line under it is legal, as it would be with `any`.
 */
import * as stdAssert from "@std/assert";
import * as stdLevenshteinDistance from "@std/text/levenshtein-distance";
import * as stdUlid from "@std/ulid";
import * as stdYamlParse from "@std/yaml/parse";

const { assertEquals, assertRejects, assertThrows } = stdAssert;

const packages: Readonly<Record<string, object>> = {
  "@std/assert": stdAssert,
  "@std/text/levenshtein-distance": stdLevenshteinDistance,
  "@std/ulid": stdUlid,
  "@std/yaml/parse": stdYamlParse,
};

Deno.test("std.d.ts declares only what the package has, for every @std import of deno.json", async () => {
  const root = new URL("../../../", import.meta.url);
  const files = ["test/support/std.d.ts", "lib/tooling/std.d.ts"];
  const declarations = (await Promise.all(files.map((path) => Deno.readTextFile(new URL(path, root))))).join("\n");
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const modules = declarations.split(/^declare module /m).slice(1);

  const declared = modules.map((text) => text.slice(1, text.indexOf('"', 1)));
  assertEquals(declared, Object.keys(imports).filter((name) => name.startsWith("@std/")));
  assertEquals(declared, Object.keys(packages));
  for (const [index, text] of modules.entries()) {
    const names = Array.from(
      text.matchAll(/^ {2}export (?:function|const|class) (\w+)/gm),
      (match) => match[1],
    );
    const exported = Object.keys(Object.values(packages)[index] ?? {});
    assertEquals(names.filter((name) => name === undefined || !exported.includes(name)), [], declared[index]);
  }
});

// Not only `deno check`, which reads every file: also the run of one test file has to find the types.
Deno.test("deno.json names every file of types, so that `deno test FILE` passes the type check", async () => {
  const root = new URL("../../../", import.meta.url);
  const { compilerOptions } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const { stdout } = await new Deno.Command("git", { args: ["ls-files", "*.d.ts"], cwd: root }).output();
  const files = new TextDecoder().decode(stdout).trim().split("\n").map((path) => `./${path}`);
  assertEquals(compilerOptions.types.toSorted(), files.toSorted());
});

Deno.test("std.d.ts says what the package returns and throws", () => {
  assertEquals(stdUlid.decodeTime(stdUlid.ulid(150_000)), 150_000);
  assertEquals(stdUlid.monotonicUlid() < stdUlid.monotonicUlid(), true);
  assertThrows(() => stdUlid.decodeTime("no ULID"), Error);
  assertEquals(stdLevenshteinDistance.levenshteinDistance("hepl", "help"), 2);
  assertEquals(stdYamlParse.parse("1e3: no", { schema: "failsafe" }), { "1e3": "no" });
  assertThrows(() => stdYamlParse.parse("["), SyntaxError);
});

/** Never called: `deno check` reads it. */
export async function wrongUse(): Promise<void> {
  // @ts-expect-error: the types of both sides must agree
  assertEquals(1, "1");
  // @ts-expect-error: the error is the class that was asked for
  const thrown: AggregateError = assertThrows(() => {}, RangeError);
  // @ts-expect-error: without a class, nothing is known of what was thrown
  thrown.message = assertThrows(() => {});
  // @ts-expect-error: a function that returns no promise cannot reject
  await assertRejects(() => 1);
  // @ts-expect-error: an object is no class
  stdAssert.assertInstanceOf(thrown, {});
  // @ts-expect-error: only a string is matched
  stdAssert.assertMatch(5, /5/);
  // @ts-expect-error: two texts to compare
  stdLevenshteinDistance.levenshteinDistance("a", ["a"]);
  // @ts-expect-error: a time is a number
  stdUlid.ulid(new Date());
  // @ts-expect-error: nothing is known of what was parsed
  stdYamlParse.parse("a: 1").a;
}

/** Never called: what holds after an assertion, as `deno check` must see it. */
export function narrowing(value: string | Error | undefined): string {
  stdAssert.assertExists(value);
  value satisfies string | Error;
  if (typeof value === "string") return value;
  stdAssert.assertInstanceOf(value, TypeError);
  const found: string | undefined = assertThrows(() => {}, stdAssert.AssertionError).stack;
  stdAssert.assert(found);
  return value.message + found;
}
