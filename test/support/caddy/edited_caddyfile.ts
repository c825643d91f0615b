/** One of the project's Caddyfiles with other texts in it, such as times that a test does not wait for. */
import { assert } from "@std/assert";

export type Edit = readonly [from: string, to: string];

/** @throws {AssertionError} the Caddyfile lacks a text */
export async function editCaddyfile(
  name: string,
  edits: readonly Edit[],
): Promise<AsyncDisposable & { readonly path: string }> {
  let text = await Deno.readTextFile(new URL(`../../../caddy/${name}`, import.meta.url));
  for (const [from, to] of edits) {
    assert(text.includes(from), `${name} lacks ${from}`);
    text = text.replaceAll(from, () => to);
  }
  const path = await Deno.makeTempFile({ prefix: "gatehouse-", suffix: ".Caddyfile" });
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
