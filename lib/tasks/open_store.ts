/** Opens the stores that tasks read from and write to: folders and databases. */

import { resolve } from "node:path";
import { readConfig } from "../config/config.ts";
import type { StoreLocation } from "../config/parsers.ts";
import { shownAddress } from "../config/postgres_address.ts";
import type { Environment } from "../config/settings.ts";
import type { Store } from "../store.ts";
import { realDisk } from "../store/file/disk.ts";
import { openFileStore } from "../store/file/file_store.ts";
import { readRunningFolder } from "../store/file/folder.ts";
import { TableStore } from "../store/memory/table_store.ts";
import { memoryStorage } from "../store/memory/tables.ts";
import { openPostgresStore } from "../store/postgres/postgres_store.ts";
import { quiet, stderrLog } from "./task.ts";

/** A statement has a thousand records, and no client waits for it. */
const callMs = 60_000;

/** The store of the settings; a relative folder begins in the project's folder. @throws {ConfigError} */
export function storeOf(env: Environment): StoreLocation {
  const { store } = readConfig(env);
  return "folder" in store ? { folder: resolve(store.folder) } : store;
}

/** For messages: without a password. */
export function nameOfLocation(location: StoreLocation): string {
  return "folder" in location ? location.folder : shownAddress(location);
}

/** Opens a store for changes. */
export function openToWrite(location: StoreLocation): Promise<Store> {
  const log = quiet(stderrLog);
  if ("folder" in location) return openFileStore(location.folder, { log });
  return openPostgresStore(location, { log, isReadOnly: false, callMs, waitMs: 0 });
}

/** Opens a store that a service may use. @param options.action for error messages, such as "export" */
export async function openToRead(location: StoreLocation, { action }: { action: string }): Promise<Store> {
  if (!("folder" in location)) {
    return openPostgresStore(location, { log: quiet(stderrLog), isReadOnly: true, callMs, waitMs: 0 });
  }
  return new TableStore(memoryStorage((await readRunningFolder(realDisk(location.folder), { action })).tables));
}
