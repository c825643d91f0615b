/**
 * `deno task inspect [FOLDER]`: the operator's look at what a data folder holds, one JSON line a record.
 *
 * It reads the files as a start would and changes nothing, also while the service runs. Of sessions and tickets
 * everything is shown but the hash of the secret.
 */

import { readConfig } from "../config/config.ts";
import { printError, printLine } from "../log.ts";
import { realDisk } from "../store/file/disk.ts";
import { readRunningFolder } from "../store/file/folder.ts";
import { folderOf, pathFromCaller } from "./task.ts";

/** As late as a date can be: a ticket for the setup that an older version made does not expire. */
const lastDate = 8_640_000_000_000_000;

if (import.meta.main) {
  try {
    const [path] = Deno.args;
    const env = Deno.env.toObject();
    const folder = path === undefined ? folderOf(readConfig(env)) : pathFromCaller(path, env);
    for await (const line of inspect(folder)) printLine(line);
  } catch (error) {
    printError(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

/**
 * Every record of the folder, users in order of registration first.
 *
 * @throws {NoRegisterError} the folder holds no register
 * @throws {CorruptFileError} it is damaged
 * @throws {StoreFolderError} there is no such folder, or it cannot be read
 */
export async function* inspect(folder: string): AsyncGenerator<string> {
  const { tables } = await readRunningFolder(realDisk(folder), { action: "inspect" });
  for (const user of tables.users()) {
    const { id, login, registeredAt, passwordHash, groups, disabled } = user;
    const registered_at = new Date(registeredAt).toISOString();
    yield toLine({
      kind: "user",
      id,
      login,
      registered_at,
      password_hash: passwordHash,
      groups,
      disabled,
    });
  }
  for (const session of tables.sessions()) {
    const { id, login, createdAt, lastSeenAt, userAgent, address } = session;
    const created_at = new Date(createdAt).toISOString();
    const last_seen_at = new Date(lastSeenAt).toISOString();
    yield toLine({
      kind: "session",
      id,
      login,
      created_at,
      last_seen_at,
      user_agent: userAgent,
      address,
    });
  }
  for (const { id, purpose, login, maker, createdAt, expiresAt } of tables.tickets()) {
    const created_at = new Date(createdAt).toISOString();
    const expires_at = new Date(Math.min(expiresAt, lastDate)).toISOString();
    yield toLine({ kind: "ticket", id, purpose, login, maker, created_at, expires_at });
  }
}

/** JSON leaves DEL and the controls above ASCII as they are: in a User-Agent they would command the terminal. */
function toLine(record: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(record).replace(/[\x7f-\x9f]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}
