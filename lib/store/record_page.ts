/**
 * A page of a list of records, found by looking at all of them: no index costs memory for what people do now and then.
 * Requests are let in between, so a list of 1,000,000 keeps nobody waiting.
 */

import { lookAtAll } from "./unhurried.ts";

interface PageOptions<Item> {
  /** At the most; at least 1. */
  readonly limit: number;
  /** Only records behind the one of this id. */
  readonly after?: string | undefined;
  /** Whether a record belongs to the list. */
  readonly isListed: (item: Item) => boolean;
}

interface RecordPage<Item> {
  /** In order of their ids. */
  readonly items: readonly Item[];
  /** How many belong to the list, on all pages. */
  readonly total: number;
  /** What the next page is `after`; `undefined` on the last. */
  readonly next: string | undefined;
}

/** The page that the options ask for. @param records nearly in order of their ids; they may change meanwhile */
export async function pageOf<Item extends { readonly id: string }>(
  records: Iterable<Item>,
  { limit, after = "", isListed }: PageOptions<Item>,
): Promise<RecordPage<Item>> {
  const items: Item[] = [];
  let total = 0;
  let behind = 0;
  await lookAtAll(records, (item) => {
    if (!isListed(item)) return;
    total++;
    if (item.id <= after) return;
    behind++;
    insertById(items, item, limit);
  });
  return { items, total, next: behind > limit ? items.at(-1)?.id : undefined };
}

/** Puts the record at its place among the `limit` records of the lowest ids. */
function insertById<Item extends { readonly id: string }>(page: Item[], item: Item, limit: number): void {
  let place = page.length;
  for (let before = page[place - 1]; before !== undefined && before.id > item.id; before = page[place - 1]) place--;
  if (place === limit) return;
  page.splice(place, 0, item);
  if (page.length > limit) page.pop();
}
