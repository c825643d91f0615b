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

import { isAdmin, maxPendingLogins, type Store, type User } from "../../store.ts";
import { canLogIn, isForUser, isSameUser, voidedTickets } from "../rules.ts";
import { isStorableText } from "./connection.ts";
import type { Database, Transaction } from "./database.ts";
import { makeUse } from "./credentials.ts";
import { change, lockUser } from "./locked_change.ts";
import { numberIn, sessionValues, ticketValues, userValues } from "./rows.ts";
import { insertStatement, statements, sweepBatch } from "./statements.ts";

export function userChanges(database: Database) {
  return {
    insertUser(user, ticketHash) {
      const values = userValues(user, 0);
      return database.transact(async (transaction) => {
        const { run, isRepeated } = transaction;
        if (isRepeated && (await lockUser(transaction, user.login))?.id === user.id) return "done";
        if (ticketHash !== undefined && !await useTicket(transaction, ticketHash)) return "no-ticket";
        const { rowCount } = await run(insertStatement("gatehouse_user", [values]), values);
        return rowCount === 1 ? "done" : "taken";
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
        await run(statements.replaceUser, userValues(next, 1));
        const keptSession = next.disabled ? "" : keepSessionId;
        if (keptSession !== undefined) await run(statements.deleteSessionsBut, [login, keptSession]);
        const voided = voidedTickets({ current, next, isNewPassword: keepSessionId !== undefined });
        if (voided.made) await run(statements.deleteTicketsOfMaker, [current.id]);
        if (voided.resets) await run(statements.deleteTicketsOfUser, [login, "reset"]);
        if (voided.logins) await run(statements.deleteTicketsOfUser, [login, "login"]);
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
        // Foreign keys delete the sessions, the credentials, and the tickets for a reset or a login.
        await run(statements.deleteUser, [user.login]);
        await run(statements.deleteTicketsOfMaker, [user.id]);
        return "done";
      });
    },
  } satisfies Partial<Store>;
}

export function sessionChanges(database: Database) {
  return {
    async insertSession(session, user, { maxSessions = Infinity, ticketHash, use } = {}) {
      const { id, login } = session;
      const surplus = [login, id, maxSessions - 1];
      let isMore = false;
      const outcome = await database.transact(async (transaction) => {
        const { run, isRepeated } = transaction;
        const values = [...sessionValues(session), user.id, user.passwordHash];
        const { rowCount } = await run(statements.insertSession, values);
        if (rowCount === 0) {
          const isStored = isRepeated && (await run(statements.findSession, [id])).rowCount === 1;
          if (!isStored) return "refused";
        } else {
          if (ticketHash !== undefined && !await useTicket(transaction, ticketHash)) return "refused";
          if (use !== undefined && !await makeUse(transaction, use)) return "refused";
        }
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
        await run(statements.noteChange, [login]);
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
      const values = ticketValues(ticket);
      return change(database, { login, actor }, async ({ run, isRepeated, stored, mayAct }) => {
        if (isRepeated && (await run(statements.hasTicket, [secretHash])).rowCount === 1) return "done";
        if (!await mayAct()) return "forbidden";
        if (isForUser(ticket)) {
          if (stored === undefined) return "missing";
          if (target !== undefined && !canLogIn(stored, target)) return "stale";
          await run(statements.noteChange, [login]);
        }
        if (purpose === "login") await run(statements.deleteSurplusLogins, [login, maxPendingLogins - 1]);
        if (purpose === "setup") {
          await run(statements.acquireLock, ["setup"]);
          await run(statements.deleteOtherSetups, [login, secretHash]);
        }
        await run(insertStatement("gatehouse_ticket", [values]), values);
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
