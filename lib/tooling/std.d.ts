/**
 * The types of what Gatehouse uses of Deno's standard library.
 *
 * `deno.json` takes `@std/…` from the npm package `deno-std`, the library's own code built to JavaScript,
 * which ships no types: without this file everything imported from it would be `any`. A reader who prefers
 * JSR changes the import map, drops this file and its line in `compilerOptions.types`, and nothing else: a
 * signature here takes and promises no more than the one on JSR. `test/lib/tooling/std_test.ts` is its test.
 */

declare module "@std/text/levenshtein-distance" {
  export function levenshteinDistance(str1: string, str2: string): number;
}

declare module "@std/ulid" {
  /** @param seedTime milliseconds since the epoch, now by default */
  export function ulid(seedTime?: number): string;
  /** Like `ulid`, and greater than the one before, within this process. */
  export function monotonicUlid(seedTime?: number): string;
  /** Milliseconds since the epoch. @throws {Error} when it is no ULID */
  export function decodeTime(ulid: string): number;
}

declare module "@std/yaml/parse" {
  /** @throws {SyntaxError} it is not one document of YAML; the message quotes it */
  export function parse(content: string, options?: { schema?: "core" | "default" | "failsafe" | "json" }): unknown;
}
