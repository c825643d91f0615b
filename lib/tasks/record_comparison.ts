/**
 * Whether two stores hold the same, seen from streams of their records: as both come in the same order, a few records
 * at a time are enough, however many there are.
 *
 * A record is compared by its text: the fields in order of their names, so that no field is forgotten that comes to be.
 */

import { createHash } from "node:crypto";
import type { Store, StoredRecord } from "../store.ts";

/** What a store holds. */
export interface Contents {
  readonly users: number;
  readonly sessions: number;
  readonly tickets: number;
  /** SHA-256 of all records in their order, hex: the same in every kind of store. */
  readonly digest: string;
}

/** Everything that the store holds. @param onRecord is called for each record */
export async function contentsOf(store: Store, onRecord: () => void): Promise<Contents> {
  const hash = createHash("sha256");
  const counts = { "put-user": 0, "put-session": 0, "put-ticket": 0 };
  for await (const record of recordsOf(store)) {
    counts[record.kind]++;
    hash.update(`${textOf(record)}\n`);
    onRecord();
  }
  return {
    users: counts["put-user"],
    sessions: counts["put-session"],
    tickets: counts["put-ticket"],
    digest: hash.digest("hex"),
  };
}

/**
 * Every record of `store` that `other` has not, or has otherwise.
 *
 * @param onRecord is called for each record of `store`
 */
export async function* unmatchedRecords(
  store: Store,
  other: Store,
  onRecord: () => void,
): AsyncGenerator<StoredRecord> {
  const others = recordsOf(other);
  let next: IteratorResult<StoredRecord, void> | undefined;
  for await (const record of recordsOf(store)) {
    onRecord();
    // Only now: with an empty store nothing of the other is read.
    next ??= await others.next();
    while (!next.done && keyOf(next.value) < keyOf(record)) next = await others.next();
    if (next.done || textOf(next.value) !== textOf(record)) yield record;
  }
}

/** @throws {TypeError} they are not in the order that the store has promised, on which all of this rests */
async function* recordsOf(store: Store): AsyncGenerator<StoredRecord, void> {
  let last = "";
  for await (const records of store.records()) {
    for (const record of records) {
      const key = keyOf(record);
      if (key <= last) throw new TypeError("Cannot compare records as they are not in the order of their ids");
      last = key;
      yield record;
    }
  }
}

/** In the order of these the records of a store come. */
function keyOf(record: StoredRecord): string {
  switch (record.kind) {
    case "put-user":
      return `1 ${record.user.id}`;
    case "put-session":
      return `2 ${record.session.id}`;
    case "put-ticket":
      return `3 ${record.ticket.secretHash}`;
  }
}

function textOf({ kind, ...record }: StoredRecord): string {
  const [fields = {}] = Object.values(record);
  // By their names alone: `sort` without a function would make a text of each field at each comparison.
  return JSON.stringify([kind, Object.entries(fields).sort(([one], [other]) => one < other ? -1 : 1)]);
}
