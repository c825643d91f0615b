/** What changes of users in a PostgreSQL are made of: steps within a transaction, most of them. */

import { iterationsOf } from "../../passwords/password_hash.ts";
import {
  type Actor,
  type ActorOptions,
  type InsertSessionOptions,
  isAdmin,
  isSameUser,
  type Session,
  type Ticket,
  type TicketOptions,
  type User,
} from "../../store.ts";
import { isStorableText, type Value } from "./connection.ts";
import type { Database, Transaction } from "./database.ts";
import { numberIn, statements, sweepBatch, userOfRow } from "./statements.ts";

/** The user of a login, whom nobody else changes until the transaction ends. */
export async function lockUser({ run }: Transaction, login: string): Promise<User | undefined> {
  const { rows: [row] } = await run(statements.lockUser, [login]);
  return row && userOfRow(row);
}

/** The user of a login, and whether an actor may change them. */
export interface LockedUser {
  readonly kept: User | undefined;
  /** Asked for after `kept` was found not to be the transaction's own doing, which may have taken the rights away. */
  mayAct(): Promise<boolean>;
}

/**
 * The user of a login, locked as by `lockUser`, and the actor: until the transaction ends the rights stay as they are.
 * Of two users the first in the alphabet is locked first, so that two who change each other do not wait for each other.
 */
export async function lockUserFor(
  transaction: Transaction,
  { login, actor }: { login: string; actor: Actor | undefined },
): Promise<LockedUser> {
  const logins = actor === undefined ? [login] : [...new Set([login, actor.session.login])].sort();
  const users = new Map<string, User | undefined>();
  for (const one of logins) users.set(one, await lockUser(transaction, one));
  return {
    kept: users.get(login),
    mayAct: async () => actor === undefined || await isAllowed(transaction, actor, users.get(actor.session.login)),
  };
}

async function isAllowed({ run }: Transaction, { session, asAdmin }: Actor, user: User | undefined): Promise<boolean> {
  if (asAdmin && (user === undefined || !isAdmin(user))) return false;
  if ((await run(statements.lockSession, [session.id, session.login])).count === 0) return false;
  // Written, not only locked: see the head of `postgres.ts`.
  await run(statements.noteChange, [session.login]);
  return true;
}

/** Uses up a ticket. @returns whether it was there */
export async function useTicket({ run }: Transaction, secretHash: string): Promise<boolean> {
  return (await run(statements.deleteTicket, [secretHash])).count === 1;
}

/** Waits until nobody else has this turn. Written, not only locked: see the head of `postgres.ts`. */
async function acquireLock({ run }: Transaction, name: "admins" | "setup"): Promise<void> {
  await run(statements.acquireLock, [name]);
}

/** Whether nobody would administer the register without this user; until the transaction ends, that stays so. */
export async function isLastAdmin(transaction: Transaction, user: User | undefined): Promise<boolean> {
  if (user === undefined || !isAdmin(user)) return false;
  // Two admins could each remove the other, as neither sees what the other is about to do.
  await acquireLock(transaction, "admins");
  const { rows } = await transaction.run(statements.countAdmins);
  return numberIn(rows[0], "admins") === 1;
}

/** Adds a session of `user`, as `Store.insertSession`. */
export async function insertSession(
  database: Pick<Database, "run" | "transact">,
  session: Session,
  { user, maxSessions = Infinity }: InsertSessionOptions & { readonly user: User },
): Promise<boolean> {
  const { id, login, secretHash, createdAt, lastSeenAt, userAgent, address } = session;
  const values = [id, login, secretHash, createdAt, lastSeenAt, userAgent, address, user.id, user.passwordHash];
  const surplus = maxSessions === Infinity ? undefined : [login, id, maxSessions - 1];
  let isMore = false;
  const outcome = await database.transact(async ({ run, isRepeated }) => {
    const { count } = await run(statements.insertSession, values);
    const isKept = count === 1 || isRepeated && (await run(statements.findSession, [id])).rows.length === 1;
    if (!isKept) return "refused";
    // The insertion has locked the user's row, so this sees what every other login of the user has added.
    isMore = surplus !== undefined && (await run(statements.deleteSurplusSessions, surplus)).count === sweepBatch;
    return "done";
  });
  if (isMore && surplus !== undefined) await deleteInBatches(database, statements.deleteSurplusSessions, surplus);
  return outcome === "done";
}

/** Deletes all that a statement finds. @param text deletes at most `sweepBatch` rows. @returns how many */
export async function deleteInBatches(
  database: Pick<Database, "run">,
  text: string,
  values: readonly Value[],
): Promise<number> {
  for (let total = 0;;) {
    const { count } = await database.run(text, values);
    total += count;
    if (count < sweepBatch) return total;
  }
}

/** Adds a ticket, as `Store.insertTicket`. */
export function insertTicket(
  database: Pick<Database, "transact">,
  ticket: Ticket,
  { actor, target }: TicketOptions,
): Promise<"done" | "missing" | "stale" | "forbidden"> {
  const { secretHash, purpose, login } = ticket;
  return database.transact(async (transaction) => {
    const { run, isRepeated } = transaction;
    const { kept, mayAct } = await lockUserFor(transaction, { login, actor });
    if (isRepeated && (await run(statements.hasTicket, [secretHash])).count === 1) return "done";
    if (!await mayAct()) return "forbidden";
    if (purpose === "reset") {
      if (kept === undefined) return "missing";
      if (target !== undefined && !isSameUser(kept, target)) return "stale";
      await run(statements.noteChange, [login]);
    }
    if (purpose === "setup") {
      await acquireLock(transaction, "setup");
      await run(statements.deleteOtherSetups, [secretHash]);
    }
    await run(purpose === "reset" ? statements.insertReset : statements.insertTicket, ticketValuesOf(ticket));
    return "done";
  });
}

/** Deletes a ticket, as `Store.deleteTicket`. */
export async function deleteTicket(
  database: Pick<Database, "transact">,
  id: string,
  { actor }: ActorOptions,
): Promise<"done" | "missing" | "forbidden"> {
  if (!isStorableText(id)) return "missing";
  return await database.transact(async (transaction) => {
    const { run, isRepeated } = transaction;
    const { mayAct } = await lockUserFor(transaction, { login: "", actor });
    if (!await mayAct()) return "forbidden";
    const { count } = await run(statements.deleteTicketById, [id]);
    return count > 0 || isRepeated ? "done" : "missing";
  });
}

/** Ends all sessions, as `Store.deleteSessions`. */
export async function deleteSessions(
  database: Pick<Database, "transact">,
  login: string,
  { actor }: ActorOptions,
): Promise<number | "forbidden"> {
  let count = 0;
  const outcome = await database.transact(async (transaction) => {
    const { run, isRepeated } = transaction;
    const { kept, mayAct } = await lockUserFor(transaction, { login, actor });
    // The first run may be what has ended the actor's own session.
    if (!await mayAct()) return isRepeated ? "done" : "forbidden";
    if (kept === undefined) return "done";
    ({ count } = await run(statements.deleteSessionsBut, [login, ""]));
    await run(statements.deleteMade, [kept.id]);
    await run(statements.noteChange, [login]);
    return "done";
  });
  return outcome === "done" ? count : outcome;
}

/** Ends a session, as `Store.deleteSession` for an actor. */
export async function deleteSessionAs(
  database: Pick<Database, "transact">,
  id: string,
  { actor }: { actor: Actor },
): Promise<boolean> {
  if (!isStorableText(id)) return false;
  const outcome = await database.transact(async (transaction) => {
    const { run, isRepeated } = transaction;
    const { mayAct } = await lockUserFor(transaction, { login: "", actor });
    // When it is run again, the first run may be what has ended the session, which may be the actor's own.
    if (!await mayAct()) return isRepeated ? "done" : "missing";
    const { count } = await run(statements.deleteSession, [id]);
    return count === 1 || isRepeated ? "done" : "missing";
  });
  return outcome === "done";
}

/** The values of a ticket, in the order in which the statements have them. */
export function ticketValuesOf({ secretHash, purpose, login, expiresAt, id, maker, createdAt }: Ticket): Value[] {
  return [secretHash, purpose, login, expiresAt, id, maker, createdAt];
}

/** The values of a user, in the order in which the statements have them. */
export function valuesOf(user: User): Value[] {
  const { login, id, passwordHash, registeredAt, groups, disabled } = user;
  return [login, id, passwordHash, iterationsOf(passwordHash), registeredAt, groups.join(), isAdmin(user), disabled];
}
