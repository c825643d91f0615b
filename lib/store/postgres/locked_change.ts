/** Changes that hold the lock of a user and of an actor. `rules.ts` says why that is right. */

import { type Actor, isAdmin, type User } from "../../store.ts";
import type { Database, Transaction } from "./database.ts";
import { userOfRow } from "./rows.ts";
import { statements } from "./statements.ts";

/** A transaction that has locked a user. */
interface LockedTransaction extends Transaction {
  readonly stored: User | undefined;
  /** To call after the check for an earlier attempt, which may have ended the actor's rights. */
  mayAct(): Promise<boolean>;
}

/** Reads a user, whom no other transaction changes until this one ends. */
export async function lockUser({ run }: Transaction, login: string): Promise<User | undefined> {
  const { rows: [row] } = await run(statements.lockUser, [login]);
  return row && userOfRow(row);
}

/**
 * Runs a change that locks the user of a login, if given, and its actor, whose rights then stay until it ends. The
 * order of logins prevents a deadlock of two users who change each other.
 */
export function change<Refusal extends string>(
  database: Database,
  { login, actor }: { readonly login?: string; readonly actor: Actor | undefined },
  work: (transaction: LockedTransaction) => Promise<"done" | Refusal>,
): Promise<"done" | Refusal> {
  return database.transact(async (transaction) => {
    const users = new Map<string | undefined, User | undefined>();
    const logins = new Set([login, actor?.session.login].filter((one) => one !== undefined));
    for (const one of [...logins].sort()) users.set(one, await lockUser(transaction, one));
    const mayAct = async () =>
      actor === undefined || await isAllowed(transaction, actor, users.get(actor.session.login));
    return await work({ ...transaction, stored: users.get(login), mayAct });
  });
}

async function isAllowed({ run }: Transaction, { session, asAdmin }: Actor, user: User | undefined): Promise<boolean> {
  if (asAdmin && (user === undefined || !isAdmin(user))) return false;
  if ((await run(statements.lockSession, [session.id, session.login])).rowCount === 0) return false;
  await run(statements.noteChange, [session.login]);
  return true;
}
