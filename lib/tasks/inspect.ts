/**
 * The task `inspect`: prints each record of a data folder as a line of JSON.
 *
 * It reads the files as a start does and changes nothing, also while the service runs. Of sessions and tickets it
 * shows everything but hashes of secrets, of secrets the name, and of credentials what a list of them shows.
 */

import { realDisk } from "../store/file/disk.ts";
import { readRunningFolder } from "../store/file/folder.ts";
import { folderOf, printError, printLine, runTask } from "./task.ts";

/** The latest possible date: a setup ticket made by an older version does not expire. */
const lastDate = 8_640_000_000_000_000;

if (import.meta.main) {
  await runTask({
    usage: "inspect [FOLDER]",
    help: "Prints the records of a data folder, by default that of GATEHOUSE_STORE. The service may run meanwhile.",
    async run({ paths: [folder], env }) {
      const name = folder ?? folderOf(env);
      printError(`The store is "${name}"`);
      for await (const line of inspect(name)) printLine(line);
      return 0;
    },
  });
}

/**
 * Every record of the folder as a line of JSON: users in order of registration, sessions, tickets, secrets,
 * credentials.
 *
 * @throws {StoreFolderError} there is no such folder, it holds no store, or it cannot be read
 * @throws {CorruptFileError} it is damaged
 */
export async function* inspect(folder: string): AsyncGenerator<string> {
  const { tables } = await readRunningFolder(realDisk(folder), { action: "inspect" });
  for (const { id, login, registeredAt, passwordHash, groups, disabled } of tables.users.values()) {
    const registered_at = toText(registeredAt);
    yield toLine({ kind: "user", id, login, registered_at, password_hash: passwordHash, groups, disabled });
  }
  for (const session of tables.sessions.values()) {
    const { id, login, createdAt, lastSeenAt, authenticatedAt, userAgent, address, factors } = session;
    const [created_at, last_seen_at, authenticated_at] = [createdAt, lastSeenAt, authenticatedAt].map(toText);
    const times = { created_at, last_seen_at, authenticated_at };
    const sites = session.sites.map(({ origin }) => origin);
    yield toLine({ kind: "session", id, login, ...times, user_agent: userAgent, address, factors, sites });
  }
  for (const { id, purpose, login, maker, createdAt, expiresAt } of tables.tickets.values()) {
    const [created_at, expires_at] = [toText(createdAt), toText(Math.min(expiresAt, lastDate))];
    yield toLine({ kind: "ticket", id, purpose, login, maker, created_at, expires_at });
  }
  for (const { name } of tables.secrets.values()) yield toLine({ kind: "secret", name });
  for (const { id, login, kind, name, createdAt, lastUsedAt } of tables.credentials.values()) {
    const [created_at, last_used_at] = [toText(createdAt), lastUsedAt === 0 ? null : toText(lastUsedAt)];
    yield toLine({ kind: "credential", id, login, credential: kind, name, created_at, last_used_at });
  }
}

function toText(time: number): string {
  return new Date(time).toISOString();
}

/** JSON does not escape DEL and the C1 controls, with which a User-Agent could command the terminal. */
function toLine(record: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(record).replace(/[\x7f-\x9f]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}
