/** The tasks `import` and `export` as processes, and files for them. */

import hashes from "../lib/passwords/hashes.json" with { type: "json" };
import { realDisk } from "../../lib/store/file/disk.ts";
import { readRunningFolder } from "../../lib/store/file/folder.ts";
import { StoreFolderError } from "../../lib/store/file/store_folder.ts";
import { TestProcess } from "./process.ts";

/** What a task has printed. */
export interface TaskOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The password of all `hashes`. */
export const { password } = hashes;

/** A native hash, which no password matches. */
export const nativeHash = `$pbkdf2-sha256$i=600000$${"s".repeat(21)}w$${"h".repeat(42)}g`;

/** Runs a task on a store to its end. @param shell commands before, such as `ulimit` */
export async function runTask(
  args: readonly string[],
  { store, shell = "", env = {} }: {
    readonly store: string;
    readonly shell?: string;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<TaskOutput> {
  const output = await new Deno.Command("bash", {
    args: ["-c", `${shell}\nexec "$@"`, "bash", Deno.execPath(), ...argsOf(args)],
    env: { ...envOf(store), ...env },
  }).output();
  const text = new TextDecoder();
  return { code: output.code, stdout: text.decode(output.stdout), stderr: text.decode(output.stderr) };
}

/** Starts a task on a store. */
export function startTask(args: readonly string[], store: string): TestProcess {
  return new TestProcess(Deno.execPath(), { args: argsOf(args), env: envOf(store) });
}

/** Writes lines of users, each with a date and every tenth with a group. */
export async function writeUsers(path: string, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => {
    const registered_at = new Date(1_700_000_000_000 + index).toISOString();
    const groups = index % 10 === 0 ? ["staff"] : [];
    return JSON.stringify({ login: `user${index}`, password_hash: nativeHash, registered_at, groups });
  });
  await Deno.writeTextFile(path, `${lines.join("\n")}\n`);
}

/** The digest that a task has printed. */
export function digestIn({ stdout, stderr }: TaskOutput): string {
  const [, digest] = /digest ([\da-f]{64})\b/.exec(stdout) ?? [];
  if (digest === undefined) throw new Error(`There is no digest in: ${stdout}${stderr}`);
  return digest;
}

/** How many users a folder holds, also while a task writes to it. */
export async function usersIn(folder: string): Promise<number> {
  try {
    return (await readRunningFolder(realDisk(folder))).tables.users.size;
  } catch (error) {
    if (error instanceof StoreFolderError) return 0;
    throw error;
  }
}

function argsOf([task = "", ...args]: readonly string[]): string[] {
  const script = new URL(`../../lib/tasks/${task}.ts`, import.meta.url).pathname;
  return ["run", "--no-check", "-A", script, ...args];
}

function envOf(store: string): Record<string, string> {
  return { GATEHOUSE_STORE: store, GATEHOUSE_PBKDF2_ITERATIONS: "1", NO_COLOR: "1" };
}
