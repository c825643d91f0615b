/** Users and tickets in a store, for tests of tickets and of rights. */
import { assert, assertEquals } from "@std/assert";
import type { Actor, Store, Ticket, User } from "../../../lib/store.ts";
import { sessionOf, ticketOf, userOf } from "./records.ts";

/** Milliseconds since the epoch. */
export const now = 1_800_000_000_000;

/** An administrator. */
export const alice = userOf("alice", { groups: ["admin"] });

/** A user without rights. */
export const bob = userOf("bob");

/** Another administrator. */
export const root = userOf("root", { groups: ["admin"] });

/** The session of alice. */
export const session = sessionOf("alice", "session of alice");

/** Alice, who acts as an administrator. */
export const asAdmin: Actor = { session, asAdmin: true };

/** Inserts the users. */
export async function fill(store: Store): Promise<void> {
  for (const user of [alice, bob, root]) assertEquals(await store.insertUser(user), "done");
  assert(await store.insertSession(session, alice));
}

/** A ticket of that maker. */
export function madeBy(maker: User, secretHash: string, changes: Partial<Ticket> = {}): Ticket {
  return ticketOf(secretHash, { maker: maker.id, ...changes });
}
