/** Several stores on one PostgreSQL database. */
import { assert } from "@std/assert";
import { createLog } from "../../../lib/log.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import {
  openPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from "../../../lib/store/postgres/postgres_store.ts";
import { openConnections, sharedPostgres } from "../postgres.ts";

/** A log that nobody reads. */
export const log = createLog(() => {});

/** The server of the tests of one file. */
export const postgres = sharedPostgres({ settings: { max_connections: "50" } });

/** Stores on one new database, as instances of the service have them. */
export class Instances implements AsyncDisposable {
  readonly #cleanup = new AsyncDisposableStack();
  readonly stores: PostgresStore[] = [];
  database = "";

  static async open({ count, isolation = "read committed", ...options }: {
    count: number;
    isolation?: string;
  } & Partial<PostgresStoreOptions>): Promise<Instances> {
    const instances = new Instances();
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    const { database } = address;
    instances.database = database;
    await server.sql("postgres").unsafe(
      `ALTER DATABASE ${database} SET default_transaction_isolation = '${isolation}'`,
    );
    const opening = Array.from(
      { length: count },
      () => openPostgresStore(address, { log, callMs: 30_000, ...options }),
    );
    for (const store of await Promise.all(opening)) {
      instances.stores.push(instances.#cleanup.use(store));
      await openConnections(store);
    }
    return instances;
  }

  /** One of them, in turn. */
  of(index: number): PostgresStore {
    const store = this.stores[index % this.stores.length];
    assert(store !== undefined);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}
