/** The import into a store in memory that a test controls: what is added, counted, refused and read again. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ForeignFormat, ForeignUser, RefusedRecord } from "../../../lib/import/foreign_format.ts";
import { type ImportOptions, importUsers } from "../../../lib/import/import_users.ts";
import { parseStoredHash, wrapHash } from "../../../lib/passwords/stored_hash.ts";
import { type StoredRecord, StoreFullError, type User } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { sessionOf, userOf } from "../../support/store/records.ts";
import hashes from "../passwords/hashes.json" with { type: "json" };

const hash = `$pbkdf2-sha256$i=600000$${"s".repeat(21)}w$${"h".repeat(42)}g`;
const noFields = { login: "", password: "", date: "", groups: "", disabled: "", id: "" };

Deno.test("importUsers() adds the users of a file in batches, and changes nothing when it is run again", async () => {
  const store = new RecordingStore();
  await store.insertUser(userOf("zoe", { id: "01HWT0D7G0BB89CGQ3NCBYGDKQ" }));
  await store.insertSession(sessionOf("zoe", "s1"), userOf("zoe", { id: "01HWT0D7G0BB89CGQ3NCBYGDKQ" }));
  const users = Array.from({ length: 2_300 }, (_, index) => foreign(`user${index}`, { line: index + 1 }));
  const first = await run(store, [
    ...users.slice(0, 2),
    foreign("boss", { line: 9_000, groups: ["admin"] }),
    ...users.slice(2),
  ]);
  assertEquals(store.batches, [1_000, 1_000, 301]);
  const { digest, ...counts } = first.result;
  assertEquals(counts, {
    imported: 2_301,
    present: 0,
    refused: 0,
    withoutPassword: 0,
    admins: 1,
    wrapped: 0,
    users: 2_302,
  });
  assertEquals(await store.findUser("user7"), {
    id: "01JGJFGRSEK4NRC6YYZMBG9J1H",
    login: "user7",
    passwordHash: hash,
    registeredAt: Date.UTC(2025, 0, 2, 3, 4, 5, 678),
    groups: [],
    disabled: false,
  });
  const again = await run(store, users);
  assertEquals(again.result, { ...first.result, imported: 0, present: 2_300, admins: 0 });
  assertEquals([again.result.digest, again.reported], [digest, []]);
});

Deno.test("importUsers() counts a user that has changed since as already there, and leaves it alone", async () => {
  const store = new TableStore();
  await run(store, [foreign("alice")]);
  const imported = await store.findUser("alice");
  assert(imported !== undefined);
  const changed = { ...imported, passwordHash: `${hash.slice(0, -1)}w`, groups: ["staff"], disabled: true };
  assertEquals(await store.replaceUser(imported, changed), "done");
  // With another date, as after a change of the file.
  const { result } = await run(store, [foreign("alice", { registeredAt: 1_000 })]);
  assertEquals([result.imported, result.present, result.refused], [0, 1, 0]);
  assertEquals(await store.findUser("alice"), changed);
});

Deno.test("importUsers() refuses logins and ids that are taken, in the store and in the file", async () => {
  const store = new TableStore();
  const id = "01HWT0D7G0BB89CGQ3NCBYGDKQ";
  const other = "01HWT0D7G1HMJA1SPTJ995JVYX";
  await store.insertUser(userOf("bob", { id }));
  const { result, reported } = await run(store, [
    foreign("alice", { line: 1 }),
    foreign("ALICE", { line: 2 }),
    foreign("bob", { line: 3 }),
    foreign("bob", { line: 4, id }),
    foreign("Bob", { line: 5, id }),
    foreign("carol", { line: 6, id }),
    foreign("dave", { line: 7, id: other }),
    foreign("eve", { line: 8, id: other }),
    { line: 9, reason: "unreadable" },
    { line: 10, login: "frank", reason: "no password", isWithoutPassword: true },
    foreign("b:ob", { line: 11 }),
  ]);
  assertEquals(reported.map(({ line, reason }) => [line, reason.split(":")[0]]), [
    [2, "the login is that of line 1 too"],
    [3, "the login is taken by another user of the store"],
    [5, "the login is that of line 4 too"],
    [6, "the id is that of another user"],
    [8, "the id is that of another user"],
    [9, "unreadable"],
    [10, "no password"],
    [11, "the login must consist of a-z 0-9 . _ - @ + and start with a letter or digit"],
  ]);
  const { imported, present, refused, withoutPassword, users } = result;
  assertEquals([imported, present, refused, withoutPassword, users], [2, 1, 7, 1, 3]);
});

Deno.test("importUsers() wraps fast hashes, several at once, and no hash of a user that is there", async () => {
  const store = new TableStore();
  const fast = hashes.hashes["ldap {SSHA}"];
  const users = Array.from(
    { length: 10 },
    (_, index) => foreign(`u${index}`, { passwordHash: index % 2 ? fast : hash }),
  );
  let running = 0;
  let most = 0;
  const wrapped: string[] = [];
  const wrap = async (text: string) => {
    most = Math.max(most, ++running);
    wrapped.push(text);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return await wrapHash(text, { kind: "pbkdf2", iterations: 1 });
  };
  const { result } = await run(store, users, { wrap });
  assertEquals([result.imported, result.wrapped, wrapped], [10, 5, Array(5).fill(fast)]);
  assert(most > 1);
  for (const [index] of users.entries()) {
    const { passwordHash = "" } = await store.findUser(`u${index}`) ?? {};
    assertEquals(
      parseStoredHash(passwordHash).work,
      index % 2 ? "LDAP {SSHA} > pbkdf2-sha256 i=1" : parseStoredHash(hash).work,
    );
  }
  const again = await run(store, users, { wrap });
  assertEquals([again.result.present, wrapped.length], [10, 5]);
});

Deno.test("importUsers() of a dry run reports the same, hashes and stores nothing", async () => {
  const store = new RecordingStore();
  const fast = hashes.hashes["ldap {SSHA}"];
  const users = [foreign("alice", { passwordHash: fast, groups: ["admin"] }), foreign("alice"), foreign("b:ob")];
  const wrap = () => Promise.reject(new TypeError("hashed"));
  const { result, reported } = await run(store, users, { isDryRun: true, wrap });
  const { imported, refused, admins, wrapped, users: count } = result;
  assertEquals([imported, refused, admins, wrapped, count, store.batches], [1, 2, 1, 1, 0, []]);
  const real = await run(store, users);
  assertEquals(real.reported, reported);
  assertEquals({ ...real.result, users: 0, digest: "" }, { ...result, digest: "" });
});

Deno.test("importUsers() refuses what the store does not hold in the end", async () => {
  const store = new TableStore();
  await run(store, [foreign("gone"), foreign("replaced")]);
  // A service registers a login and deletes another meanwhile.
  const insert = store.insertRecords.bind(store);
  store.insertRecords = async (records) => {
    await insert([{ kind: "user", record: userOf("alice", { id: "01HWT0D7G0BB89CGQ3NCBYGDKQ" }) }]);
    await insert(records);
    for (const login of ["gone", "replaced"]) await store.deleteUser(await found(store, login));
    await insert([{ kind: "user", record: userOf("replaced", { id: "01HWT0D7G1HMJA1SPTJ995JVYX" }) }]);
  };
  const lines = ["alice", "bob", "gone", "replaced"].map((login, index) => foreign(login, { line: index + 1 }));
  const { result, reported } = await run(store, lines);
  assertEquals(reported.map(({ line }) => line).toSorted(), [1, 3, 4]);
  assert(reported.every(({ reason }) => reason.includes("run it again")));
  assertEquals([result.imported, result.present, result.refused], [1, 0, 3]);
});

Deno.test("importUsers() passes on errors, after the batches before", async () => {
  const store = new TableStore();
  const format: ForeignFormat = {
    ...formatOf([]),
    async *read() {
      for (let line = 1; line <= 1_500; line++) yield await Promise.resolve(foreign(`user${line}`, { line }));
      throw new TypeError("broken");
    },
  };
  await assertRejects(() => run(store, [], { format }), TypeError, "broken");
  assertEquals((await store.size()).users, 1_000);
  store.insertRecords = () => Promise.reject(new StoreFullError("no room"));
  await assertRejects(() => run(store, [foreign("alice")]), StoreFullError);
});

/** Counts the records of each batch. */
class RecordingStore extends TableStore {
  readonly batches: number[] = [];

  override async insertRecords(records: readonly StoredRecord[]): Promise<void> {
    if (records.length > 0) this.batches.push(records.length);
    await super.insertRecords(records);
  }
}

function foreign(login: string, changes: Partial<ForeignUser> = {}): ForeignUser {
  return { line: 1, login, passwordHash: hash, groups: [], disabled: false, ...changes };
}

function formatOf(records: readonly (ForeignUser | RefusedRecord)[]): ForeignFormat {
  return {
    name: "test",
    help: "",
    unit: "line",
    async *read() {
      for (const record of records) yield await Promise.resolve(record);
    },
  };
}

async function run(
  store: TableStore,
  records: readonly (ForeignUser | RefusedRecord)[],
  changes: Partial<ImportOptions> = {},
) {
  const reported: RefusedRecord[] = [];
  const result = await importUsers(store, {
    format: formatOf(records),
    file: { path: "", fields: noFields },
    isDryRun: false,
    rename: (login) => login,
    modifiedAt: Date.UTC(2025, 0, 2, 3, 4, 5, 678),
    wrap: (text) => wrapHash(text, { kind: "pbkdf2", iterations: 1 }),
    report: (record) => reported.push(record),
    onRecord() {},
    ...changes,
  });
  return { result, reported };
}

async function found(store: TableStore, login: string): Promise<User> {
  const user = await store.findUser(login);
  if (user === undefined) throw new Error(`There is no ${login}`);
  return user;
}
