/**
 * A page of a list of users, found by looking at all of them: no index costs memory for what administrators do now and
 * then. Requests are let in between, so a list of 1,000,000 users keeps nobody waiting.
 */

import type { User, UserPage, UserQuery } from "../store.ts";
import { lookAtAll } from "./unhurried.ts";

/** The page that a query asks for. @param users nearly in order of their ids; they may change meanwhile */
export async function pageOf(users: Iterable<User>, query: UserQuery): Promise<UserPage> {
  const { limit, after = "", prefix = "" } = query;
  const page: User[] = [];
  let total = 0;
  let behind = 0;
  await lookAtAll(users, (user) => {
    if (!user.login.startsWith(prefix)) return;
    total++;
    if (user.id <= after) return;
    behind++;
    insertById(page, user, limit);
  });
  return { users: page, total, next: behind > limit ? page.at(-1)?.id : undefined };
}

/** Puts the user at its place among the `limit` users of the lowest ids. */
function insertById(page: User[], user: User, limit: number): void {
  let place = page.length;
  for (let before = page[place - 1]; before !== undefined && before.id > user.id; before = page[place - 1]) place--;
  if (place === limit) return;
  page.splice(place, 0, user);
  if (page.length > limit) page.pop();
}
