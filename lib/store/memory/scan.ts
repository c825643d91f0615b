/**
 * Lists, counts and copies of the tables, by scans of all records.
 *
 * No index takes memory for what is rarely asked. Scans yield to the event loop, and the tables may change meanwhile.
 */

import { setImmediate } from "node:timers";
import { workKeyOf, workOf } from "../../passwords/stored_hash.ts";
import { orderOf, recordKinds, type Session, type StoredRecord, type User } from "../../store.ts";
import { type Days, type HashWorks, maxHashWorks, type Page, type PageQuery } from "../queries.ts";
import type { Tables } from "./tables.ts";

/** Items between two yields: 0.1 ms, or 1.5 ms when logins are searched for the worst text. */
const scanBatch = 5_000;
/** Hashes that are parsed between two yields: 2 ms at most. */
const parseBatch = 500;
/** Records of a copy between two yields: few enough for one frame or one statement. */
const recordBatch = 1_000;
/** When a scan has kept this many items more than a page has, it drops those that cannot be on the page. */
const surplus = 1_000;
const dayMs = 24 * 60 * 60 * 1_000;

/** Which page of a list to return; the cursor is a key of the list. */
export interface PageOptions<Item> extends PageQuery {
  /** Whether an item belongs to the list. */
  readonly isListed: (item: Item) => boolean;
  /** What the list is sorted by, unique to each item; by default its id. */
  readonly keyOf?: (item: Item) => string;
  readonly isDescending?: boolean;
}

/** Calls `visit` for each item in order, including items that are added meanwhile. Yields to the event loop. */
export async function forEachYielding<Item>(
  items: Iterable<Item>,
  visit: (item: Item) => void,
  { batch = scanBatch }: { readonly batch?: number } = {},
): Promise<void> {
  let seen = 0;
  for (const item of items) {
    if (++seen % batch === 0) await new Promise((resolve) => setImmediate(resolve));
    visit(item);
  }
}

/** Returns a page of a list. Keeps at most `limit` + 1,000 records, so that a page costs the same in any order. */
export async function pageOf<Item extends { readonly id: string }>(
  records: Iterable<Item>,
  { limit, after = "", isListed, keyOf = ({ id }) => id, isDescending = false }: PageOptions<Item>,
): Promise<Page<Item>> {
  const isBefore = (key: string, other: string) => isDescending ? key > other : key < other;
  const compare = (one: Item, other: Item) => isBefore(keyOf(one), keyOf(other)) ? -1 : 1;
  // One item more than the page has tells whether there is another page.
  const keptCount = limit + 1;
  let kept: Item[] = [];
  /** The key of the last item that was kept at the last cut: what follows it is not on the page. */
  let end: string | undefined;
  let total = 0;
  await forEachYielding(records, (item) => {
    if (!isListed(item)) return;
    total++;
    const key = keyOf(item);
    if (after !== "" && !isBefore(after, key) || end !== undefined && isBefore(end, key)) return;
    kept.push(item);
    if (kept.length < keptCount + surplus) return;
    kept = kept.sort(compare).slice(0, keptCount);
    const last = kept.at(-1);
    end = last && keyOf(last);
  });
  const items = kept.sort(compare).slice(0, limit);
  const last = items.at(-1);
  return { items, total, next: last !== undefined && kept.length > limit ? keyOf(last) : undefined };
}

/**
 * Returns all sessions but the `keptCount` that were seen last, and of those seen at the same time the newest. Yields
 * to the event loop, as an earlier version had no limit of sessions.
 */
export async function seenLongestAgo(sessions: readonly Session[], keptCount: number): Promise<readonly Session[]> {
  if (sessions.length <= keptCount) return [];
  const keyOf = ({ lastSeenAt, id }: Session) => `${String(lastSeenAt).padStart(16, "0")} ${id}`;
  const { items } = await pageOf(sessions, { limit: keptCount, isListed: () => true, keyOf, isDescending: true });
  const kept = new Set(items);
  return sessions.filter((session) => !kept.has(session));
}

/** Counts the users registered on each of the days. */
export async function registrationsOn({ first, count }: Days, users: Iterable<User>): Promise<readonly number[]> {
  const counts = new Array<number>(count).fill(0);
  await forEachYielding(users, ({ registeredAt }) => {
    const index = Math.floor(registeredAt / dayMs) - first;
    const before = counts[index];
    if (before !== undefined) counts[index] = before + 1;
  });
  return counts;
}

/** Counts the password hashes by the work that they take. */
export async function hashWorksOf(users: Iterable<User>): Promise<HashWorks> {
  const works = new Map<string, { work: string; count: number; example: string }>();
  /** The same counts by `workKeyOf`. */
  const counts = new Map<string, { count: number }>();
  let unusableCount = 0;
  await forEachYielding(users, ({ passwordHash }) => {
    // Parsing each would take ten times as long.
    const key = workKeyOf(passwordHash);
    const known = counts.get(key);
    if (known !== undefined) return void known.count++;
    const work = workOf(passwordHash);
    if (work === undefined) return void unusableCount++;
    const counted = works.get(work) ?? { work, count: 0, example: passwordHash };
    counted.count++;
    if (!works.has(work) && works.size === maxHashWorks) return;
    works.set(work, counted);
    if (key !== "" && counts.size < maxHashWorks) counts.set(key, counted);
  }, { batch: parseBatch });
  return { works: [...works.values()], unusableCount };
}

/** Returns every record in the order of `Store.records`, in batches. */
export async function* recordsOf(tables: Tables): AsyncGenerator<readonly StoredRecord[]> {
  for (const kind of recordKinds) {
    // By code units, the order of a database for keys in ASCII.
    const records = Array.from(tables.changes([kind])).sort((one, other) => orderOf(one) < orderOf(other) ? -1 : 1);
    for (let start = 0; start < records.length; start += recordBatch) {
      yield records.slice(start, start + recordBatch);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
