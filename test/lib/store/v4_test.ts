/**
 * What the version before home mode kept is read by this one: `v4/` is a folder of it. Of the journal most zeros at the
 * end are left out. And what its instances write to a database, while instances of this version use it.
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
import { credentialOf, recordsIn, secretOf, sessionOf, siteOf, ticketOf, userOf } from "../../support/store/records.ts";

const log = createLog(() => {});
const ignore = !await ensurePostgres();
const postgres = sharedPostgres();

const carol = userOf("carol");
const site = siteOf("https://wiki.example.org");
const users = [
  userOf("grace", { groups: ["admin"] }),
  userOf("alice", { groups: ["staff"] }),
  userOf("bob", { disabled: true }),
  // In the journal alone, as the session s2 and the credential c2.
  carol,
];
const records: readonly StoredRecord[] = [
  ...users.toSorted((one, other) => one.id < other.id ? -1 : 1).map((user) =>
    ({ kind: "user", record: user }) as const
  ),
  {
    kind: "session",
    record: sessionOf("alice", "s1", { factors: ["passkey", "totp"], authenticatedAt: 1795343740001 }),
  },
  { kind: "session", record: sessionOf("carol", "s2") },
  { kind: "ticket", record: ticketOf("t1", { maker: userOf("grace").id }) },
  { kind: "ticket", record: ticketOf("t2", { purpose: "login", login: "alice" }) },
  secretOf("decoy", "one"),
  { kind: "credential", record: credentialOf("alice", "c1") },
  { kind: "credential", record: credentialOf("carol", "c2", { kind: "app-password", secret: "" }) },
];
const holdings = {
  counts: { user: 4, session: 2, ticket: 2, secret: 1, credential: 2 },
  changeCount: 11,
  torn: undefined,
};

Deno.test("a file store opens a folder of format 4, and begins a journal that format 4 refuses", async () => {
  const path = await copyOfFormat(4);
  const store = await openFileStore(path, { log });
  assertEquals(await recordsIn(store), records);
  await assertNewJournal(path, 4);
  assertEquals(await store.insertTicket(ticketOf("t3", { purpose: "site", login: "carol" })), "done");
  assert(await store.updateSession("s2", carol, { ticketHash: "t3", site }));
  assertEquals(await verify(path), { ...holdings, changeCount: 14 });
  await store[Symbol.asyncDispose]();
  await using again = await openFileStore(path, { log });
  const session = sessionOf("carol", "s2", { sites: [site] });
  assertEquals(await recordsIn(again), records.with(5, { kind: "session", record: session }));
});

testTasks(4, { records, holdings });

Deno.test({
  name: "PostgresStore adds sites to a session of the previous version, whose instances leave them as they are",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    const sql = server.sql(address.database);
    {
      await using store = await openPostgresStore(address, { log });
      await store.insertUser(carol);
    }
    // The tables of the previous version, which has a session in them.
    await sql`ALTER TABLE gatehouse_session DROP COLUMN sites`;
    await sql`DELETE FROM gatehouse_schema WHERE version = 6`;
    await sql`INSERT INTO gatehouse_session
      (id, login, secret_hash, created_at, last_seen_at, user_agent, address, factors, authenticated_at)
      VALUES ('s2', 'carol', ${"5e".repeat(32)}, 1795343740000, 1795343740000, 'curl/8', '192.0.2.1', 'password',
        1795343740000)`;
    await using store = await openPostgresStore(address, { log });
    assertEquals((await store.findSession("s2"))?.session, sessionOf("carol", "s2"));
    assert(await store.updateSession("s2", carol, { site }));
    await sql`UPDATE gatehouse_session SET factors = 'password,totp', authenticated_at = 1795343740001`;
    const next = { factors: ["password", "totp"], authenticatedAt: 1_795_343_740_001, sites: [site] } as const;
    assertEquals((await store.findSession("s2"))?.session, sessionOf("carol", "s2", next));
    // The previous version deletes the tickets for sites with the user.
    await store.insertTicket(ticketOf("t1", { purpose: "site", login: "carol" }));
    await sql`DELETE FROM gatehouse_user WHERE login = 'carol'`;
    assertEquals(await store.findTicket("t1"), undefined);
  },
});
