/** The decoys of a register: their key is stored with it, and their shares are counted at the start and hourly. */

import { Decoys } from "../passwords/decoys.ts";
import type { Store } from "../store.ts";
import { storedKey, type StoredKeyOptions } from "./stored_key.ts";

/** Opens the decoys. Warns of hashes that cannot be verified, and of a key that cannot be stored. */
export async function openDecoys({ store, log }: StoredKeyOptions): Promise<Decoys> {
  const decoys = new Decoys(await storedKey("decoy", { store, log }));
  const unusableCount = await refreshDecoys({ store, decoys });
  if (unusableCount > 0) {
    const warning = "Users whose password hash cannot be verified cannot log in: reset their passwords";
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
