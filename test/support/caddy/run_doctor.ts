/** Runs the task `doctor` as a process. */
import type { Guarded } from "./guarded.ts";
import { TestProcess } from "../process.ts";

/** Runs the doctor at a site. @returns its exit status and its output */
export async function runDoctor(guarded: Guarded, env: Readonly<Record<string, string>> = {}) {
  await using task = startDoctor(guarded, env);
  const { code } = await task.status;
  return { code, output: task.output };
}

/** Starts the doctor at a site. */
export function startDoctor({ caddy, rootPath }: Guarded, env: Readonly<Record<string, string>> = {}): TestProcess {
  return runTask([caddy.url, "--ca", rootPath], env);
}

/** Starts the doctor with arguments. */
export function runTask(args: string[], env: Readonly<Record<string, string>>): TestProcess {
  return new TestProcess(Deno.execPath(), { args: ["run", "-A", "caddy/doctor.ts", ...args], env });
}
