/** Looking at very many things without keeping anybody waiting. */

import { setImmediate } from "node:timers";

/** Items between two yields to the event loop: 0.1 ms, or 1.5 ms when logins are searched for the worst text. */
const batch = 5_000;

/** Calls `look` with each, in order. @param items they may change meanwhile, as those of a `Map` may */
export async function forEachYielding<Item>(items: Iterable<Item>, look: (item: Item) => void): Promise<void> {
  let seen = 0;
  for (const item of items) {
    if (++seen % batch === 0) await new Promise((resolve) => setImmediate(resolve));
    look(item);
  }
}
