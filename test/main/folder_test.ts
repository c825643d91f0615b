/** Starts on a folder that cannot be used: each ends with one line that names the folder, the cause and the remedy. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ensureProgram } from "../support/packages.ts";
import { TestProcess } from "../support/process.ts";

const env = { GATEHOUSE_LISTEN: "127.0.0.1:0", GATEHOUSE_PBKDF2_ITERATIONS: "1000", NO_COLOR: "1" };
const start = [Deno.execPath(), "run", "-A", "main.ts"];
const isRoot = Deno.uid() === 0;
const nobody = 65_534;
/** Root without capabilities: an ordinary user, who owns the files of root. */
const asOrdinaryUser = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
const canDropCapabilities = isRoot && await ensureProgram("setpriv", "util-linux");
/** In a mount namespace of its own, so that nothing is left mounted. */
const canMount = isRoot && await succeeds(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
const otherFolder = "or set GATEHOUSE_STORE to another folder\n";

interface FailedStart {
  /** Makes what is to be refused in an empty folder. @returns the store, and what comes before the start */
  readonly prepare: (folder: string) => Promise<{ store: string; before?: string[] }>;
  readonly cause: string;
  readonly remedy: string;
  readonly ignore?: boolean;
}

const failedStarts: Readonly<Record<string, FailedStart>> = {
  "a file": {
    prepare: async (folder) => ({ store: await fileIn(folder) }),
    cause: "File exists (os error 17)",
    remedy: "Set GATEHOUSE_STORE to a folder: this is a file, or a symbolic link to a folder that does not exist\n",
  },
  "a folder below a file": {
    prepare: async (folder) => ({ store: `${await fileIn(folder)}/data` }),
    cause: "Not a directory (os error 20)",
    remedy: "Set GATEHOUSE_STORE to a folder that is not below a file\n",
  },
  "a link to a folder that does not exist": {
    prepare: async (folder) => {
      await Deno.symlink(`${folder}/later`, `${folder}/data`);
      return { store: `${folder}/data` };
    },
    cause: "File exists (os error 17)",
    remedy: "a symbolic link to a folder that does not exist\n",
  },
  "links in a circle": {
    prepare: async (folder) => {
      await Deno.symlink(`${folder}/data`, `${folder}/data`);
      return { store: `${folder}/data` };
    },
    cause: "(os error 40)",
    remedy: "Remove the symbolic links that lead in a circle\n",
  },
  "a path that is too long": {
    prepare: (folder) => Promise.resolve({ store: `${folder}/${"x".repeat(300)}` }),
    cause: "File name too long (os error 36)",
    remedy: "Set GATEHOUSE_STORE to a shorter path\n",
  },
  "a folder of another user": {
    prepare: async (folder) => {
      await Deno.chown(folder, nobody, nobody);
      return { store: folder, before: asOrdinaryUser };
    },
    cause: "Permission denied (os error 13)",
    remedy: `Give the folder and its files to the user of the service with chown -R, ${otherFolder}`,
    ignore: !canDropCapabilities,
  },
  "a folder in which a journal belongs to another user": {
    prepare: async (folder) => {
      await Deno.writeTextFile(`${folder}/journal-1`, "", { mode: 0o600 });
      await Deno.chown(`${folder}/journal-1`, nobody, nobody);
      return { store: folder, before: asOrdinaryUser };
    },
    cause: "journal-1",
    remedy: `chown -R, ${otherFolder}`,
    ignore: !canDropCapabilities,
  },
  "a folder that may be listed and not entered": {
    prepare: async (folder) => {
      await Deno.chmod(folder, 0o600);
      return { store: folder, before: asOrdinaryUser };
    },
    cause: "Permission denied (os error 13)",
    remedy: otherFolder,
    ignore: !canDropCapabilities,
  },
  "a file system that is mounted for reading": {
    prepare: (folder) => Promise.resolve({ store: folder, before: mounted("ro", folder) }),
    cause: "Read-only file system (os error 30)",
    remedy: `Mount its file system for writing, ${otherFolder}`,
    ignore: !canMount,
  },
  "a file system without room for the lock": {
    prepare: (folder) => Promise.resolve({ store: folder, before: mounted("size=4k,nr_inodes=1", folder) }),
    cause: "No space left on device (os error 28)",
    remedy: `Free some space, ${otherFolder}`,
    ignore: !canMount,
  },
  "a file system without room for the journal": {
    prepare: (folder) => Promise.resolve({ store: folder, before: mounted("size=16k", folder) }),
    cause: "No space left on device (os error 28)",
    remedy: `Free some space, ${otherFolder}`,
    ignore: !canMount,
  },
};

for (const [what, { prepare, cause, remedy, ignore = false }] of Object.entries(failedStarts)) {
  Deno.test({
    name: `a start on ${what} ends with one line: folder, cause and remedy`,
    ignore,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
      const { store, before = [] } = await prepare(folder);
      const [program = "", ...args] = [...before, ...start];
      await using process = new TestProcess(program, { args, env: { ...env, GATEHOUSE_STORE: store } });
      assertEquals((await process.status).code, 1, process.output);
      const lines = process.output.split("\n").filter((line) => !line.startsWith('{"time"'));
      assertEquals(lines.length, 2, process.output);
      assertStringIncludes(process.output, `Cannot open store "${store}"`);
      assertStringIncludes(process.output, cause);
      assert(process.output.endsWith(remedy), process.output);
    },
  });
}

async function fileIn(folder: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/file`, "");
  return `${folder}/file`;
}

function mounted(options: string, folder: string): string[] {
  return ["unshare", "--mount", "sh", "-c", `mount -t tmpfs -o ${options} tmpfs ${folder} && exec "$@"`, "sh"];
}

async function succeeds([program = "", ...args]: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
