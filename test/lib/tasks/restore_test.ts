/** What `restore()` makes of a backup, and what `verify()` and `inspect()` report. */
import { serialize } from "node:v8";
import { assert, assertEquals, assertFalse, assertLess, assertRejects } from "@std/assert";
import { backUp, restore, verify } from "../../../lib/tasks/backup.ts";
import { inspect } from "../../../lib/tasks/inspect.ts";
import { TaskError } from "../../../lib/tasks/task.ts";
import { CorruptFileError, encodeFileHeader } from "../../../lib/store/file/file_header.ts";
import { encodeFrame } from "../../../lib/store/file/format.ts";
import { StoreFolderError, StoreLockedError } from "../../../lib/store/file/store_folder.ts";
import { credentialOf, sessionOf, siteOf, userOf } from "../../support/store/records.ts";
import { open } from "../../support/store/file_store.ts";

Deno.test("verify(), inspect() and restore() reject what is neither a data folder nor a backup", async () => {
  const folder = await Deno.makeTempDir();
  const inspectAll = (path: string) => Array.fromAsync(inspect(path));
  for (const path of [folder, "/etc"]) {
    await assertRejects(() => verify(path), StoreFolderError, `Cannot verify "${path}" as it contains no store`);
    await assertRejects(() => inspectAll(path), StoreFolderError, `Cannot inspect "${path}" as it contains no store`);
    await assertRejects(() => restore(path, `${folder}/new`), TaskError, `Cannot read "${path}" as it is not a file`);
  }
  await assertRejects(() => verify("/dev/zero"), TaskError, 'Cannot read "/dev/zero" as it is not a file');
  await assertRejects(() => verify(`${folder}/none`), TaskError, `Cannot verify "${folder}/none": No such file`);
  await assertRejects(() => inspectAll(`${folder}/none`), StoreFolderError, "No such file");
  {
    await using _store = await open(`${folder}/data`);
  }
  await Deno.writeTextFile(`${folder}/text`, "x".repeat(100));
  await Deno.writeTextFile(`${folder}/empty`, "");
  for (const path of ["/etc/passwd", `${folder}/text`, `${folder}/empty`, `${folder}/data/journal-1`]) {
    const message = `Cannot read "${path}" as it is not a Gatehouse backup`;
    await assertRejects(() => verify(path), TaskError, message);
    await assertRejects(() => restore(path, `${folder}/new`), TaskError, message);
  }
  assertEquals((await verify(`${folder}/data`)).counts.user, 0);
  assertEquals(await inspectAll(`${folder}/data`), []);
});

Deno.test("verify() rejects a crafted backup immediately, and names the offset", async () => {
  const folder = await Deno.makeTempDir();
  const holes: unknown[] = [];
  holes.length = 4_294_967_295;
  const frames = [encodeFrame(serialize([[2, holes]]), 1), encodeFrame(new Uint8Array(8).with(0, 1), 0)];
  const header = encodeFileHeader({ kind: "snapshot", generation: 1, changesBefore: 0 });
  await Deno.writeFile(`${folder}/backup`, new Uint8Array([header, ...frames].flatMap((part) => [...part])));
  const startedAt = performance.now();
  await assertRejects(() => verify(`${folder}/backup`), CorruptFileError, "at byte 32: a frame cannot be decoded");
  assertLess(performance.now() - startedAt, 1_000);
});

Deno.test("inspect() prints the name of a secret, and not its value", async () => {
  const folder = await Deno.makeTempDir();
  await using store = await open(folder);
  await store.ensureSecret({ name: "decoy", value: "hidden" });
  assertEquals(await Array.fromAsync(inspect(folder)), ['{"kind":"secret","name":"decoy"}']);
});

Deno.test("inspect() prints of a session the sites that it is logged in at, and no hash", async () => {
  const folder = await Deno.makeTempDir();
  await using store = await open(folder);
  await store.insertUser(userOf("alice"));
  const session = sessionOf("alice", "s1", { sites: [siteOf("https://wiki.example.org")] });
  await store.insertSession(session, userOf("alice"));
  const [, line = ""] = await Array.fromAsync(inspect(folder));
  assertEquals(JSON.parse(line).sites, ["https://wiki.example.org"]);
  for (const { secretHash } of [session, ...session.sites]) assertFalse(line.includes(secretHash));
});

Deno.test("inspect() prints of a credential what its user sees, and nothing that it is checked with", async () => {
  const folder = await Deno.makeTempDir();
  await using store = await open(folder);
  await store.insertUser(userOf("alice"));
  const passkey = credentialOf("alice", "hidden", { id: "id", secret: "-8.hidden", lastUsedAt: 1 });
  await store.insertCredentials(userOf("alice"), [
    passkey,
    credentialOf("alice", "hidden too", { id: "id2", kind: "totp", secret: "HIDDEN" }),
  ]);
  const [, ...lines] = await Array.fromAsync(inspect(folder));
  const dates = '"name":"Phone","created_at":"2026-11-22T10:35:40.000Z","last_used_at":';
  assertEquals(lines, [
    `{"kind":"credential","id":"id","login":"alice","credential":"passkey",${dates}"1970-01-01T00:00:00.001Z"}`,
    `{"kind":"credential","id":"id2","login":"alice","credential":"totp",${dates}null}`,
  ]);
});

Deno.test("inspect() prints no control characters, which a User-Agent can contain", async () => {
  const folder = await Deno.makeTempDir();
  const userAgent = "\x1b[2J \x7f \x9b31m ü";
  {
    await using store = await open(folder);
    await store.insertUser(userOf("alice"));
    await store.insertSession(sessionOf("alice", "s1", { userAgent }), userOf("alice"));
  }
  const [, line = ""] = await Array.fromAsync(inspect(folder));
  // deno-lint-ignore no-control-regex -- that is what it looks for
  assert(!/[\0-\x1f\x7f-\x9f]/.test(line), line);
  assertEquals(JSON.parse(line).user_agent, userAgent);
});

Deno.test("inspect() and backUp() of a backup advise to restore it first", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using store = await open(`${folder}/data`);
    await store.insertUser(userOf("alice"));
  }
  const path = `${folder}/backup`;
  await backUp(`${folder}/data`, path);
  const remedy = "name a data folder. To make one from a backup, use deno task restore FILE FOLDER";
  const text = (action: string) => `Cannot ${action} "${path}" as it is not a folder: ${remedy}`;
  await assertRejects(() => Array.fromAsync(inspect(path)), StoreFolderError, text("inspect"));
  await assertRejects(() => backUp(path, `${folder}/other`), StoreFolderError, text("back up"));
});

Deno.test("restore() gives the reason when it cannot write the folder", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using store = await open(`${folder}/data`);
    await store.insertUser(userOf("alice"));
  }
  await backUp(`${folder}/data`, `${folder}/backup`);
  const target = `${folder}/backup/below`;
  const message = `Cannot restore to store "${target}": Not a directory`;
  await assertRejects(() => restore(`${folder}/backup`, target), StoreFolderError, message);
});

Deno.test("restore() rejects a folder with records, and one in use", async () => {
  const folder = await Deno.makeTempDir();
  await using store = await open(`${folder}/data`);
  await store.insertUser(userOf("alice"));
  await backUp(`${folder}/data`, `${folder}/backup`);
  await assertRejects(() => restore(`${folder}/backup`, `${folder}/data`), StoreLockedError);
  await restore(`${folder}/backup`, `${folder}/new`);
  await assertRejects(() => restore(`${folder}/backup`, `${folder}/new`), TaskError, "holds a store");
});

Deno.test("restore() that is interrupted leaves a folder that no start opens as empty", async () => {
  const folder = await Deno.makeTempDir();
  await using store = await open(`${folder}/data`);
  await store.insertUser(userOf("alice"));
  await backUp(`${folder}/data`, `${folder}/backup`);
  await restore(`${folder}/backup`, `${folder}/new`);
  await Deno.rename(`${folder}/new/snapshot-2`, `${folder}/new/snapshot-2.tmp`);
  await assertRejects(() => open(`${folder}/new`), CorruptFileError, "the file is missing");
});

Deno.test("restore() and verify() reject a damaged backup, and restore() makes no folder of it", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using store = await open(`${folder}/data`);
    await store.insertUser(userOf("alice"));
    await backUp(`${folder}/data`, `${folder}/backup`);
  }
  const bytes = await Deno.readFile(`${folder}/backup`);
  await Deno.writeFile(`${folder}/backup`, bytes.with(60, 0xee));
  await assertRejects(() => verify(`${folder}/backup`), CorruptFileError, "at byte 32");
  await assertRejects(() => restore(`${folder}/backup`, `${folder}/new`), CorruptFileError);
  await assertRejects(() => Deno.stat(`${folder}/new`), Deno.errors.NotFound);
});

Deno.test("verify() reports a torn frame, which the next start cuts", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using store = await open(folder);
    await store.insertUser(userOf("alice"));
  }
  const bytes = await Deno.readFile(`${folder}/journal-2`);
  await Deno.writeFile(`${folder}/journal-2`, bytes.with(32, 7));
  const { counts: { user: users }, torn } = await verify(folder);
  assertEquals([users, torn?.startsWith("the last frame of journal-2 at byte 32 is torn")], [1, true]);
});
