/**
 * What `real_disk_test.ts` watches: a store on the real disk that registers users one after another.
 *
 * It prints a line for each user that was acknowledged and ends at the first that was refused, or when all are there.
 */

import { createLog } from "../../../lib/log.ts";
import type { Store } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { userOf } from "./records.ts";

if (import.meta.main) {
  const [folder = "", count = "", minCompactBytes = "", maxFileBytes] = Deno.args;
  // As in main.ts: a write beyond the limit of a file's size fails, and does not end the process.
  Deno.addSignalListener("SIGXFSZ", () => {});
  if (maxFileBytes !== undefined) await limitFileSize(maxFileBytes);
  const store = await openFileStore(folder, {
    log: createLog(() => {}),
    extendBytes: 4_096,
    minCompactBytes: Number(minCompactBytes),
  });
  const isComplete = await registerAll(store, Number(count));
  if (isComplete) await store[Symbol.asyncDispose]();
  // Without closing the store: a full disk leaves what it leaves.
  Deno.exit(0);
}

/** Of this process, and not before it runs: Deno writes larger files when it starts. */
async function limitFileSize(bytes: string): Promise<void> {
  const args = ["--pid", String(Deno.pid), `--fsize=${bytes}:`];
  const { success, stderr } = await new Deno.Command("prlimit", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** @returns whether none was refused */
async function registerAll(store: Store, count: number): Promise<boolean> {
  for (let index = 0; index < count; index++) {
    const login = `user${index}`;
    try {
      await store.insertUser(userOf(login));
    } catch {
      return false;
    }
    // One call to the system: its place among the others is when the user was acknowledged.
    Deno.stdout.writeSync(new TextEncoder().encode(`ack ${login}\n`));
  }
  return true;
}
