/** A data folder with users of other programs, for tests of whole services. */
import type { StoredRecord } from "../../../lib/store.ts";
import { open } from "./file_store.ts";

/** Creates a folder with a user for each hash, by login. */
export async function makeForeignFolder(path: string, hashes: Readonly<Record<string, string>>): Promise<void> {
  await using store = await open(path);
  const records = Object.entries(hashes).map(([login, passwordHash], index): StoredRecord => {
    const id = `01M81Q8R1S09CHZ85XEV6WDCY${index}`;
    return { kind: "user", record: { id, login, passwordHash, registeredAt: 0, groups: [], disabled: false } };
  });
  await store.insertRecords(records);
}
