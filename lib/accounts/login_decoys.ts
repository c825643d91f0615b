/** Opens the decoys of a register, whose key is stored with it, and keeps their shares up to date. */

import { randomBytes } from "node:crypto";
import type { Log } from "../log.ts";
import { Decoys } from "../passwords/decoys.ts";
import type { Store } from "../store.ts";

/** Opens the decoys. Warns of hashes that cannot be verified. */
export async function openDecoys({ store, log }: { readonly store: Store; readonly log: Log }): Promise<Decoys> {
  const decoys = new Decoys(randomBytes(32).toString("base64url"));
  const unusableCount = await refreshDecoys({ store, decoys });
  if (unusableCount > 0) {
    const warning = "Users whose password hash cannot be verified, or costs more than any setting, cannot log in";
    log.warn("unusable-hashes", { warning, users: unusableCount });
  }
  return decoys;
}

/** Counts the works of the register. @returns how many hashes cannot be verified */
export async function refreshDecoys(
  { store, decoys }: { readonly store: Store; readonly decoys: Decoys },
): Promise<number> {
  const { works, unusableCount } = await store.hashWorks();
  decoys.update(works);
  return unusableCount;
}
