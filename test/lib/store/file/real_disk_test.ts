/**
 * The store on the real disk, as the kernel sees it. The other tests use the simulated disk and cannot notice a call
 * that the real one lacks.
 *
 * strace shows every call of a run. A change may be acknowledged only when its bytes and the names of its files are on
 * the disk, a file gets its name only when its bytes are there, and an old file goes only when the new name is there.
 */

import { assert, assertEquals } from "@std/assert";
import { dirname } from "node:path";
import { realDisk } from "../../../../lib/store/file/disk.ts";
import { readRunningFolder } from "../../../../lib/store/file/folder.ts";
import { ensureProgram } from "../../../support/packages.ts";

const program = `${import.meta.dirname}/../../../support/store/real_disk_program.ts`;
const hasStrace = await ensureProgram("strace", "strace");
const hasPrlimit = await ensureProgram("prlimit", "util-linux");

/** A call to the system that reaches for the disk, or an acknowledgement. */
interface Call {
  readonly name: string;
  /** Of the first file that it names. */
  readonly path: string;
  /** Of the second. */
  readonly to: string;
}

/** Made when they begin; all others count when they have ended. */
const countAtStart = new Set(["rename", "unlink", "ack"]);

Deno.test({
  name: "a file store acknowledges, renames and removes only what is on the disk before, by the calls of a real run",
  ignore: !hasStrace,
  async fn() {
    const parent = await Deno.makeTempDir({ prefix: "gatehouse-" });
    const folder = `${parent}/new/data`;
    const trace = `${parent}/trace`;
    // -f: threads too, as they write and sync. -y: paths in place of descriptors.
    const args = ["-f", "-y", "-s", "64", "-e", "signal=none", "-o", trace, "-e", `trace=${traced.join()}`];
    await run("strace", [...args, Deno.execPath(), "run", "-A", program, folder, "120", "4000"]);
    const calls = parseTrace(await Deno.readTextFile(trace)).filter(({ path }) =>
      path.startsWith(parent) || path === ""
    );

    assertEquals(calls.filter(({ name }) => name === "ack").length, 120);
    const renamed = calls.filter(({ name }) => name === "rename").map(({ to }) => to.replace(/.*\/|-\d+$/g, ""));
    assert(renamed.filter((name) => name === "snapshot").length >= 3, renamed.join());
    assert(renamed.filter((name) => name === "journal").length >= 3, renamed.join());
    assert(calls.some(({ name }) => name === "unlink"));
    assertEquals(mistakes(calls), []);
    await Deno.remove(parent, { recursive: true });
  },
});

for (const limit of [9_001, 12_345]) {
  Deno.test({
    name: `a file store loses nothing acknowledged when a write is cut short at byte ${limit} of the file`,
    ignore: !hasPrlimit,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
      const args = ["run", "-A", program, folder, "1000", "1000000", String(limit)];
      const acknowledged = (await run(Deno.execPath(), args)).split("\n").filter((line) => line.startsWith("ack "));
      assert(acknowledged.length > 10 && acknowledged.length < 1_000, `${acknowledged.length}`);
      const { tables } = await readRunningFolder(realDisk(folder));
      const kept = new Set(Array.from(tables.users.values(), ({ login }) => `ack ${login}`));
      assertEquals(acknowledged.filter((line) => !kept.has(line)), []);
      await Deno.remove(folder, { recursive: true });
    },
  });
}

const mistakesOf: Record<string, { calls: Call[]; mistake: string }> = {
  "a change that is not synced": {
    calls: [call("write", "f/journal-1"), call("ack")],
    mistake: "acknowledged before f/journal-1 was synced",
  },
  "a file that is renamed before it is synced": {
    calls: [call("write", "f/snapshot-1.tmp"), call("rename", "f/snapshot-1.tmp", "f/snapshot-1")],
    mistake: "renamed before f/snapshot-1.tmp was synced",
  },
  "a name that is not synced": {
    calls: [call("rename", "f/journal-2.tmp", "f/journal-2"), call("ack")],
    mistake: "acknowledged before the name f/journal-2 was synced",
  },
  "an old file that goes before the new name is there": {
    calls: [call("rename", "f/snapshot-2.tmp", "f/snapshot-2"), call("unlink", "f/journal-1")],
    mistake: "removed before the name f/snapshot-2 was synced",
  },
  "a folder whose name is not synced": {
    calls: [call("mkdir", "f"), call("fsync", "f"), call("ack")],
    mistake: "acknowledged before the name f was synced",
  },
};

for (const [what, { calls, mistake }] of Object.entries(mistakesOf)) {
  Deno.test(`mistakes() finds ${what}`, () => assertEquals(mistakes(calls), [mistake]));
}

/** Names of files: those of journals and snapshots that are written aside, and folders, among them. */
function mistakes(calls: readonly Call[]): string[] {
  const found: string[] = [];
  const unsyncedFiles = new Set<string>();
  const unsyncedNames = new Set<string>();
  for (const { name, path, to } of calls) {
    if (name === "write") unsyncedFiles.add(path);
    if (name === "fdatasync" || name === "fsync") unsyncedFiles.delete(path);
    if (name === "fsync") {
      for (const other of unsyncedNames) if (dirname(other) === path) unsyncedNames.delete(other);
    }
    if (name === "mkdir") unsyncedNames.add(path);
    if (name === "rename") {
      if (unsyncedFiles.has(path)) found.push(`renamed before ${path} was synced`);
      unsyncedNames.add(to);
    }
    if (name === "unlink") {
      for (const other of unsyncedNames) found.push(`removed before the name ${other} was synced`);
    }
    if (name !== "ack") continue;
    // A snapshot may be on its way meanwhile.
    const isNeeded = (other: string) => !/\/snapshot-\d+(\.tmp)?$|\.tmp$/.test(other);
    for (const other of unsyncedFiles) if (isNeeded(other)) found.push(`acknowledged before ${other} was synced`);
    for (const other of unsyncedNames) {
      if (isNeeded(other)) found.push(`acknowledged before the name ${other} was synced`);
    }
  }
  return found;
}

const traced = ["write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "rename", "renameat", "renameat2"]
  .concat("unlink", "unlinkat", "mkdir", "mkdirat");

/** The calls of a trace that succeeded, in order; that of the lock file is none of them. */
function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, Call>();
  for (const line of text.split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>/.test(rest);
    const parsed = resumed ? unfinished.get(thread) : parseCall(rest);
    if (parsed === undefined) continue;
    const isUnfinished = rest.endsWith("<unfinished ...>");
    if (isUnfinished) unfinished.set(thread, parsed);
    if (!resumed && countAtStart.has(parsed.name)) calls.push(parsed);
    else if (!isUnfinished && / = \d+/.test(rest) && !countAtStart.has(parsed.name)) calls.push(parsed);
  }
  return calls;
}

function parseCall(text: string): Call | undefined {
  const [, name = "", args = ""] = /^(\w+)\((.*)$/.exec(text) ?? [];
  if (/^1<[^>]*>, "ack /.test(args)) return call("ack");
  const [path = "", to = ""] = Array.from(args.matchAll(/^\d+<([^>]*)>|"([^"]*)"/g), ([, of, at]) => of ?? at ?? "");
  if (path.endsWith("/lock") || name === "") return undefined;
  const known = name.replace(/^p?write.*/, "write").replace(/^(rename|unlink|mkdir)at2?$/, "$1");
  return call(known, path, known === "rename" ? to : "");
}

function call(name: string, path = "", to = ""): Call {
  return { name, path, to };
}

/** @returns what it printed */
async function run(command: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout);
}
