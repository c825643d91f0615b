/**
 * The changes of the store, each a transaction.
 *
 * A change locks the row of its user and also writes it (`changes`), where the other stores take the lock of a login.
 * That is right at every isolation level: at READ COMMITTED the second change waits for the first and sees its result.
 * At REPEATABLE READ (YugabyteDB's default) and SERIALIZABLE (CockroachDB) the second gets a conflict, which a lock
 * without a write would not cause, and `Database` repeats it. Changes to all administrators or to the setup ticket lock
 * a row of `gatehouse_turn`, always last.
 *
 * A change that finds its own earlier attempt, on a connection that was lost (`isRepeated`), reports success.
 */

import { type Actor, isAdmin, type ProofOptions, type Store, type User } from "../../store.ts";
import {
  canLogIn,
  isForUser,
  isOfLogin,
  isSameCredential,
  isSameUser,
  maxPendingLogins,
  voidedTickets,
} from "../rules.ts";
import { isStorableText } from "./connection.ts";
import type { Database, Transaction } from "./database.ts";
import { insertAll, numberIn, recordOf, rowOf } from "./rows.ts";
import { statements, sweepBatch } from "./statements.ts";

/** A transaction that has locked a user. */
interface LockedTransaction extends Transaction {
  readonly stored: User | undefined;
  /** To call after the check for an earlier attempt, which may have ended the actor's rights. */
  mayAct(): Promise<boolean>;
}

export function userChanges(database: Database) {
  return {
    insertUser(user, ticketHash) {
      return database.transact(async (transaction) => {
        const { run, isRepeated } = transaction;
        if (isRepeated && (await lockUser(transaction, user.login))?.id === user.id) return "done";
        if (ticketHash !== undefined && !await useTicket(transaction, ticketHash)) return "no-ticket";
        return await insertAll(run, [{ kind: "user", record: user }]) === 1 ? "done" : "taken";
      });
    },

    async replaceUser(current, next, { actor, keepSessionId, ticketHash } = {}) {
      const { login } = current;
      if (login !== next.login) throw new TypeError(`Cannot replace user "${login}": its login cannot change`);
      return await change(database, { login, actor }, async (transaction) => {
        const { run, isRepeated, stored, mayAct } = transaction;
        if (isRepeated && isSameUser(stored, next)) return "done";
        if (!await mayAct()) return "forbidden";
        if (ticketHash !== undefined && !await useTicket(transaction, ticketHash)) return "no-ticket";
        if (!isSameUser(stored, current)) return "stale";
        if (!isAdmin(next) && await isLastAdmin(transaction, stored)) return "last-admin";
        await run(statements.replaceUser, Object.values(rowOf("user", next)));
        const keptSession = next.disabled ? "" : keepSessionId;
        if (keptSession !== undefined) await run(statements.deleteSessionsBut, [login, keptSession]);
        const voided = voidedTickets({ current, next, isNewPassword: keepSessionId !== undefined });
        if (voided.made) await run(statements.deleteTicketsOfMaker, [current.id]);
        if (voided.resets) await run(statements.deleteResets, [login]);
        if (voided.logins) await run(statements.deleteLogins, [login]);
        return "done";
      });
    },

    deleteUser(user, { actor } = {}) {
      return change(database, { login: user.login, actor }, async (transaction) => {
        const { run, isRepeated, stored, mayAct } = transaction;
        if (stored?.id !== user.id && isRepeated) return "done";
        if (!await mayAct()) return "forbidden";
        if (stored?.id !== user.id) return "missing";
        if (!isSameUser(stored, user)) return "stale";
        if (await isLastAdmin(transaction, stored)) return "last-admin";
        // Foreign keys delete the sessions, the credentials, and the tickets for the user alone.
        await run(statements.deleteUser, [user.login]);
        await run(statements.deleteTicketsOfMaker, [user.id]);
        return "done";
      });
    },
  } satisfies Partial<Store>;
}

export function sessionChanges(database: Database) {
  return {
    async insertSession(session, user, { maxSessions = Infinity, ...proof } = {}) {
      const { id, login } = session;
      const surplus = [login, id, maxSessions - 1];
      let isMore = false;
      const outcome = await database.transact(async (transaction) => {
        const { run, isRepeated } = transaction;
        const values = [...Object.values(rowOf("session", session)), user.id, user.passwordHash];
        const { rowCount } = await run(statements.insertSession, values);
        if (rowCount === 0) {
          const isStored = isRepeated && (await run(statements.findSession, [id])).rowCount === 1;
          if (!isStored) return "refused";
        } else if (!await useProof(transaction, proof)) return "refused";
        // The insertion has locked the user's row, so this sees the sessions of all other logins of the user.
        isMore = maxSessions < Infinity &&
          (await run(statements.deleteSurplusSessions, surplus)).rowCount === sweepBatch;
        return "done";
      });
      if (isMore) await database.runInBatches(statements.deleteSurplusSessions, surplus, sweepBatch);
      return outcome === "done";
    },

    async touchSession(id, lastSeenAt) {
      if (isStorableText(id)) await database.run(statements.touchSession, [id, lastSeenAt]);
    },

    async deleteSession(id, { actor } = {}) {
      if (!isStorableText(id)) return false;
      const outcome = await change(database, { actor }, async ({ run, isRepeated, mayAct }) => {
        // An earlier attempt may have ended the session, which may be that of the actor.
        if (!await mayAct()) return isRepeated ? "done" : "missing";
        const { rowCount } = await run(statements.deleteSession, [id]);
        return rowCount === 1 || isRepeated ? "done" : "missing";
      });
      return outcome === "done";
    },

    async deleteSessions(login, { actor } = {}) {
      if (!isStorableText(login)) return 0;
      let count = 0;
      const outcome = await change(database, { login, actor }, async ({ run, isRepeated, stored, mayAct }) => {
        // An earlier attempt may have ended the session of the actor.
        if (!await mayAct()) return isRepeated ? "done" : "forbidden";
        if (stored === undefined) return "done";
        count = (await run(statements.deleteSessionsBut, [login, ""])).rowCount ?? 0;
        await run(statements.deleteTicketsOfMaker, [stored.id]);
        return "done";
      });
      return outcome === "done" ? count : outcome;
    },

    async deleteExpiredSessions({ lastSeenUntil, createdUntil }) {
      return await database.runInBatches(statements.deleteIdleSessions, [lastSeenUntil], sweepBatch) +
        await database.runInBatches(statements.deleteOldSessions, [createdUntil], sweepBatch);
    },
  } satisfies Partial<Store>;
}

export function ticketChanges(database: Database) {
  return {
    insertTicket(ticket, { actor, target } = {}) {
      const { secretHash, purpose, login } = ticket;
      return change(database, { login, actor }, async (transaction) => {
        const { run, isRepeated, stored, mayAct } = transaction;
        if (isRepeated && await hasTicket(transaction, secretHash)) return "done";
        if (!await mayAct()) return "forbidden";
        if (isForUser(ticket)) {
          if (stored === undefined) return "missing";
          if (target !== undefined && !canLogIn(stored, target)) return "stale";
        }
        if (isOfLogin(ticket)) await run(statements.deleteSurplusLogins, [login, purpose, maxPendingLogins - 1]);
        if (purpose === "setup") {
          await run(statements.acquireLock, ["setup"]);
          await run(statements.deleteOtherSetups, [login, secretHash]);
        }
        await insertAll(run, [{ kind: "ticket", record: ticket }]);
        return "done";
      });
    },

    async deleteTicket(id, { actor } = {}) {
      if (!isStorableText(id)) return "missing";
      return await change(database, { actor }, async ({ run, isRepeated, mayAct }) => {
        if (!await mayAct()) return "forbidden";
        const { rowCount } = await run(statements.deleteTicketById, [id]);
        return rowCount !== 0 || isRepeated ? "done" : "missing";
      });
    },

    async deleteExpiredTickets(expiresUntil) {
      return (await database.run(statements.deleteExpiredTickets, [expiresUntil])).rowCount ?? 0;
    },
  } satisfies Partial<Store>;
}

/** Reads a user, whom no other transaction changes until this one ends. */
async function lockUser({ run }: Transaction, login: string): Promise<User | undefined> {
  const { rows: [row] } = await run(statements.lockUser, [login]);
  return row && recordOf("user", row);
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
    const stored = users.get(login);
    const outcome = await work({ ...transaction, stored, mayAct });
    if (outcome === "done" && stored !== undefined) await transaction.run(statements.noteChange, [stored.login]);
    return outcome;
  });
}

async function isAllowed({ run }: Transaction, { session, asAdmin }: Actor, user: User | undefined): Promise<boolean> {
  if (asAdmin && (user === undefined || !isAdmin(user))) return false;
  if ((await run(statements.lockSession, [session.id, session.login])).rowCount === 0) return false;
  await run(statements.noteChange, [session.login]);
  return true;
}

/** Uses up a ticket and uses a credential, whose user is locked. @returns whether both are as expected */
export async function useProof(transaction: Transaction, { ticketHash, use }: ProofOptions): Promise<boolean> {
  const { run } = transaction;
  if (ticketHash !== undefined && !await useTicket(transaction, ticketHash)) return false;
  if (use === undefined) return true;
  const { current: { key }, current, next } = use;
  const { rows: [row] } = await run(statements.lockCredential, [key]);
  if (row === undefined || !isSameCredential(recordOf("credential", row), current)) return false;
  if (next === undefined) await run(statements.deleteCredential, [key]);
  else await run(statements.replaceCredential, [key, next.name, next.lastUsedAt, next.counter, next.signCount]);
  return true;
}

export async function hasTicket({ run }: Transaction, secretHash: string | undefined): Promise<boolean> {
  return secretHash !== undefined && (await run(statements.hasTicket, [secretHash])).rowCount === 1;
}

/** Deletes a ticket. Returns whether it existed. */
async function useTicket({ run }: Transaction, secretHash: string): Promise<boolean> {
  return (await run(statements.deleteTicket, [secretHash])).rowCount === 1;
}

/** Whether this user is the only administrator. The answer holds until the transaction ends. */
async function isLastAdmin({ run }: Transaction, user: User | undefined): Promise<boolean> {
  if (user === undefined || !isAdmin(user)) return false;
  // Without the lock, two administrators could each remove the other, as neither sees the other's change.
  await run(statements.acquireLock, ["admins"]);
  const { rows } = await run(statements.countAdmins);
  return numberIn(rows[0], "admins") === 1;
}
