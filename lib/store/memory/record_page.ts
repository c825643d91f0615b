/**
 * A page of a list of records, found by a scan of all of them: no index costs memory for a list that is rarely shown.
 *
 * The scan yields to the event loop. It keeps at most `limit` + 1,000 records, so a page costs the same in any order.
 */

import { forEachYielding } from "./scan.ts";

interface PageOptions<Item> {
  /** At most this many; at least 1. */
  readonly limit: number;
  /** The cursor: only items that follow the item of this key in the order of the list. */
  readonly after?: string | undefined;
  /** Whether an item belongs to the list. */
  readonly isListed: (item: Item) => boolean;
  /** What the list is sorted by, unique to each item; by default its id. */
  readonly keyOf?: (item: Item) => string;
  readonly isDescending?: boolean;
}

interface RecordPage<Item> {
  /** In the order of their keys. */
  readonly items: readonly Item[];
  /** How many items belong to the list, on all pages. */
  readonly total: number;
  /** The cursor of the next page; `undefined` on the last. */
  readonly next: string | undefined;
}

/** After this many more items than the page has, those that cannot be on it are dropped. */
const surplus = 1_000;

/** The page that the options ask for. @param records they may change during the scan */
export async function pageOf<Item extends { readonly id: string }>(
  records: Iterable<Item>,
  { limit, after = "", isListed, keyOf = ({ id }) => id, isDescending = false }: PageOptions<Item>,
): Promise<RecordPage<Item>> {
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
