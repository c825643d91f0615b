/** How many users were registered on which day, found by looking at all of them, like the pages of `record_page.ts`. */

import type { Days, User } from "../../store.ts";
import { forEachYielding } from "./scan.ts";

const dayMs = 24 * 60 * 60 * 1_000;

/** How many of the users were registered on each of the days. @param users they may change meanwhile */
export async function registrationsOn({ first, count }: Days, users: Iterable<User>): Promise<readonly number[]> {
  const counts = new Array<number>(count).fill(0);
  await forEachYielding(users, ({ registeredAt }) => {
    const index = Math.floor(registeredAt / dayMs) - first;
    const before = counts[index];
    if (before !== undefined) counts[index] = before + 1;
  });
  return counts;
}
