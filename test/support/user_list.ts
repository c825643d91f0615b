/** Lists of users, by pages. */
import { assert, assertEquals } from "@std/assert";
import { ulid } from "@std/ulid";
import type { User } from "../../lib/store.ts";
import { type AdminApp, outcomeOf } from "./accounts.ts";
import { openedAt, type Reply } from "./app.ts";

/** A page as it is sent. */
interface Page {
  readonly users: { id: string; login: string }[];
  readonly total: number;
  readonly next: string | null;
}

/** The page in a response. */
export function pageOf(reply: Reply): Page {
  assertEquals(outcomeOf(reply), "200");
  const { users, total, next } = reply.json;
  assert(Array.isArray(users) && typeof total === "number" && (next === null || typeof next === "string"));
  return { users, total, next };
}

/** A user without a hash, whose id has the time of the registration. */
export function userOf(login: string, registeredAt: number): User {
  return { id: ulid(registeredAt), login, passwordHash: "", registeredAt, groups: [], disabled: false };
}

/** Registers users without a hash, a millisecond from one to the next. */
export async function addUsers({ app }: AdminApp, logins: readonly string[]): Promise<void> {
  for (const [index, login] of logins.entries()) {
    assertEquals(await app.store.insertUser(userOf(login, openedAt + 1 + index)), "done");
  }
}

/** Asks for a page. */
export async function list({ send, admin }: AdminApp, query: string): Promise<Reply> {
  return await send("GET", `/user/${query}`, { token: admin });
}

/** Follows the links from page to page. */
export async function* pages(opened: AdminApp, query: string): AsyncGenerator<Page> {
  let target: string | undefined = query;
  while (target !== undefined) {
    const reply = await list(opened, target);
    yield pageOf(reply);
    target = /^<(.*)>; rel="next"$/.exec(reply.headers.get("link") ?? "")?.[1];
  }
}
