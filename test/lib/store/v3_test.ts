/**
 * What the version of 27 November 2026 kept is read by this one: `v3/` is a folder of it. Of the journal most zeros at
 * the end are left out. And what its instances write to a database, while instances of this version use it.
 */

import { assert, assertEquals } from "@std/assert";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import { createLog } from "../../../lib/log.ts";
import type { StoredRecord } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { verify } from "../../../lib/tasks/backup.ts";
import { ensurePostgres, sharedPostgres } from "../../support/postgres.ts";
import { assertNewJournal, copyOfFormat, testTasks } from "../../support/store/old_folder.ts";
import { credentialOf, recordsIn, secretOf, sessionOf, ticketOf, userOf } from "../../support/store/records.ts";

const log = createLog(() => {});
const ignore = !await ensurePostgres();
const postgres = sharedPostgres();

const carol = userOf("carol");
const users = [
  userOf("grace", { groups: ["admin"] }),
  userOf("alice", { groups: ["staff"] }),
  userOf("bob", { disabled: true }),
  // In the journal alone, as the session s2.
  carol,
];
const records: readonly StoredRecord[] = [
  ...users.toSorted((one, other) => one.id < other.id ? -1 : 1).map((user) =>
    ({ kind: "user", record: user }) as const
  ),
  // With the factor and the time that the records of the tests have.
  { kind: "session", record: sessionOf("alice", "s1") },
  { kind: "session", record: sessionOf("carol", "s2") },
  { kind: "ticket", record: ticketOf("t1", { maker: userOf("grace").id }) },
  secretOf("decoy", "one"),
];
const counts = { user: 4, session: 2, ticket: 1, secret: 1, credential: 0 };
const holdings = { counts, changeCount: 8, torn: undefined };

Deno.test("a file store opens a folder of format 3, and begins a journal that format 3 refuses", async () => {
  const path = await copyOfFormat(3);
  const store = await openFileStore(path, { log });
  assertEquals(await recordsIn(store), records);
  await assertNewJournal(path, 3);
  const credential = credentialOf("carol", "c1");
  assertEquals(await store.insertCredentials(carol, [credential]), "done");
  assert(await store.updateSession("s2", carol, { factors: ["passkey"], authenticatedAt: 1_900_000_000_000 }));
  const session = sessionOf("carol", "s2", { factors: ["password", "passkey"], authenticatedAt: 1_900_000_000_000 });
  assertEquals(await verify(path), { ...holdings, counts: { ...counts, credential: 1 }, changeCount: 10 });
  await store[Symbol.asyncDispose]();
  await using again = await openFileStore(path, { log });
  const expected = records.with(5, { kind: "session", record: session });
  assertEquals(await recordsIn(again), [...expected, { kind: "credential", record: credential }]);
});

testTasks(3, { records, holdings });

Deno.test({
  name: "PostgresStore takes the sessions of an instance of the previous version for ones by a password",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    await using store = await openPostgresStore(address, { log });
    await store.insertUser(carol);
    await server.sql(address.database)`INSERT INTO gatehouse_session
      (id, login, secret_hash, created_at, last_seen_at, user_agent, address)
      VALUES ('s2', 'carol', ${"5e".repeat(32)}, 1795343740000, 1795343740000, 'curl/8', '192.0.2.1')`;
    assertEquals((await store.findSession("s2"))?.session, sessionOf("carol", "s2"));
    // Seen, and brought back by a clock that was set back.
    await store.touchSession("s2", 1_795_343_740_001);
    const seen = sessionOf("carol", "s2", { lastSeenAt: 1_795_343_740_001 });
    assertEquals((await store.findSession("s2"))?.session, seen);
    await store.touchSession("s2", 5);
    const back = sessionOf("carol", "s2", { createdAt: 5, lastSeenAt: 5, authenticatedAt: 5 });
    assertEquals((await store.findSession("s2"))?.session, back);
    // The previous version deletes the tickets for a login with those for a reset.
    await store.insertTicket(ticketOf("t1", { purpose: "login", login: "carol" }));
    await server.sql(address.database)`DELETE FROM gatehouse_ticket WHERE reset_login = 'carol'`;
    assertEquals(await store.findTicket("t1"), undefined);
  },
});
