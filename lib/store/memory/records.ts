/**
 * Every record of tables in memory, in the order that `lib/store.ts` promises: users stand in them in order of
 * registration, which is that of the ids but for those that came at once, and sessions in the order of their last put.
 */

import { setImmediate } from "node:timers";
import type { StoredRecord } from "../../store.ts";
import type { Tables } from "./tables.ts";

/** Few enough that one frame of them, or one statement, stays small. */
const batch = 1_000;

/** All records. Requests are let in between the batches. @param tables they may change meanwhile */
export async function* recordsOf(tables: Tables): AsyncGenerator<readonly StoredRecord[]> {
  yield* batches(byKey(tables.users(), ({ id }) => id), (user) => ({ kind: "put-user", user }));
  yield* batches(byKey(tables.sessions(), ({ id }) => id), (session) => ({ kind: "put-session", session }));
  yield* batches(byKey(tables.tickets(), (ticket) => ticket.secretHash), (ticket) => ({ kind: "put-ticket", ticket }));
}

function byKey<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): readonly Item[] {
  // By code units: as bytes in a database, where keys are ASCII.
  return Array.from(items).sort((one, other) => keyOf(one) < keyOf(other) ? -1 : 1);
}

async function* batches<Item>(
  items: readonly Item[],
  put: (item: Item) => StoredRecord,
): AsyncGenerator<readonly StoredRecord[]> {
  for (let start = 0; start < items.length; start += batch) {
    yield items.slice(start, start + batch).map(put);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
