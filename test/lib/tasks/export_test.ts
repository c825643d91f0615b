/** The task `export`, and the way back: what was exported imports to the same digest. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createLog } from "../../../lib/log.ts";
import { usableHash, wrapHash } from "../../../lib/passwords/stored_hash.ts";
import type { StoredRecord, User } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { digestIn, nativeHash, runTask } from "../../support/import.ts";
import { sessionOf } from "../../support/store/records.ts";
import hashes from "../passwords/hashes.json" with { type: "json" };

const log = createLog(() => {});

Deno.test("what the task export writes while a service runs imports to the same digest", async () => {
  const folder = await Deno.makeTempDir();
  const at = (name: string) => `${folder}/${name}`;
  const users = await allUsers();
  await using running = await openFileStore(at("data"), { log, extendBytes: 4_096 });
  await running.insertRecords([
    ...users.map((user): StoredRecord => ({ kind: "user", record: user })),
    { kind: "session", record: sessionOf("user0", "s1") },
  ]);
  const written: string[] = [];
  for (const format of ["jsonl", "csv"]) {
    const exported = await runTask(["export", format, at(format)], { store: at("data") });
    assertEquals([exported.code, exported.stderr.trimEnd()], [
      0,
      `"${at(format)}" has the password hashes of all users: keep it secret, and delete it after use`,
    ]);
    const digest = digestIn(exported);
    const from = `from "${at("data")}" to "${at(format)}"`;
    assertEquals(exported.stdout, `Exported ${users.length} users, digest ${digest}, ${from}\n`);
    assertEquals((await Deno.stat(at(format))).mode ?? 0, 0o100600);
    const imported = await runTask(["import", format, at(format)], { store: at(`of-${format}`) });
    assertEquals([imported.code, digestIn(imported)], [0, digest], imported.stderr);
    assertStringIncludes(imported.stdout, `Imported ${users.length} users `);
    written.push(await Deno.readTextFile(at(format)));
  }
  const [lines = "", table = ""] = written;
  assertEquals(JSON.parse(lines.split("\n", 1)[0] ?? ""), {
    id: "01HWT0D7G00000000000000000",
    login: "user0",
    password_hash: nativeHash,
    registered_at: "2024-05-01T12:00:00.123Z",
    groups: ["admin", "staff"],
    disabled: false,
  });
  assertEquals(table.split("\n").slice(0, 3), [
    "id,login,password_hash,registered_at,groups,disabled",
    `"01HWT0D7G00000000000000000","user0","${nativeHash}","2024-05-01T12:00:00.123Z","admin,staff","false"`,
    `"01HWT0D7G00000000000000001","user1","${nativeHash}","1970-01-01T00:00:00.001Z","","true"`,
  ]);
});

Deno.test("the task export overwrites nothing, leaves nothing behind, and says why", async () => {
  const folder = await Deno.makeTempDir();
  const at = (name: string) => `${folder}/${name}`;
  for (const [name, records] of [["data", await allUsers()], ["empty", []]] as const) {
    await using store = await openFileStore(at(name), { log, extendBytes: 4_096 });
    await store.insertRecords(records.map((user) => ({ kind: "user", record: user })));
  }
  await Deno.writeTextFile(at("file"), "kept");
  await Deno.writeTextFile(at("killed.tmp"), "kept");
  await Deno.symlink(at("nowhere"), at("link"));
  const rows: readonly [args: readonly string[], text: string, store?: string][] = [
    [["xml", at("new")], 'Cannot export the format "xml" as it is unknown: use jsonl or csv'],
    [["toString", at("new")], 'Cannot export the format "toString" as it is unknown'],
    [["jsonl", at("file")], `Cannot write "${at("file")}" as there is a file of that name: choose another name`],
    [["jsonl", at("link")], `Cannot write "${at("link")}" as there is a file of that name: choose another name`],
    [["jsonl", at("killed")], `Cannot write "${at("killed.tmp")}" as there is a file of that name`],
    [["jsonl", at("none/new")], `Cannot write "${at("none/new")}": No such file or directory`],
    [["jsonl", at("new")], "Cannot export as there are no users: set GATEHOUSE_STORE as for the service", at("empty")],
    [["jsonl", at("new")], `Cannot export store "${at("none")}": No such file`, at("none")],
    [["jsonl"], "Usage: deno task export FORMAT FILE"],
  ];
  for (const [args, text, store = at("data")] of rows) {
    const { code, stdout, stderr } = await runTask(["export", ...args], { store });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, text);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }
  const full = await runTask(["export", "csv", at("new")], { store: at("data"), shell: "trap '' XFSZ; ulimit -f 1" });
  assertEquals(full.code, 1);
  assertStringIncludes(full.stderr, `Cannot write "${at("new")}": File too large`);
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  assertEquals(names, ["data", "empty", "file", "killed.tmp", "link"]);
  assertEquals(await Deno.readTextFile(at("file")), "kept");
  await assertRejects(() => Deno.stat(at("nowhere")), Deno.errors.NotFound);
});

/** Users with all that a user may have, and with every kind of hash. */
async function allUsers(): Promise<readonly User[]> {
  const special: readonly Partial<User>[] = [
    { registeredAt: Date.UTC(2024, 4, 1, 12, 0, 0, 123), groups: ["admin", "staff"] },
    { registeredAt: 1, disabled: true },
    { login: "a.b_c-d+e@example.org", groups: Array.from({ length: 32 }, (_, index) => `group-${index}`) },
  ];
  const kinds = await Promise.all(
    Object.values(hashes.hashes).filter((text) => usableHash(text) !== undefined).map(async (passwordHash) => {
      const { isFast } = usableHash(passwordHash) ?? {};
      return { passwordHash: isFast ? await wrapHash(passwordHash, { kind: "pbkdf2", iterations: 1 }) : passwordHash };
    }),
  );
  assert(kinds.length > 10);
  return [...special, ...kinds].map((changes, index) => ({
    id: `01HWT0D7G0${String(index).padStart(16, "0")}`,
    login: `user${index}`,
    passwordHash: nativeHash,
    registeredAt: Date.UTC(2024, 4, 1, 12),
    groups: [],
    disabled: false,
    ...changes,
  }));
}
