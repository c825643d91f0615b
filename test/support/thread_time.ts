/** CPU time of this thread. The clock includes other programs, and the time of the process other tests. */

import { cpuUsage } from "node:process";

/** Milliseconds that the thread of the caller has had a processor; where Linux does not say, those of the process. */
export function threadMs(): number {
  try {
    // proc(5): nanoseconds on a processor, waiting for one, and how often.
    return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ", 1)[0]) / 1e6;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const { user, system } = cpuUsage();
    return (user + system) / 1_000;
  }
}
