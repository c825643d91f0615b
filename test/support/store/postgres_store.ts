/** A store on a database of its own server, whose outages a test makes. */
import { createLog } from "../../../lib/log.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import {
  openPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from "../../../lib/store/postgres/postgres_store.ts";
import { sharedPostgres, type TestPostgres } from "../postgres.ts";
import { userOf } from "./records.ts";

/** A log that nobody reads. */
export const log = createLog(() => {});

/** The server of the tests of one file. */
export const postgres = sharedPostgres();

/** What `openStore` makes. */
interface Opened extends AsyncDisposable {
  readonly server: TestPostgres;
  readonly store: PostgresStore;
  readonly database: string;
}

/** Opens a store on a new database. */
export async function openStore(options: Partial<PostgresStoreOptions> = {}): Promise<Opened> {
  const server = await postgres();
  const address = parsePostgresUrl(await server.createDatabase());
  const store = await openPostgresStore(address, { log, ...options });
  await store.insertUser(userOf("alice"));
  return { server, store, database: address.database, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}
