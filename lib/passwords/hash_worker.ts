/**
 * The program of the Worker that computes `slowKinds`, off the event loop.
 *
 * A Worker starts the file of this module, which is the whole service if that is bundled to one file. Its name tells
 * the two apart: `main.ts` does nothing in this Worker, and this module does nothing elsewhere.
 *
 * The Worker may read no other folder than that of this module (`lib/tasks/permissions.ts`): it imports nothing else.
 */

import { slowKinds } from "./kinds/slow_kinds.ts";

/** A password to hash. */
export interface SlowJob {
  /** `ParsedHash.settings` of one of `slowKinds`. */
  readonly settings: string;
  /** In UTF-8. */
  readonly password: Uint8Array<ArrayBuffer>;
}

/** The scope of a Worker: Deno has its types only for files that are nothing else. */
interface WorkerScope {
  onmessage: (event: MessageEvent<SlowJob>) => void;
  postMessage(digest: Uint8Array): void;
}

export const hashWorkerName = "gatehouse-hash";
export const hashWorkerUrl = import.meta.url;
/** Whether this thread is the Worker. */
export const isHashWorker = self.name === hashWorkerName;

if (isHashWorker) {
  const scope = self as unknown as WorkerScope;
  // An error ends the Worker: `slow_hashes.ts` starts another.
  scope.onmessage = async ({ data }) => scope.postMessage(await derive(data));
}

async function derive({ settings, password }: SlowJob): Promise<Uint8Array> {
  for (const parse of slowKinds) {
    const digest = await parse(settings)?.derive(password);
    if (digest === undefined) continue;
    password.fill(0);
    return digest;
  }
  throw new RangeError("Cannot compute a hash as it is of no slow kind");
}
