/** What changes of users in a PostgreSQL are made of: steps within a transaction, most of them. */

import { iterationsOf } from "../password.ts";
import { isAdmin, type Ticket, type User } from "../store.ts";
import type { Value } from "./postgres_connection.ts";
import type { Database, Transaction } from "./postgres_database.ts";
import { codeOf } from "./postgres_error.ts";
import { numberIn, statements, userOfRow } from "./postgres_statements.ts";

/** The user of a ticket went away in the moment between the look and the insertion. */
const foreignKeyViolation = "23503";

/** The user of a login, whom nobody else changes until the transaction ends. */
export async function lockUser({ run }: Transaction, login: string): Promise<User | undefined> {
  const { rows: [row] } = await run(statements.lockUser, [login]);
  return row && userOfRow(row);
}

/** Uses up a ticket. @returns whether it was there */
export async function useTicket({ run }: Transaction, secretHash: string): Promise<boolean> {
  return (await run(statements.deleteTicket, [secretHash])).count === 1;
}

/** Waits until nobody else has this turn. Written, not only locked: see the head of `postgres.ts`. */
async function takeTurn({ run }: Transaction, name: "admins" | "setup"): Promise<void> {
  await run(statements.takeTurn, [name]);
}

/** Whether nobody would administer the register without this user; until the transaction ends, that stays so. */
export async function isLastAdmin(transaction: Transaction, user: User | undefined): Promise<boolean> {
  if (user === undefined || !isAdmin(user)) return false;
  // Two admins could each remove the other, as neither sees what the other is about to do.
  await takeTurn(transaction, "admins");
  const { rows } = await transaction.run(statements.countAdmins);
  return numberIn(rows[0], "admins") === 1;
}

/** Adds a ticket, as `Store.insertTicket`. */
export async function insertTicket(database: Database, ticket: Ticket): Promise<boolean> {
  const { secretHash, purpose, login, expiresAt } = ticket;
  const values = [secretHash, purpose, login, expiresAt];
  if (purpose === "reset") return await insertReset(database, values);
  await database.transact(async (transaction) => {
    if (purpose === "setup") {
      await takeTurn(transaction, "setup");
      await transaction.run(statements.deleteOtherSetups, [secretHash]);
    }
    await transaction.run(statements.insertTicket, values);
    return "done";
  });
  return true;
}

/** @param values its hash first. @returns `false` when there is no such user */
async function insertReset(database: Database, values: readonly Value[]): Promise<boolean> {
  try {
    const { count } = await database.run(statements.insertReset, values);
    if (count === 1) return true;
    // None when the very ticket is there already, too.
    return (await database.run(statements.findTicket, values.slice(0, 1))).count === 1;
  } catch (error) {
    if (codeOf(error) === foreignKeyViolation) return false;
    throw error;
  }
}

/** The values of a user, in the order in which the statements have them. */
export function valuesOf(user: User): Value[] {
  const { login, id, passwordHash, registeredAt, groups, disabled } = user;
  return [login, id, passwordHash, iterationsOf(passwordHash), registeredAt, groups.join(), isAdmin(user), disabled];
}
