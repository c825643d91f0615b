/** Every implementation of a store, for the promises of lib/store.ts. */

import { createLog } from "../../../lib/log.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import type { Store } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { ensurePostgres, openConnections, sharedPostgres } from "../postgres.ts";

const silent = createLog(() => {});
const hasPostgres = await ensurePostgres();
const postgres = sharedPostgres({ settings: { max_connections: "30" } });

/** How each implementation is opened, empty. */
const implementations: Record<string, () => Promise<Store>> = {
  "memory store": () => Promise.resolve(new TableStore()),
  "file store": async () => await openFileStore(await Deno.makeTempDir(), { log: silent, extendBytes: 4096 }),
  PostgresStore: () => openPostgres("read committed"),
};
/** And at isolations that other engines have, where things happen at once. */
const isolated: typeof implementations = {
  "PostgresStore (repeatable read)": () => openPostgres("repeatable read"),
  "PostgresStore (serializable)": () => openPostgres("serializable"),
};

async function openPostgres(isolation: string): Promise<Store> {
  const server = await postgres();
  const url = await server.createDatabase();
  const address = parsePostgresUrl(url);
  await server.sql("postgres").unsafe(
    `ALTER DATABASE ${address.database} SET default_transaction_isolation = '${isolation}'`,
  );
  // Thousands of changes of one user at once take longer than a request may.
  const store = await openPostgresStore(address, { log: silent, callMs: 60_000, sizeAgeMs: 0 });
  await openConnections(store);
  return store;
}

/** @param name "memory store", "file store" or begins with "PostgresStore" */
export type StoreTest = (store: Store, name: string) => Promise<void>;

/** A promise that every implementation keeps, each tried with an empty store. */
export function testStores(promise: string, test: StoreTest, opened = implementations): void {
  for (const [name, open] of Object.entries(opened)) {
    const ignore = name.startsWith("PostgresStore") && !hasPostgres;
    Deno.test({
      name: `${name} ${promise}`,
      ignore,
      async fn() {
        await using store = await open();
        await test(store, name);
      },
    });
  }
}

/** A promise about what happens at once. */
export function testContended(promise: string, test: StoreTest): void {
  testStores(promise, test, { ...implementations, ...isolated });
}
