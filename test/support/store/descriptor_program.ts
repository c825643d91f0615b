/**
 * What `descriptor_test.ts` runs under a low limit of open files: a compaction during which the descriptors run out.
 *
 * Once for each call of a compaction to the real disk: after the call it takes all descriptors, as connections would,
 * and releases them after the compaction. It prints what went wrong, and finally the number of calls.
 */

import { createLog } from "../../../lib/log.ts";
import { printLine } from "../../../lib/tasks/task.ts";
import { type Disk, type DiskFile, realDisk } from "../../../lib/store/file/disk.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { readRunningFolder } from "../../../lib/store/file/folder.ts";
import { userOf } from "./records.ts";

if (import.meta.main) {
  // Deno begins to listen for signals at some moment after its start, and panics when it has no descriptor for that.
  Deno.addSignalListener("SIGWINCH", () => {});
  let callCount = 0;
  while (await compact(callCount)) callCount++;
  printLine(`${callCount} calls`);
  Deno.exit(0);
}

/** @returns whether a compaction has so many calls */
async function compact(lastCall: number): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  const taken: Deno.FsFile[] = [];
  const events: string[] = [];
  let calls = -Infinity;
  const disk = counting(realDisk(folder), () => {
    if (calls++ === lastCall) takeAll(taken);
  });
  const log = createLog((line) => events.push(JSON.parse(line).event));
  const store = await openFileStore(folder, { disk, log, minCompactBytes: 1, extendBytes: 1024 });
  const check = (isRight: boolean, what: string) => isRight || printLine(`call ${lastCall}: ${what}`);

  calls = 0;
  await store.insertUser(userOf("before"));
  while (events.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await store.insertUser(userOf("during")).catch((error) => check(false, error));
  const wasReached = taken.length > 0;
  for (const file of taken.splice(0)) file.close();
  // What a start would find if the process were killed now.
  try {
    check((await readRunningFolder(realDisk(folder))).tables.users.size === 2, "a user is lost");
  } catch (error) {
    check(false, `it cannot be opened again: ${error}`);
  }

  calls = -Infinity;
  check(await store.failure() === undefined, `${await store.failure()}`);
  await store.insertUser(userOf("after")).catch((error) => check(false, error));
  await store[Symbol.asyncDispose]();
  check(events.at(-1) === "compacted", `no compaction after it, but ${events}`);
  await Deno.remove(folder, { recursive: true });
  return wasReached;
}

function takeAll(taken: Deno.FsFile[]): void {
  try {
    while (true) taken.push(Deno.openSync("/dev/null"));
  } catch {
    // There are no more.
  }
}

/** `disk`, whose every call is told of when it is over. */
function counting(disk: Disk, onCall: () => void): Disk {
  const told = <Target extends Disk | DiskFile>(target: Target): Target =>
    new Proxy(target, {
      get(_, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          const result = value.apply(target, args);
          if (result instanceof Promise) return result.finally(onCall);
          onCall();
          return typeof result === "object" && result !== null && "sync" in result ? told(result) : result;
        };
      },
    });
  return told(disk);
}
