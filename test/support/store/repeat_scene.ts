/** A store behind a proxy that cuts its connections. */
import { createLog } from "../../../lib/log.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import type { Store } from "../../../lib/store.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { CuttingProxy } from "../cutting_proxy.ts";
import { sharedPostgres } from "../postgres.ts";
import { sessionOf, ticketOf, userOf } from "./records.ts";

/** A log that nobody reads. */
export const log = createLog(() => {});

/** The server of the tests of one file. */
export const postgres = sharedPostgres();

/** Opens two stores on the same new database: one behind a proxy, and a direct one. */
export async function openBoth(maxConnections = 1) {
  await using cleanup = new AsyncDisposableStack();
  const server = await postgres();
  const address = parsePostgresUrl(await server.createDatabase());
  const proxy = cleanup.use(await CuttingProxy.open(`${server.folder}/.s.PGSQL.5432`));
  const cut = { ...address, servers: [{ hostname: proxy.folder, port: 5432 }] };
  const store = cleanup.use(await openPostgresStore(cut, { log, maxConnections, sizeAgeMs: 0 }));
  const direct = cleanup.use(await openPostgresStore(address, { log, maxConnections: 1, sizeAgeMs: 0 }));
  const owned = cleanup.move();
  return { proxy, store, direct, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Alice with another password. */
export const next = userOf("alice", { passwordHash: "new" });

/** A session of alice. */
export const session = sessionOf("alice", "s1");

/** A ticket for a reset of alice. */
export const reset = ticketOf("t1", { purpose: "reset", login: "alice" });

/** Inserts alice. */
export const insertAlice = (store: Store) => store.insertUser(userOf("alice"));
