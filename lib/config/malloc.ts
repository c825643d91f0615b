/**
 * Whether the C library returns the memory of a password hash to the system.
 *
 * Argon2 and scrypt take tens of megabytes for each hash. After the first of them, glibc serves such blocks from its
 * heaps, which keep what is freed: 820 MB remained after a flood of logins with Argon2id. With a fixed threshold it
 * maps and unmaps each block: 180 MB remained, and hashes were a sixth faster. See mallopt(3), M_MMAP_THRESHOLD. A
 * process cannot set it for itself, so what starts the service does.
 */

import type { Environment } from "./settings.ts";

/** glibc reads it at the start of a process. */
export const mallocVariable = "MALLOC_MMAP_THRESHOLD_";
/** Less than a hash takes, and more than all that is allocated often. */
export const mallocThresholdBytes = 4_194_304;

/** What to do if it is not set. */
export const mallocRemedy = `Without ${mallocVariable}=${mallocThresholdBytes} in the environment, glibc keeps the ` +
  "memory of Argon2 and scrypt hashes: start the service by `deno task start` or lib/deploy, or set it";

/** Whether the freed memory of hashes stays in the process. */
export function keepsFreedMemory(env: Environment, build: Pick<typeof Deno.build, "os" | "env"> = Deno.build): boolean {
  if (build.os !== "linux" || build.env !== "gnu") return false;
  const thresholdBytes = Number(env[mallocVariable] ?? NaN);
  return !(thresholdBytes > 0 && thresholdBytes <= mallocThresholdBytes);
}
