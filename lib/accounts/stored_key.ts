/** Keys that the service makes for itself: random, stored with the register, and the same for all its instances. */

import { randomBytes } from "node:crypto";
import { isStoreFailure } from "../failure_log.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store.ts";

export interface StoredKeyOptions {
  readonly store: Store;
  readonly log: Log;
}

/** Returns the key of this name, and makes it if there is none. Warns of one that cannot be stored. */
export async function storedKey(name: string, { store, log }: StoredKeyOptions): Promise<string> {
  const value = randomBytes(32).toString("base64url");
  try {
    return await store.ensureSecret({ name, value });
  } catch (error) {
    // On a full disk users can log in.
    if (!isStoreFailure(error)) throw error;
    const warning = "A key that the service made for itself cannot be stored: the next start has another one";
    log.warn("key-not-stored", { warning, key: name, reason: error.message });
    return value;
  }
}
