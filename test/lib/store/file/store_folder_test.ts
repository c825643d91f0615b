import { assert, assertEquals, assertRejects } from "@std/assert";
import { backUp, verify } from "../../../../lib/tasks/backup.ts";
import { inspect } from "../../../../lib/tasks/inspect.ts";
import { createLog } from "../../../../lib/log.ts";
import type { Store } from "../../../../lib/store.ts";
import { openFileStore } from "../../../../lib/store/file/file_store.ts";
import { asFolderError, requireUnlocked, StoreFolderError } from "../../../../lib/store/file/store_folder.ts";
import { userOf } from "../../../support/store/records.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const decoder = new TextDecoder();

/** What can stand in the place of a file, and how the message calls it. */
const irregular: Readonly<Record<string, { make: (path: string, target: string) => Promise<void>; kind: string }>> = {
  "a link to a file": { make: (path, target) => Deno.symlink(target, path), kind: "a symbolic link" },
  "a link to nothing": { make: (path) => Deno.symlink("nowhere", path), kind: "a symbolic link" },
  "a link to a folder": { make: (path) => Deno.symlink("/tmp", path), kind: "a symbolic link" },
  "a folder": { make: (path) => Deno.mkdir(path), kind: "not a regular file" },
  "a pipe": {
    make: async (path) => void await new Deno.Command("mkfifo", { args: [path] }).output(),
    kind: "not a regular file",
  },
};

for (const [what, { make, kind }] of Object.entries(irregular)) {
  Deno.test(`no start and no task uses a folder in which ${what} stands for a file of the store`, async () => {
    for (const name of ["lock", "journal-2", "snapshot-2", "snapshot-1", "journal-3.tmp"]) {
      const folder = await Deno.makeTempDir();
      await fill(`${folder}/data`);
      const path = `${folder}/data/${name}`;
      if (name !== "snapshot-1" && name !== "journal-3.tmp") await Deno.rename(path, `${folder}/moved`);
      else await Deno.writeTextFile(`${folder}/moved`, "gold");
      await make(path, `${folder}/moved`);
      const before = await contentOf(folder);
      const message = `as its "${name}" is ${kind}. Nothing was changed. Move the real file there`;
      await assertRejects(() => open(`${folder}/data`), StoreFolderError, message);
      await assertRejects(() => verify(`${folder}/data`), StoreFolderError, message);
      await assertRejects(() => backUp(`${folder}/data`, `${folder}/backup`), StoreFolderError, message);
      await assertRejects(() => Array.fromAsync(inspect(`${folder}/data`)), StoreFolderError, message);
      if (name === "lock") await assertRejects(() => requireUnlocked(`${folder}/data`), StoreFolderError, message);
      assertEquals(await contentOf(folder), before);
    }
  });
}

Deno.test("openFileStore() opens a folder behind a link, and leaves links of others alone", async () => {
  const folder = await Deno.makeTempDir();
  await fill(`${folder}/real`);
  await Deno.symlink(`${folder}/real`, `${folder}/link`);
  await Deno.symlink("nowhere", `${folder}/real/notes`);
  {
    await using store = await open(`${folder}/link`);
    assertEquals((await store.findUser("alice"))?.login, "alice");
    await store.insertUser(userOf("bob"));
  }
  assertEquals((await verify(`${folder}/real`)).counts.user, 2);
  assert((await Deno.lstat(`${folder}/link`)).isSymlink && (await Deno.lstat(`${folder}/real/notes`)).isSymlink);
});

Deno.test("openFileStore() fails when a folder that can be synced is not", async () => {
  const disk = new SimulatedDisk();
  disk.errorText = "Input/output error (os error 5)";
  disk.script = ({ kind }) => kind === "syncFolder" ? "fail" : undefined;
  const message = 'Cannot open store "folder": syncFolder "": Input/output error (os error 5)';
  await assertRejects(
    () => openFileStore("folder", { disk, log: createLog(() => {}) }),
    StoreFolderError,
    message,
  );
});

Deno.test("openFileStore() and requireUnlocked() refuse a file system without locks", async () => {
  const folder = await Deno.makeTempDir();
  const { tryLock } = Deno.FsFile.prototype;
  try {
    Deno.FsFile.prototype.tryLock = () => Promise.reject(new Error("No locks available (os error 37)"));
    const message = `Cannot open store "${folder}" as its file system cannot lock files (Error: No locks available`;
    await assertRejects(() => open(folder), StoreFolderError, message);
    await assertRejects(() => requireUnlocked(folder), StoreFolderError, message);
  } finally {
    Deno.FsFile.prototype.tryLock = tryLock;
  }
  await using _store = await open(folder);
});

Deno.test("asFolderError() leaves errors alone that are not the system's, and knows no remedy for some", () => {
  const other = new RangeError("other");
  assertEquals(asFolderError(other, { path: "x", action: "open" }), other);
  assertEquals(asFolderError("text", { path: "x", action: "open" }), "text");
  const system = Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" });
  const named = asFolderError(system, { path: "x", action: "open" });
  assert(named instanceof StoreFolderError && named.cause === system);
  assertEquals(named.message, 'Cannot open store "x": Input/output error (os error 5)');
});

Deno.test("no task advises --allow-all for a folder that Deno protects, or that its flags do not name", async () => {
  const folder = await Deno.makeTempDir();
  await fill(`${folder}/data`);
  const protects = "Deno protects /dev, /proc and /sys";
  const another = `${protects}. Set GATEHOUSE_STORE to another folder`;
  const rows: readonly (readonly [args: readonly string[], store: string, message: string])[] = [
    [["main.ts"], "/dev/shm/x", `Cannot open store "/dev/shm/x": ${another}`],
    [["main.ts"], "/proc/x", `Cannot open store "/proc/x": ${another}`],
    [["main.ts"], "/sys/x", `Cannot open store "/sys/x": ${another}`],
    [["lib/tasks/inspect.ts"], "/dev/shm/x", `Cannot inspect store "/dev/shm/x": ${another}`],
    [["lib/tasks/copy.ts", "/dev/shm/x", `${folder}/new`], "x", `Cannot copy store "/dev/shm/x": ${another}`],
    [["lib/tasks/copy.ts", `${folder}/data`, "/dev/shm/x"], "x", `Cannot open store "/dev/shm/x": ${another}`],
    [["lib/tasks/backup.ts", "verify", "/dev/shm/x"], "x", `Cannot verify "/dev/shm/x": ${protects}`],
    [
      ["lib/tasks/backup.ts", "backup", "/dev/shm/x"],
      `${folder}/data`,
      `Cannot write backup "/dev/shm/x": ${protects}`,
    ],
  ];
  for (const [args, store, message] of rows) {
    const text = await failWith(args, { store, allowed: "" });
    // Some tasks name the store that they act on first.
    assertEquals(text.replace(`The store is "${store}"\n`, ""), `${message}\n`);
  }
  const text = await failWith(["main.ts"], { store: `${folder}/data`, allowed: "=lib,routes" });
  const remedy = "Start the program with its task, which allows what the settings name\n";
  assert(
    text.startsWith(`Cannot open store "${folder}/data": Requires write access to `) && text.endsWith(remedy),
    text,
  );
});

/** Runs a program without `--allow-all`. @returns what it says on standard error */
async function failWith(
  args: readonly string[],
  { store, allowed }: { store: string; allowed: string },
): Promise<string> {
  const flags = ["--no-prompt", "--allow-env", "--allow-net", `--allow-read${allowed}`, `--allow-write${allowed}`];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, ...args],
    env: { GATEHOUSE_STORE: store, GATEHOUSE_LISTEN: "127.0.0.1:0", NO_COLOR: "1" },
  }).output();
  assertEquals(success, false);
  return decoder.decode(stderr);
}

async function fill(path: string): Promise<void> {
  await using store = await open(path);
  await store.insertUser(userOf("alice"));
}

function open(path: string): Promise<Store> {
  return openFileStore(path, { log: createLog(() => {}), extendBytes: 4_096 });
}

/** Every file, link and folder below, with the content of the files. */
async function contentOf(path: string): Promise<string[]> {
  const content: string[] = [];
  for await (const { name, isFile, isDirectory, isSymlink } of Deno.readDir(path)) {
    const at = `${path}/${name}`;
    content.push(`${at} ${isFile} ${isDirectory} ${isSymlink}`);
    if (isDirectory) content.push(...await contentOf(at));
    // The process that locks writes its number.
    if (isFile && name !== "lock") content.push(decoder.decode(await Deno.readFile(at)));
  }
  return content.sort();
}
