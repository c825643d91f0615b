/** Opening a data folder, as tests do. */
import { createLog } from "../../../lib/log.ts";
import type { Store } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";

/** Opens a data folder with a small journal and without a log. */
export function open(path: string, options: { minCompactBytes?: number } = {}): Promise<Store> {
  return openFileStore(path, { log: createLog(() => {}), extendBytes: 4_096, ...options });
}
