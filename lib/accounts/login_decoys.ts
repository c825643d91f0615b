/** The decoys of a register: their key is stored with it, and their shares are counted at the start and hourly. */

import { randomBytes } from "node:crypto";
import { isStoreFailure } from "../failure_log.ts";
import type { Log } from "../log.ts";
import { Decoys } from "../passwords/decoys.ts";
import type { Store } from "../store.ts";

export interface DecoyOptions {
  readonly store: Store;
  readonly log: Log;
}

const secretName = "decoy";

/** Opens the decoys. Warns of hashes that cannot be verified, and of a key that cannot be stored. */
export async function openDecoys({ store, log }: DecoyOptions): Promise<Decoys> {
  const decoys = new Decoys(await storedKey({ store, log }));
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

async function storedKey({ store, log }: DecoyOptions): Promise<string> {
  const value = randomBytes(32).toString("base64url");
  try {
    return await store.ensureSecret({ name: secretName, value });
  } catch (error) {
    // On a full disk users can log in.
    if (!isStoreFailure(error)) throw error;
    const warning = "The key that hides which logins exist cannot be stored: the next start has another one";
    log.warn("decoy-key-not-stored", { warning, reason: error.message });
    return value;
  }
}
