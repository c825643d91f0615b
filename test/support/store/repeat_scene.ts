/** A store behind a proxy that cuts its connections, and the tests of changes over it. */
import { assertEquals } from "@std/assert";
import { createLog } from "../../../lib/log.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import type { Store } from "../../../lib/store.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { type Cut, CuttingProxy } from "../cutting_proxy.ts";
import { ensurePostgres, sharedPostgres } from "../postgres.ts";
import { credentialOf, sessionOf, ticketOf, userOf } from "./records.ts";

const ignore = !await ensurePostgres();

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

/** A recovery code of alice. */
export const code = credentialOf("alice", "r1", { kind: "recovery" });

/** A passkey of alice, and what it is after a use. */
export const passkey = credentialOf("alice", "p1");
export const used = { current: passkey, next: { ...passkey, counter: 5 } };

/** A ticket for a login of alice. */
export const loginTicket = ticketOf("t1", { purpose: "login", login: "alice" });

/** Inserts alice with a session, a passkey, a recovery code and a ticket for a login. */
export async function insertFactors(store: Store): Promise<void> {
  await insertAlice(store);
  await store.insertSession(session, userOf("alice"));
  await store.insertCredentials(userOf("alice"), [passkey, code]);
  await store.insertTicket(loginTicket);
}

/** Inserts alice. */
export const insertAlice = (store: Store) => store.insertUser(userOf("alice"));

/** A change, its preparation, its outcome, and how to see that it was made once. */
export interface CutChange {
  readonly title: string;
  readonly message: Cut["message"];
  readonly before?: (store: Store) => Promise<unknown>;
  readonly change: (store: Store) => Promise<unknown>;
  readonly outcome: unknown;
  readonly kept: (store: Store) => Promise<unknown>;
  readonly expected: unknown;
}

/** Tests that each change is made once if its connection is cut. */
export function testCuts(changes: readonly CutChange[]): void {
  // Also in the middle of a transaction.
  const cuts: readonly CutChange[] = [
    ...changes,
    ...changes.filter(({ message }) => message === "commit").map((change) => ({
      ...change,
      message: "execute" as const,
    })),
  ];
  for (const { title, message, before = () => Promise.resolve(), change, outcome, kept, expected } of cuts) {
    for (const when of ["before", "after"] as const) {
      Deno.test({
        name: `PostgresStore makes a change once if its connection is cut ${when} the server's ${message}: ${title}`,
        ignore,
        async fn() {
          await using both = await openBoth();
          await before(both.direct);
          both.proxy.cutNext({ when, message });
          assertEquals(await change(both.store), outcome);
          assertEquals(both.proxy.leftCount, 0);
          assertEquals(await kept(both.direct), expected);
        },
      });
    }
  }
}
