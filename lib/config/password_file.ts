/**
 * The password of a database from the file that PGPASSFILE names, in the format of libpq ("The Password File" in the
 * documentation of PostgreSQL):
 *
 *     HOST:PORT:DATABASE:USER:PASSWORD        "*" stands for any value, and a backslash escapes ":" and "\"
 *
 * The first line that fits counts. It is used if the address has no password. Unlike libpq, the service reads no file
 * unless PGPASSFILE is set, because it has no access to a home folder.
 */

import { named, type StoreLocation } from "./parsers.ts";
import type { PostgresAddress } from "./postgres_address.ts";
import type { Environment } from "./settings.ts";
import { readSmallText } from "./small_file.ts";

/** The environment variable with the path of the file. */
export const passwordFileVariable = "PGPASSFILE";

/** Of PostgreSQL, and of Debian. */
const defaultSocketFolders = /^\/tmp$|^(\/var)?\/run\/postgresql$/;

const field = String.raw`((?:\\.|[^:\\])*):`;
const linePattern = new RegExp(`^${field.repeat(4)}(.*)$`);

/** The path of the file with the password of a store; `undefined` if it needs no password. */
export function passwordFileOf(store: StoreLocation, env: Environment): string | undefined {
  const needsPassword = "password" in store && store.password === "";
  return needsPassword ? env[passwordFileVariable] : undefined;
}

/**
 * Adds the password of the file to the address of a database without one. It is no error if no line fits: the server
 * may need no password.
 *
 * @throws {RangeError} the file cannot be used; nothing of its text
 */
export function addPassword(store: StoreLocation, env: Environment): StoreLocation {
  const path = passwordFileOf(store, env);
  if (path === undefined || "folder" in store) return store;
  const subject = `${passwordFileVariable} cannot be ${JSON.stringify(path)}`;
  return named(subject, () => Object.freeze({ ...store, password: passwordIn(readPrivateText(path), store) }));
}

/** As libpq, which ignores a file that others can read. */
function readPrivateText(path: string): string {
  const text = readSmallText(path);
  const { mode } = Deno.statSync(path);
  if (mode !== null && (mode & 0o077) !== 0) throw new RangeError("group or others have access to it: chmod 600");
  return text;
}

/** The password of the first line that fits; "" without one. @throws {RangeError} the hosts have different passwords */
function passwordIn(text: string, { servers, database, user }: PostgresAddress): string {
  const lines = text.split(/\r?\n/).filter((line) => !line.startsWith("#")).map((line) => linePattern.exec(line));
  const passwords = servers.map(({ hostname, port }) => {
    const wanted = [defaultSocketFolders.test(hostname) ? "localhost" : hostname, String(port), database, user];
    const line = lines.find((fields) => wanted.every((value, index) => fits(fields?.[index + 1], value)));
    return unescape(line?.[5]);
  });
  if (new Set(passwords).size > 1) {
    throw new RangeError("its lines for the hosts of the address have different passwords");
  }
  return passwords[0] ?? "";
}

function fits(pattern: string | undefined, value: string): boolean {
  return pattern === "*" || unescape(pattern) === value;
}

function unescape(text = ""): string {
  return text.replaceAll(/\\(.)/g, "$1");
}
