/** Looking at very many things without keeping anybody waiting. */

import { setImmediate } from "node:timers";

/** So many are looked at, in some 0.2 ms, before requests are let in between. */
const batch = 10_000;

/** Calls `look` with each, in order. @param items they may change meanwhile, as those of a `Map` may */
export async function lookAtAll<Item>(items: Iterable<Item>, look: (item: Item) => void): Promise<void> {
  let seen = 0;
  for (const item of items) {
    if (++seen % batch === 0) await new Promise((resolve) => setImmediate(resolve));
    look(item);
  }
}
