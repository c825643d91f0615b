/** What a foreign format reads of a file, or of a text that is written to one. */

import type { FieldNames, ForeignFormat, ForeignUser, RefusedRecord } from "../../lib/import/foreign_format.ts";

const noFields: FieldNames = { login: "", password: "", date: "", groups: "", disabled: "", id: "" };

/** @param fields those that the command line sets */
export async function readForeign(
  format: ForeignFormat,
  source: { readonly path: string } | { readonly content: string | Uint8Array<ArrayBuffer> },
  fields: Partial<FieldNames> = {},
): Promise<readonly (ForeignUser | RefusedRecord)[]> {
  const names = { ...noFields, ...format.fields, ...fields };
  if ("path" in source) return await Array.fromAsync(format.read({ path: source.path, fields: names }));
  const path = await Deno.makeTempFile();
  try {
    const { content } = source;
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    return await Array.fromAsync(format.read({ path, fields: names }));
  } finally {
    await Deno.remove(path);
  }
}

/** The path of a file of `test/lib/import/files/`. */
export function foreignFile(name: string): string {
  return new URL(`../lib/import/files/${name}`, import.meta.url).pathname;
}
