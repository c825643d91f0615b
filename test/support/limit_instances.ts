/** Several instances with their limits in one PostgreSQL database. */
import { assert } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { createLog } from "../../lib/log.ts";
import { parsePostgresUrl } from "../../lib/config/postgres_address.ts";
import { openPostgresStore, type PostgresStore } from "../../lib/store/postgres/postgres_store.ts";
import { PostgresLimitStore } from "../../lib/limits/postgres_limit_store.ts";
import { ensurePostgres, startPostgres, type TestPostgres } from "./postgres.ts";
import { type Change, createScene, type Scene } from "./passwords/guesses.ts";

const ignore = !await ensurePostgres();

type Isolation = "read committed" | "repeatable read" | "serializable";

/** Instances, each with its own connections, on one database. */
class Instances implements AsyncDisposable {
  readonly server: TestPostgres;
  readonly stores: readonly PostgresStore[];
  readonly scenes: readonly Scene[];

  static async start(isolation: Isolation): Promise<Instances> {
    const server = await startPostgres();
    const address = parsePostgresUrl(await server.createDatabase("counted"));
    await server.sql("postgres").unsafe(`ALTER DATABASE counted SET default_transaction_isolation = '${isolation}'`);
    const open = () => openPostgresStore(address, { log: createLog(() => {}), callMs: 60_000 });
    return new Instances(server, [await open(), await open(), await open()]);
  }

  private constructor(server: TestPostgres, stores: readonly PostgresStore[]) {
    this.server = server;
    this.stores = stores;
    this.scenes = stores.map(({ database }) => createScene(new PostgresLimitStore(database)));
  }

  /** The scene of a number, in turn. */
  at(index: number): Scene {
    const scene = this.scenes[index % this.scenes.length];
    assert(scene !== undefined);
    return scene;
  }

  /** So many passwords, each another one, at once and spread over all. @returns how many of them came to what */
  async guessesAtOnce(count: number, changeOf: (index: number) => Change): Promise<Record<string, number>> {
    const guesses = Array.from({ length: count }, (_, index) => {
      const change = { password: `wrong at once ${index}`, ...changeOf(index) };
      // Each takes its time, so that some are settled while others are still taken.
      return this.at(index).guess(change, () => delay(index % 5).then(() => ({ isRight: false })));
    });
    const outcomes = Map.groupBy(await Promise.all(guesses), (outcome) => outcome.replace(/ .*/, ""));
    return Object.fromEntries(Array.from(outcomes, ([outcome, { length }]) => [outcome, length]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.stores) await store[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Registers a test of several instances on a new database. */
export function testInstances(
  name: string,
  test: (instances: Instances) => Promise<void>,
  isolation: Isolation = "read committed",
): void {
  Deno.test({
    name: isolation === "read committed" ? name : `${name} (${isolation})`,
    ignore,
    async fn() {
      await using instances = await Instances.start(isolation);
      await test(instances);
    },
  });
}
