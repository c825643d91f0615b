import { delay } from "@std/async/delay";
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { ConnectionError } from "../../../../lib/store/postgres/error.ts";
import { Pool, type PoolOptions } from "../../../../lib/store/postgres/pool.ts";
import { ensurePostgres, sharedPostgres } from "../../../support/postgres.ts";

const ignore = !await ensurePostgres();
const postgres = sharedPostgres();
const { signal } = new AbortController();
const hourMs = 60 * 60 * 1_000;

interface UsedPool extends AsyncDisposable {
  readonly pool: Pool;
  /** The server's process behind the connection that is used next. */
  pid(): Promise<unknown>;
}

async function openPool(options: Partial<PoolOptions>): Promise<UsedPool> {
  const server = await postgres();
  const pool = new Pool(parsePostgresUrl(server.url("postgres")), {
    maxConnections: 2,
    connectMs: 5_000,
    statementMs: 5_000,
    ...options,
  });
  return {
    pool,
    pid: () =>
      pool.use(signal, async (connection) => {
        return (await connection.run("SELECT pg_backend_pid() AS pid", [], signal)).rows[0]?.["pid"];
      }),
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

const ages: readonly (readonly [what: string, options: Partial<PoolOptions>, isSame: boolean])[] = [
  ["neither idle for long nor old", { maxIdleMs: hourMs, maxAgeMs: hourMs }, true],
  ["idle for long", { maxIdleMs: 20, maxAgeMs: hourMs }, false],
  ["old", { maxIdleMs: hourMs, maxAgeMs: 20 }, false],
];

for (const [what, options, isSame] of ages) {
  Deno.test({
    name: `Pool uses a connection that is ${what} ${isSame ? "again" : "no more"}`,
    ignore,
    async fn() {
      await using used = await openPool(options);
      const first = await used.pid();
      await delay(30);
      (isSame ? assertEquals : assertNotEquals)(await used.pid(), first);
    },
  });
}

Deno.test({
  name: "Pool gives an old connection up though it is in use all the time",
  ignore,
  async fn() {
    await using used = await openPool({ maxIdleMs: hourMs, maxAgeMs: 50 });
    const pids = new Set<unknown>();
    const endsAt = performance.now() + 200;
    while (performance.now() < endsAt) pids.add(await used.pid());
    assertNotEquals(pids.size, 1);
  },
});

Deno.test({
  name: "Pool that is closed breaks off a connection in use when the call ends, and keeps none",
  ignore,
  async fn() {
    const { pool } = await openPool({});
    const server = await postgres();
    const name = "SELECT set_config('application_name', 'closed', false)";
    await pool.use(signal, async (connection) => {
      await connection.run(name, [], signal);
      await pool.close();
      assertEquals((await connection.run("SELECT 1 AS one", [], signal)).rows[0]?.["one"], 1);
    });
    const count = async () => {
      const [row] = await server.sql("postgres")`SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE application_name = 'closed'`;
      return row?.["n"];
    };
    for (let tries = 0; tries < 100 && await count() > 0; tries++) await delay(10);
    assertEquals(await count(), 0);
  },
});

Deno.test("Pool tells that there is no connection to be had", async () => {
  const address = parsePostgresUrl("postgres://gatehouse@/x?host=/nowhere");
  const pool = new Pool(address, { maxConnections: 1, connectMs: 5_000, statementMs: 5_000 });
  // Twice: the place of the one that failed is given back.
  for (let round = 0; round < 2; round++) {
    await assertRejects(() => pool.use(signal, () => Promise.resolve()), ConnectionError);
  }
});
