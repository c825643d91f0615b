/** Measures at the start what a new hash costs on this machine, for the first estimates of the hash queue. */

import { hashPassword, type PasswordScheme } from "./password_hash.ts";

/** Time to spend. The last round may exceed it. */
const measureMs = 50;
const measureRounds = 5;

export interface CostOptions {
  readonly scheme: PasswordScheme;
  /** Hashes that run at once. */
  readonly concurrency: number;
}

/**
 * Returns the duration of one hash in milliseconds while as many run at once. The fastest round counts, as other work
 * of the machine is no cost of a hash. An expensive hash needs one round.
 */
export async function measureCostMs({ scheme, concurrency }: CostOptions): Promise<number> {
  let costMs = Infinity;
  for (let round = 0, spentMs = 0; round < measureRounds && spentMs < measureMs; round++) {
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: concurrency }, () => hashPassword("measure", scheme)));
    const roundMs = performance.now() - startedAt;
    costMs = Math.min(costMs, roundMs);
    spentMs += roundMs;
  }
  return costMs;
}
