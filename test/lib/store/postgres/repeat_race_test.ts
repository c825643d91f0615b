// Changes that are repeated after a lost connection while others change the same records, and conflicts.
import { assertEquals, assertRejects } from "@std/assert";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { type Store, StoreUnavailableError } from "../../../../lib/store.ts";
import { Database } from "../../../../lib/store/postgres/database.ts";
import type { Cut } from "../../../support/cutting_proxy.ts";
import { ensurePostgres, openConnections } from "../../../support/postgres.ts";
import { credentialOf, deleteByLogin, sessionOf, siteOf, userOf } from "../../../support/store/records.ts";
import {
  code,
  insertAlice,
  insertFactors,
  log,
  next,
  openBoth,
  postgres,
  reset,
  used,
} from "../../../support/store/repeat_scene.ts";

const ignore = !await ensurePostgres();

/** Changes that another client makes between two attempts are not mistaken for an earlier attempt. */
const others: readonly (readonly [
  title: string,
  message: Cut["message"],
  change: (store: Store) => Promise<unknown>,
  meanwhile: (store: Store) => Promise<unknown>,
  outcome: unknown,
])[] = [
  [
    "a registration",
    "commit",
    (store) => store.insertUser(userOf("bob")),
    (store) => store.insertUser(userOf("bob", { id: "another" })),
    "taken",
  ],
  [
    "a replacement",
    "commit",
    (store) => store.replaceUser(userOf("alice"), next),
    (store) => store.replaceUser(userOf("alice"), userOf("alice", { passwordHash: "another" })),
    "stale",
  ],
  [
    "a login",
    "execute",
    (store) => store.insertSession(sessionOf("alice", "s2"), userOf("alice")),
    (store) => store.replaceUser(userOf("alice"), userOf("alice", { disabled: true })),
    false,
  ],
  [
    "a login by a recovery code",
    "commit",
    (store) =>
      store.insertSession(sessionOf("alice", "s2"), userOf("alice"), { use: { current: code, next: undefined } }),
    (store) => store.useCredential({ current: code, next: undefined }),
    false,
  ],
  [
    "a step-up by a passkey",
    "commit",
    (store) => store.updateSession("s1", userOf("alice"), { factors: ["passkey"], authenticatedAt: 9, use: used }),
    (store) => store.insertSession(sessionOf("alice", "s2"), userOf("alice"), { use: used }),
    false,
  ],
  [
    "a login at a site",
    "commit",
    (store) => store.updateSession("s1", userOf("alice"), { ticketHash: "t1", site: siteOf("https://a.example.org") }),
    (store) => store.updateSession("s1", userOf("alice"), { ticketHash: "t1", site: siteOf("https://b.example.org") }),
    false,
  ],
  [
    "a new passkey",
    "commit",
    (store) => store.insertCredentials(userOf("alice"), [credentialOf("alice", "p2")]),
    (store) => store.insertCredentials(userOf("alice"), [credentialOf("alice", "p2", { id: "another" })]),
    "taken",
  ],
  [
    "a ticket for a reset",
    "commit",
    (store) => store.insertTicket(reset),
    (store) => deleteByLogin(store, "alice"),
    "missing",
  ],
];

for (const [title, message, change, meanwhile, outcome] of others) {
  Deno.test({
    name: `PostgresStore sees changes of other clients while its connection was cut: ${title}`,
    ignore,
    async fn() {
      await using both = await openBoth();
      await insertFactors(both.direct);
      both.proxy.cutNext({ when: "before", message, meanwhile: () => meanwhile(both.direct) });
      assertEquals(await change(both.store), outcome);
    },
  });
}

Deno.test({
  name: "PostgresStore fails if the second connection is cut too, and works with the third",
  ignore,
  async fn() {
    await using both = await openBoth();
    both.proxy.cutNext({ when: "after", message: "commit" }, { when: "after", message: "commit" });
    await assertRejects(() => insertAlice(both.store), StoreUnavailableError, "Cannot use postgres:///test");
    // The caller cannot know it, but the change was made.
    assertEquals(await both.store.findUser("alice"), userOf("alice"));
  },
});

Deno.test({
  name: "PostgresStore uses no older connection after one is lost",
  ignore,
  async fn() {
    await using both = await openBoth(5);
    await openConnections(both.store);
    both.proxy.cutOld();
    assertEquals(await insertAlice(both.store), "done");
  },
});

/** Runs a transaction that conflicts so many times, as on a row that hundreds of calls change at once. */
async function conflict(times: number, callMs: number): Promise<{ outcome: string; tries: number }> {
  const address = parsePostgresUrl(await (await postgres()).createDatabase());
  await using database = await Database.open(address, { log, callMs });
  let tries = 0;
  const outcome = await database.transact(async ({ run }) => {
    if (tries++ < times) await run("DO $$ BEGIN RAISE EXCEPTION 'a conflict' USING ERRCODE = '40001'; END $$");
    return "done";
  });
  return { outcome, tries };
}

Deno.test({
  name: "Database repeats a conflict until its deadline",
  ignore,
  async fn() {
    assertEquals(await conflict(30, 60_000), { outcome: "done", tries: 31 });
    await assertRejects(() => conflict(Infinity, 300), StoreUnavailableError, "no answer within 300 ms");
  },
});
