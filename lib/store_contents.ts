/**
 * Reads all records of a store, and compares those of two. Both come in the same order, so a few records at a time are
 * in memory.
 *
 * A record is compared as text of all its fields in the order of their names, so a field added later is compared too.
 */

import { createHash } from "node:crypto";
import { orderOf, type RecordKind, recordKinds, type Store, type StoredRecord, type User } from "./store.ts";

/** What a store holds. */
export interface Contents {
  readonly counts: RecordCounts;
  /** SHA-256 of all records in order, hex: the same for every kind of store. */
  readonly digest: string;
}

/** How many records of each kind there are. */
export type RecordCounts = Readonly<Record<RecordKind, number>>;

/** The users of a store. */
export interface UserContents {
  readonly users: number;
  /** SHA-256 of all users in order, hex: the same for every kind of store, and for the file of an export. */
  readonly digest: string;
}

/** Reads all users of the store. @param onUser called for each, in order of their ids */
export async function userContentsOf(
  store: Store,
  onUser: (user: User) => Promise<void> | void,
): Promise<UserContents> {
  const hash = createHash("sha256");
  let users = 0;
  for await (const record of recordsOf(store)) {
    // Users come first.
    if (record.kind !== "user") break;
    users++;
    hash.update(`${textOf(record)}\n`);
    await onUser(record.record);
  }
  return { users, digest: hash.digest("hex") };
}

/** Reads the whole store. @param onRecord called for each record */
export async function contentsOf(store: Store, onRecord: () => void): Promise<Contents> {
  const hash = createHash("sha256");
  const counts = { user: 0, session: 0, ticket: 0, secret: 0, credential: 0 };
  for await (const record of recordsOf(store)) {
    counts[record.kind]++;
    hash.update(`${textOf(record)}\n`);
    onRecord();
  }
  return { counts, digest: hash.digest("hex") };
}

/** Returns the counts as text, such as "2 users, 1 sessions". */
export function shownCounts(counts: RecordCounts): string {
  return recordKinds.map((kind) => `${counts[kind]} ${kind}s`).join(", ");
}

/** The records of `store` that `other` lacks or holds with other fields. `onRecord` is called for each of `store`. */
export async function* unmatchedRecords(
  store: Store,
  { other, onRecord }: { other: Store; onRecord: () => void },
): AsyncGenerator<StoredRecord> {
  const others = recordsOf(other);
  let next: IteratorResult<StoredRecord, void> | undefined;
  for await (const record of recordsOf(store)) {
    onRecord();
    // Not before: if `store` is empty, nothing of `other` is read.
    next ??= await others.next();
    while (!next.done && keyOf(next.value) < keyOf(record)) next = await others.next();
    if (next.done || textOf(next.value) !== textOf(record)) yield record;
  }
}

/** @throws {TypeError} the store breaks its promise of the order, on which the comparison rests */
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

/** The key that the records of a store are ordered by. */
function keyOf(stored: StoredRecord): string {
  return `${recordKinds.indexOf(stored.kind)} ${orderOf(stored)}`;
}

/** With "put-" as in 1.0.0: so a digest of the same users stays the same. */
function textOf({ kind, record }: StoredRecord): string {
  // By name only: `sort` without a function would convert each field to text at each comparison.
  const fields = Object.entries(record).sort(([one], [other]) => one < other ? -1 : 1);
  return JSON.stringify([`put-${kind}`, fields]);
}
