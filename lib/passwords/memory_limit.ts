/**
 * How much memory hashes may take at once: a quarter of what this process may use.
 *
 * That is the memory of the machine, or less in a container or a unit of systemd with a limit of its own
 * (`docker run --memory`, `MemoryMax=`).
 */

import process from "node:process";

const share = 1 / 4;
/** Without the permission to ask: a quarter of 1 GiB. */
const defaultBytes = 2 ** 28;

/** The most memory in bytes that all running hashes may take. */
export function hashMemoryLimit(): number {
  if (Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" }).state !== "granted") return defaultBytes;
  const { total } = Deno.systemMemoryInfo();
  // 0 without a limit, or more than there is.
  const limit = process.constrainedMemory() || total;
  return share * Math.min(limit, total);
}
