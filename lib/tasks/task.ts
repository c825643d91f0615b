/** What the command lines share: the paths and folders they are given. */

import { resolve } from "node:path";
import type { StoreLocation } from "../config/parsers.ts";

/**
 * The folder of the store, for tasks that read its files.
 *
 * @throws {TypeError} the store is a database
 */
export function folderOf({ store }: { readonly store: StoreLocation }): string {
  if ("folder" in store) return store.folder;
  throw new TypeError("Cannot read files as the store is a PostgreSQL database: use its own tools, such as pg_dump");
}

/**
 * An absolute path of an argument. `deno task` runs in the project's folder and sets INIT_CWD to the folder where it
 * was called; relative paths start there.
 */
export function pathFromCaller(path: string, env: Readonly<Record<string, string>>): string {
  return resolve(env["INIT_CWD"] ?? "", path);
}
