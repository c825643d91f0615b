/** The task `import` as a process, into folders. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createLog } from "../../../lib/log.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { inspect } from "../../../lib/tasks/inspect.ts";
import { digestIn, nativeHash, password, runTask, startTask, usersIn, writeUsers } from "../../support/import.ts";
import { startService } from "../../support/service.ts";
import project from "../../../deno.json" with { type: "json" };
import hashes from "../passwords/hashes.json" with { type: "json" };

const ssha = hashes.hashes["ldap {SSHA}"];

Deno.test("the task import reports each refused line, and succeeds when all users are in", async () => {
  const folder = await Deno.makeTempDir();
  const [file, renames] = [`${folder}/htpasswd`, `${folder}/renames.csv`];
  const store = `${folder}/data`;
  const yescrypt = hashes.hashes["shadow yescrypt"];
  const lines = [
    `Alice:${nativeHash}`,
    `bob\x1b[31m smith\u202e:${ssha}`,
    `carol:${yescrypt}`,
    "dave:",
    `${"x".repeat(70)}:${nativeHash}`,
  ];
  await Deno.writeTextFile(file, lines.join("\n"));
  const dry = await runTask(["import", "htpasswd", file, "--dry-run"], { store });
  assertEquals(dry.code, 1);
  assertStringIncludes(dry.stdout, `Would import 1 users from "${file}" to "${store}": 0 already there, 3 refused, 1 `);
  assertStringIncludes(dry.stdout, `"${store}" holds 0 users, digest `);
  await assertRejects(() => Deno.stat(store), Deno.errors.NotFound);

  const first = await runTask(["import", "htpasswd", file], { store });
  assertEquals([first.code, first.stderr], [1, dry.stderr]);
  assertStringIncludes(first.stdout, `Imported 1 users from "${file}" to "${store}": 0 already there, 3 refused, 1 `);
  const reported = first.stderr.trimEnd().split("\n");
  assertEquals(reported.length, 5);
  assertStringIncludes(reported[0] ?? "", `The store is "${store}"`);
  assertStringIncludes(reported[1] ?? "", 'Refused line 2, "bob\\u001b[31m smith\ufffd": the login must consist of');
  assertStringIncludes(
    reported[2] ?? "",
    'Refused line 3, "carol": the password hash cannot be verified: it is yescrypt',
  );
  assertStringIncludes(reported[3] ?? "", 'Skipped line 4, "dave": there is no hash');
  assertStringIncludes(
    reported[4] ?? "",
    `Refused line 5, "${"x".repeat(64)}": the login must have at most 64 characters`,
  );
  assert(
    !first.stderr.includes("\x1b") && !first.stderr.includes("\u202e") && !first.stderr.includes(yescrypt.slice(-20)),
  );

  await Deno.writeTextFile(
    renames,
    `"bob\x1b[31m smith\u202e",Bob\ncarol,carol\n${"x".repeat(70)},long\nnobody,else\n`,
  );
  await Deno.writeTextFile(file, lines.join("\n").replace(yescrypt, ssha));
  const second = await runTask(["import", "htpasswd", file, "--rename", renames], { store });
  assertEquals(second.code, 0, second.stderr);
  assertStringIncludes(second.stdout, "Imported 3 users ");
  assertStringIncludes(second.stdout, "1 already there, 0 refused, 1 without a password");
  assertStringIncludes(second.stdout, "Administrators among them: 0. Fast hashes, stored wrapped: 2");
  assertStringIncludes(second.stderr, 'Nothing was renamed from "nobody"');
  const kept = await Array.fromAsync(inspect(store), (line) => JSON.parse(line));
  assertEquals(kept.map(({ login }) => login).sort(), ["alice", "bob", "carol", "long"]);
  assert(!kept.some(({ password_hash }) => password_hash === ssha));
});

Deno.test("a user that was imported logs in with the old password, and gets a new hash", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/users.csv`, `login,password_hash,groups\nalice,"${ssha}","admin,staff"\n`);
  const imported = await runTask(["import", "csv", `${folder}/users.csv`], { store: `${folder}/data` });
  assertEquals(imported.code, 0, imported.stderr);
  assertStringIncludes(imported.stdout, "Administrators among them: 1. Fast hashes, stored wrapped: 1");
  await using service = await startService({ env: { GATEHOUSE_STORE: `${folder}/data` } });
  for (const [tried, status] of [[`${password}x`, 401], [password, 201], [password, 201]] as const) {
    const body = JSON.stringify({ login: "alice", password: tried });
    const response = await fetch(`${service.url}/session/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    assertEquals(response.status, status, await response.text());
  }
  await service.stop();
  const [user] = await Array.fromAsync(inspect(`${folder}/data`), (line) => JSON.parse(line));
  assertMatch(user.password_hash, /^\$pbkdf2-sha256\$i=1000\$[^~]+$/);
  assertEquals(user.groups, ["admin", "staff"]);
});

Deno.test("the task import that was killed continues to the same digest, in bounded time", async () => {
  const folder = await Deno.makeTempDir();
  const at = (name: string) => `${folder}/${name}`;
  const count = 20_000;
  await writeUsers(at("users"), count);
  // Seconds of a core: they do not depend on other tests. `deno task bench import` measures the time of 100,000 users.
  const whole = await runTask(["import", "jsonl", at("users")], { store: at("whole"), shell: "ulimit -t 10" });
  assertEquals(whole.code, 0, whole.stderr);
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    const store = at(signal);
    {
      await using task = startTask(["import", "jsonl", at("users")], store);
      await task.until(async () => await usersIn(store) > 0 || undefined, { what: "the first users" });
      await task.stop(signal);
    }
    const half = await usersIn(store);
    assert(half > 0 && half < count && half % 1_000 === 0, `${half} users`);
    const again = await runTask(["import", "jsonl", at("users")], { store });
    assertStringIncludes(
      again.stdout,
      `Imported ${count - half} users from "${at("users")}" to "${store}": ${half} al`,
    );
    assertEquals([again.code, digestIn(again)], [0, digestIn(whole)]);
  }
});

Deno.test("the task import says in one line why it cannot begin, and creates no store", async () => {
  const folder = await Deno.makeTempDir();
  const at = (name: string) => `${folder}/${name}`;
  await Deno.writeTextFile(at("users"), `alice:${nativeHash}\n`);
  await Deno.writeTextFile(at("empty"), "# nobody\n");
  await Deno.writeTextFile(at("one-field"), "alice\n");
  await Deno.writeTextFile(at("twice"), "alice,a\nalice,b\n");
  await using _running = await openFileStore(at("running"), { log: createLog(() => {}), extendBytes: 4_096 });
  const rows: readonly [args: readonly string[], text: string, store?: string][] = [
    [
      ["nonsense", at("users")],
      'Cannot import the format "nonsense" as it is unknown: use one of jsonl, csv, htpasswd',
    ],
    [["htpasswd", at("none")], `Cannot read "${at("none")}": No such file`],
    [["htpasswd", folder], `Cannot read "${folder}" as it is not a file`],
    [
      ["htpasswd", at("users"), "--login-field", "x"],
      "Cannot use --login-field as the fields of the format htpasswd have",
    ],
    [["htpasswd", at("users"), "--rename", at("none")], `Cannot read "${at("none")}": No such file`],
    [["htpasswd", at("users"), "--rename", at("one-field")], "as a list of new names: line 1: it is not OLD,NEW"],
    [["htpasswd", at("users"), "--rename", at("twice")], "line 2: it renames what an earlier line renames"],
    [["htpasswd"], "Usage: deno task import FORMAT FILE [--dry-run] [--rename FILE] [--login-field NAME]"],
    [["htpasswd", at("users")], "as a service uses it: stop the service, import", at("running")],
    [["htpasswd", at("users")], "Set GATEHOUSE_STORE to a folder", at("users")],
    [["htpasswd", at("users"), "--dry-run"], "as it is not a folder", at("users")],
  ];
  for (const [args, text, store = at("store")] of rows) {
    const { code, stdout, stderr } = await runTask(["import", ...args], { store });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr.trimEnd().split("\n").at(-1) ?? "", text);
  }
  await assertRejects(() => Deno.stat(at("store")), Deno.errors.NotFound);
  const dry = await runTask(["import", "htpasswd", at("users"), "--dry-run"], { store: at("running") });
  assertEquals(dry.code, 0, dry.stderr);
  const empty = await runTask(["import", "htpasswd", at("empty")], { store: at("store") });
  assertStringIncludes(empty.stderr, `Cannot import "${at("empty")}" as it has no users of the format htpasswd`);
  assertEquals(empty.code, 1);
});

Deno.test("the task import on a full disk says so, and continues when there is room", async () => {
  const folder = await Deno.makeTempDir();
  await writeUsers(`${folder}/users`, 10_000);
  const [args, store] = [["import", "jsonl", `${folder}/users`], `${folder}/data`];
  // In kB: less than the users take.
  const full = await runTask(args, { store, shell: "trap '' XFSZ; ulimit -f 1024" });
  assertEquals(full.code, 1);
  assertStringIncludes(full.stderr, "as the store has no room: make room and run the import again, which continues it");
  const half = await usersIn(store);
  assert(half > 0 && half < 10_000 && half % 1_000 === 0);
  const again = await runTask(args, { store });
  assertStringIncludes(again.stdout, `${half} already there, 0 refused`);
  assertEquals(again.code, 0);
});

Deno.test("deno task import has what makes glibc return the memory of Argon2id", () => {
  // Without it an import that wraps 300 hashes takes 1,014 MB, with it 140 MB.
  assert(project.tasks.import.command.startsWith("MALLOC_MMAP_THRESHOLD_=4194304 deno run "));
});
