/**
 * What the version of 26 November 2026 kept is read by this one: `v2/` is a folder of it. Of the journal most zeros at
 * the end are left out. And what its instances write to a database, while instances of this version use it.
 */

import { assertEquals } from "@std/assert";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import { createLog } from "../../../lib/log.ts";
import type { StoredRecord, User } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { verify } from "../../../lib/tasks/backup.ts";
import { ensurePostgres, sharedPostgres } from "../../support/postgres.ts";
import { assertNewJournal, copyOfFormat, testTasks } from "../../support/store/old_folder.ts";
import { recordsIn, secretOf, sessionOf, ticketOf, userOf } from "../../support/store/records.ts";

const log = createLog(() => {});
const ignore = !await ensurePostgres();
const postgres = sharedPostgres();

const users = [
  userOf("grace", { groups: ["admin"] }),
  userOf("alice", { groups: ["staff"] }),
  userOf("bob", { disabled: true }),
  // In the journal alone.
  userOf("carol"),
];
const records: readonly StoredRecord[] = [
  ...users.toSorted((one, other) => one.id < other.id ? -1 : 1).map((user) =>
    ({ kind: "user", record: user }) as const
  ),
  { kind: "session", record: sessionOf("alice", "s1") },
  { kind: "ticket", record: ticketOf("t1", { maker: userOf("grace").id }) },
];
const counts = { user: 4, session: 1, ticket: 1, secret: 0, credential: 0 };
const holdings = { counts, changeCount: 6, torn: undefined };

Deno.test("a file store opens a folder of format 2, and begins a journal that format 2 refuses", async () => {
  const path = await copyOfFormat(2);
  const store = await openFileStore(path, { log });
  assertEquals(await recordsIn(store), records);
  await assertNewJournal(path, 2);
  assertEquals(await verify(path), holdings);
  assertEquals(await store.ensureSecret({ name: "decoy", value: "one" }), "one");
  assertEquals(await verify(path), { ...holdings, counts: { ...counts, secret: 1 }, changeCount: 7 });
  await store[Symbol.asyncDispose]();
  await using again = await openFileStore(path, { log });
  assertEquals(await recordsIn(again), [...records, secretOf("decoy", "one")]);
});

testTasks(2, { records, holdings });

Deno.test({
  name: "PostgresStore counts the work of what an instance of the previous version writes by its iterations",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    await using store = await openPostgresStore(address, { log });
    const sql = server.sql(address.database);
    const passwordHash = `$argon2id$v=19$m=19456,t=2,p=1$${"s".repeat(22)}$${"h".repeat(42)}g`;
    for (const login of ["alice", "bob", "carol"]) await store.insertUser(userOf(login, { passwordHash }));
    const asPrevious = async (user: User, iterations: number) => {
      await sql`UPDATE gatehouse_user SET password_hash = ${user.passwordHash}, iterations = ${iterations},
        groups = ${user.groups.join()} WHERE login = ${user.login}`;
    };
    // A new password, and other groups.
    await asPrevious(userOf("alice"), 1);
    await asPrevious(userOf("bob", { passwordHash, groups: ["staff"] }), 0);
    await sql`INSERT INTO gatehouse_user
      (login, id, password_hash, iterations, registered_at, groups, is_admin, disabled, changes)
      VALUES ('dave', 'D', ${userOf("dave").passwordHash}, 1, 1, '', false, false, 0)`;
    const { works, unusableCount } = await store.hashWorks();
    assertEquals(works.toSorted((one, other) => one.work < other.work ? -1 : 1), [
      { work: "argon2id m=19456,t=2,p=1", count: 2, example: passwordHash },
      { work: "pbkdf2-sha256 i=1", count: 2, example: userOf("dave").passwordHash },
    ]);
    assertEquals(unusableCount, 0);
    // And what this version writes later counts again.
    await store.replaceUser(userOf("alice"), userOf("alice", { passwordHash }));
    assertEquals((await store.hashWorks()).works.map(({ count }) => count).toSorted(), [1, 3]);
  },
});
