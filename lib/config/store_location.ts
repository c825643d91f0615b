/** Where users are kept: how the text of a setting becomes a folder or a database. */
import { resolve } from "node:path";
import { isPostgresUrl, parsePostgresUrl, type PostgresAddress } from "./postgres_address.ts";

/** A folder, or a database. */
export type StoreLocation = { readonly folder: string } | PostgresAddress;

/**
 * Parses the path of a folder or the URL of a database.
 *
 * @throws {RangeError} saying what is accepted instead
 */
export function parseStore(text: string): StoreLocation {
  if (isPostgresUrl(text)) return parsePostgresUrl(text);
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) {
    throw new RangeError("users are kept in a folder or in PostgreSQL: use the path of a folder, or postgres://…");
  }
  // A shell would have replaced them; an env file and `Environment=` of systemd do not, and the folder would be `./~`.
  if (/^[~$]/.test(text)) throw new RangeError(`nothing replaces "${text.charAt(0)}" here: write the path out`);
  // deno-lint-ignore no-control-regex -- a line break or a tab is from a file of settings that was misread
  if (/[\0-\x1f\x7f]/.test(text)) throw new RangeError("use a path without control characters");
  return Object.freeze({ folder: text });
}

/**
 * The folder that users are kept in, for commands that know files alone.
 *
 * @throws {TypeError} they are kept in a database
 */
export function folderOf({ store }: { readonly store: StoreLocation }): string {
  if ("folder" in store) return store.folder;
  throw new TypeError("Cannot look into files as users are kept in PostgreSQL: use its own tools, such as pg_dump");
}

/**
 * A path that a task was given, absolute. `deno task` runs in the folder of the project and says in INIT_CWD where it
 * was called: a relative path is meant from there.
 */
export function pathFromCaller(path: string, env: Readonly<Record<string, string>>): string {
  return resolve(env["INIT_CWD"] ?? "", path);
}
