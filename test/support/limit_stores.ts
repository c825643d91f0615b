/** The stores of limits, for tests of what holds for each. */
import { type LimitStore, MemoryLimitStore } from "../../lib/limits/rate_limiter.ts";
import { createLog } from "../../lib/log.ts";
import { parsePostgresUrl } from "../../lib/config/postgres_address.ts";
import { openPostgresStore, type PostgresStore } from "../../lib/store/postgres/postgres_store.ts";
import { PostgresLimitStore } from "../../lib/limits/postgres_limit_store.ts";
import { ensurePostgres, startPostgres, type TestPostgres } from "./postgres.ts";

/** Makes an empty store. Those made before must not be used any more. */
export type CreateLimitStore = () => Promise<LimitStore>;

/** A database for the tests of one file, which run one after another. It is there from the first that needs it. */
class SharedDatabase implements AsyncDisposable {
  #server: TestPostgres | undefined;
  #store: PostgresStore | undefined;

  async createStore(): Promise<LimitStore> {
    this.#store ??= await this.#open();
    const { database } = this.#store;
    await database.run("TRUNCATE gatehouse_count");
    return new PostgresLimitStore(database);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<PostgresStore> {
    this.#server = await startPostgres();
    const address = parsePostgresUrl(await this.#server.createDatabase());
    return await openPostgresStore(address, { log: createLog(() => {}) });
  }
}

const hasPostgres = await ensurePostgres();
const shared = new SharedDatabase();

Deno.test.afterAll(() => shared[Symbol.asyncDispose]());

/** Registers a test for each store. @param test can make several */
export function testEverywhere(name: string, test: (createStore: CreateLimitStore) => Promise<void>): void {
  Deno.test(`${name}, in memory`, () => test(() => Promise.resolve(new MemoryLimitStore())));
  Deno.test({
    name: `${name}, in PostgreSQL`,
    ignore: !hasPostgres,
    // Its connections outlive one test.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => test(() => shared.createStore()),
  });
}
