// The task `copy`: between stores in memory that a test controls, and as a process between real ones.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { copy, type NamedStore } from "../../../lib/tasks/copy.ts";
import { TaskError } from "../../../lib/tasks/task.ts";
import { createLog } from "../../../lib/log.ts";
import { type Store, type StoredRecord, StoreFullError, type User } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { encodeFrame, frameHeaderBytes } from "../../../lib/store/file/format.ts";
import { fileHeaderBytes } from "../../../lib/store/file/format.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { recordsIn, recordsOf, secretOf, sessionOf, ticketOf, userOf } from "../../support/store/records.ts";

Deno.test("copy() adds the missing records, and returns what both stores hold", async () => {
  const source = await storeOf(recordsOf(1_500));
  const target = new TableStore();
  const { digest, ...copied } = await copy(placeOf(source), placeOf(target));
  assertEquals(copied, { counts: { user: 1_500, session: 3, ticket: 5, secret: 1, credential: 3 }, added: 1_512 });
  assertEquals(await recordsIn(target), await recordsIn(source));
  assertEquals(await copy(placeOf(source), placeOf(target)), { ...copied, digest, added: 0 });

  const half = await storeOf(recordsOf(1_500).slice(0, 700));
  assertEquals(await copy(placeOf(source), placeOf(half)), { ...copied, digest, added: 812 });
});

Deno.test("copy() rejects a target with records that the source lacks, before it changes anything", async () => {
  const source = await storeOf(recordsOf(20));
  const bob = userOf("bob", { id: "9" });
  const rows: readonly [other: StoredRecord, name: string][] = [
    [putUser(bob), `a user "bob" (9)`],
    // The login of another user, and the same user with another password.
    [putUser(userOf("user3", { id: "9" })), `a user "user3" (9)`],
    [putUser({ ...userOf("user3"), passwordHash: "x" }), `a user "user3" (${userOf("user3").id})`],
    [{ kind: "session", record: sessionOf("user3", "s9") }, `a session of "user3" (s9)`],
    [{ kind: "ticket", record: ticketOf("secret", { purpose: "setup" }) }, `a ticket of the purpose "setup"`],
    [secretOf("decoy", "hidden"), `the secret "decoy" of a service that ran on it`],
    [secretOf("other", "hidden"), `the secret "other" of a service that ran on it`],
  ];
  for (const [other, name] of rows) {
    // Together with some records of the source.
    const target = await storeOf([...recordsOf(2), other]);
    const before = await recordsIn(target);
    const error = await assertRejects(() => copy(placeOf(source, "data"), placeOf(target, "new")), TaskError);
    const text = `Cannot copy to "new" as it holds ${name}, which differs from "data" or is missing there`;
    assertStringIncludes(error.message, text);
    assert(!/value of|hidden/.test(error.message), error.message);
    assertEquals(await recordsIn(target), before);
  }
});

Deno.test("copy() rejects an empty source", async () => {
  const empty = placeOf(new TableStore(), "empty");
  const error = await assertRejects(() => copy(empty, placeOf(new TableStore())), TaskError);
  assertEquals(error.message, `Cannot copy "empty" as it holds no records`);
});

Deno.test("copy() to a target that becomes full says so, and continues when there is room", async () => {
  const source = placeOf(await storeOf(recordsOf(2_500)));
  const target = new SmallStore();
  target.room = 1_100;
  const error = await assertRejects(() => copy(source, placeOf(target, "small")), TaskError, `no room in "small"`);
  assert(error.cause instanceof StoreFullError);
  assertStringIncludes(error.message, "run the copy again");
  assertEquals((await target.size()).users, 1_000);
  target.room = Infinity;
  assertEquals((await copy(source, placeOf(target))).added, 1_512);
});

Deno.test("copy() passes on other errors", async () => {
  const broken = new TypeError("broken");
  const target = new TableStore();
  target.insertRecords = () => Promise.reject(broken);
  const source = placeOf(await storeOf(recordsOf(1)));
  assertEquals(await assertRejects(() => copy(source, placeOf(target)), TypeError), broken);
});

Deno.test("copy() reports a record that differs in the end, and a source that has changed", async () => {
  const source = await storeOf(recordsOf(20));
  const error = await assertRejects(
    () => copy(placeOf(source, "data"), placeOf(new ForgetfulStore(), "new")),
    TaskError,
    `The copy is not complete: "data" holds 20 users, 3 sessions, 5 tickets, 1 secrets, 3 credentials, digest `,
  );
  assertStringIncludes(error.message, `and "new" 20 users, 3 sessions, 5 tickets, 1 secrets, 3 credentials, digest `);
  assertEquals(new Set(error.message.match(/[\da-f]{64}/g)).size, 2);

  let openings = 0;
  const changing: NamedStore = {
    name: "data",
    async open() {
      if (++openings === 2) await source.insertUser(userOf("late"));
      return source;
    },
  };
  const target = placeOf(new TableStore());
  await assertRejects(() => copy(changing, target), TaskError, `"data" holds 21 users`);
  // The next run succeeds.
  assertEquals((await copy(changing, target)).added, 1);
});

Deno.test("the task copy from folder to folder prints what both hold, or the reason", async () => {
  const folder = await Deno.makeTempDir();
  const at = (name: string) => `${folder}/${name}`;
  await fillFolder(at("data"), recordsOf(20));
  await fillFolder(at("other"), [putUser(userOf("bob"))]);
  await Deno.mkdir(at("empty"));
  await Deno.symlink(at("data"), at("link"));
  await using running = await openFolder(at("running"));
  await running.insertUser(userOf("alice"));
  const held = /both hold 20 users, 3 sessions, 5 tickets, 1 secrets, 3 credentials, digest [\da-f]{64}\n$/;
  const rows: readonly [args: string[], success: boolean, text: string | RegExp][] = [
    [[at("data"), at("new")], true, held],
    [[at("data"), at("new")], true, /^Copied 0 records from /],
    [["GATEHOUSE_STORE", at("other/new")], true, held],
    [[at("new"), "GATEHOUSE_STORE"], true, held],
    [[at("data"), at("other")], false, `it holds a user "bob"`],
    [[at("data"), at("running")], false, "is locked"],
    [[at("running"), at("third")], false, "is locked"],
    [[at("none"), at("third")], false, `Cannot copy store "${at("none")}": No such file`],
    [[at("empty"), at("third")], false, `Cannot copy "${at("empty")}" as it contains no store`],
    [[at("data/lock"), at("third")], false, `Cannot copy store "${at("data/lock")}": Not a directory`],
    [[at("data"), at("link")], true, `Copied 0 records from "${at("data")}" to "${at("link")}": both hold 20 users`],
    [[at("none"), at("none")], false, `Cannot copy store "${at("none")}": No such file`],
    [[at("data")], false, "Usage: deno task copy FROM TO"],
    [[at("data"), at("third"), "x"], false, "Usage: deno task copy FROM TO"],
    [[at("data"), "mysql://me:hidden@host/db"], false, "use the path of a folder"],
    [[at("data"), "postgres://me:hidden@host"], false, "use postgres://USER"],
  ];
  for (const [args, success, text] of rows) {
    const result = await runTask(args, { GATEHOUSE_STORE: at("data") });
    assertEquals(result.success, success, result.stderr);
    const said = success ? result.stdout : result.stderr;
    assert(typeof text === "string" ? said.includes(text) : text.test(said), said);
    assert(!said.includes("hidden"), said);
  }
  for (const name of ["none", "third"]) await assertRejects(() => Deno.stat(at(name)), Deno.errors.NotFound);
  assertEquals(Array.from(Deno.readDirSync(at("empty"))), []);
});

Deno.test("the task copy writes nothing to its source, not even to a torn frame", async () => {
  const folder = await Deno.makeTempDir();
  await fillFolder(`${folder}/data`, recordsOf(20));
  const journal = Array.from(Deno.readDirSync(`${folder}/data`)).find(({ name }) => name.startsWith("journal-"));
  using file = await Deno.open(`${folder}/data/${journal?.name}`, { write: true });
  await file.seek(fileHeaderBytes, Deno.SeekMode.Start);
  // A header, and zeros behind it.
  await file.write(encodeFrame(new Uint8Array(100), 1).subarray(0, frameHeaderBytes));
  const before = await filesIn(`${folder}/data`);
  const { success, stderr } = await runTask([`${folder}/data`, `${folder}/new`], {});
  assert(success, stderr);
  assertEquals(await filesIn(`${folder}/data`), before);
});

/** The content of each file of a folder, and when it was written. */
async function filesIn(folder: string) {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  return await Promise.all(names.map(async (name) => {
    const path = `${folder}/${name}`;
    return { name, bytes: await Deno.readFile(path), mtime: (await Deno.stat(path)).mtime };
  }));
}

/** Has room for some users only. */
class SmallStore extends TableStore {
  room = Infinity;

  override async insertRecords(records: readonly StoredRecord[]): Promise<void> {
    const { users } = await this.size();
    if (users + records.length > this.room) throw new StoreFullError("no room");
    await super.insertRecords(records);
  }
}

/** Forgets a group. */
class ForgetfulStore extends TableStore {
  override async insertRecords(records: readonly StoredRecord[]): Promise<void> {
    await super.insertRecords(records.map((record) => {
      if (record.kind !== "user") return record;
      const { record: user } = record;
      return putUser({ ...user, groups: user.groups.filter((group) => group !== "staff") });
    }));
  }
}

function putUser(user: User): StoredRecord {
  return { kind: "user", record: user };
}

async function storeOf(records: readonly StoredRecord[]): Promise<TableStore> {
  const store = new TableStore();
  await store.insertRecords(records);
  return store;
}

function placeOf(store: Store, name = "store"): NamedStore {
  return { name, open: () => Promise.resolve(store) };
}

function openFolder(path: string): Promise<Store> {
  return openFileStore(path, { log: createLog(() => {}), extendBytes: 4_096 });
}

async function fillFolder(path: string, records: readonly StoredRecord[]): Promise<void> {
  await using store = await openFolder(path);
  await store.insertRecords(records);
}

async function runTask(args: string[], env: Record<string, string>) {
  const script = new URL("../../../lib/tasks/copy.ts", import.meta.url).pathname;
  const output = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", script, ...args], env }).output();
  const text = new TextDecoder();
  return { success: output.success, stdout: text.decode(output.stdout), stderr: text.decode(output.stderr) };
}
