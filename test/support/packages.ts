/**
 * Programs that some tests need beside Deno, gotten where that is possible without a question.
 *
 * A test of a missing program is ignored, with the command to get it on standard error; in CI nothing may be
 * ignored, so there it is an error. Test files run side by side and would collide in apt-get, whose lists have a
 * lock that nobody waits for: they take turns.
 */
import { printError } from "../../lib/tasks/task.ts";

/**
 * Makes sure that `program` is on the PATH. As root on Debian and its kin `debianPackage` is installed for it.
 * @returns whether it is there
 * @throws {Error} when it is not, and the environment has CI set
 */
export async function ensureProgram(program: string, debianPackage: string): Promise<boolean> {
  if (await hasProgram(program)) return true;
  const command = `apt-get install ${debianPackage}`;
  const canInstall = Deno.uid() === 0 && await hasProgram("apt-get");
  if (canInstall && await inTurn(() => install(program, debianPackage))) return true;
  if (Deno.env.has("CI")) throw new Error(`Cannot test ${program} in CI as it is not installed: ${command}`);
  printError(`Tests of ${program} are ignored as it is not installed: ${command}`);
  return false;
}

async function hasProgram(program: string): Promise<boolean> {
  // `command -v` knows the rules of the PATH; the name goes in as an argument, as it is no piece of script.
  const args = ["-c", 'command -v "$1"', "sh", program];
  return (await new Deno.Command("sh", { args, stdout: "null", stderr: "null" }).output()).success;
}

async function install(program: string, debianPackage: string): Promise<boolean> {
  // Another test file may have installed it while this one waited.
  if (await hasProgram(program)) return true;
  await aptGet(["update"]);
  await aptGet(["install", "--yes", "--no-install-recommends", debianPackage]);
  return await hasProgram(program);
}

async function aptGet(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("apt-get", {
    args: ["-qq", "-o", "DPkg::Lock::Timeout=300", ...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
  }).output();
  if (!success) printError(`apt-get ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Runs `work` while no other process or thread does, by a lock that ends with whoever holds it. */
async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  using file = await Deno.open("/tmp/gatehouse-apt.lock", { create: true, write: true });
  await file.lock(true);
  return await work();
}
