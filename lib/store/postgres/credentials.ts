/** The changes of credentials. They lock the user too, as those in `rules.ts` do. */

import type { CredentialUse, Store } from "../../store.ts";
import { authenticated, canLogIn, hasFactorBut, isSameCredential, isSameUser, replacedBy } from "../rules.ts";
import { isStorableText } from "./connection.ts";
import type { Database, Transaction } from "./database.ts";
import { change } from "./locked_change.ts";
import { credentialOfRow, credentialValues, sessionOfRow } from "./rows.ts";
import { insertStatement, statements } from "./statements.ts";

export function credentialChanges(database: Database) {
  return {
    insertCredentials(user, credentials, { actor } = {}) {
      const { login } = user;
      const values = credentials.map(credentialValues);
      return change(database, { login, actor }, async ({ run, isRepeated, stored, mayAct }) => {
        const kept = (await run(statements.listCredentials, [login])).rows.map(credentialOfRow);
        if (isRepeated && credentials.every(({ id }) => kept.some((one) => one.id === id))) return "done";
        if (!await mayAct()) return "forbidden";
        if (!isSameUser(stored, user)) return "stale";
        const replaced = replacedBy(credentials, kept);
        if (typeof replaced === "string") return replaced;
        for (const kind of new Set(replaced.map(({ kind }) => kind))) {
          await run(statements.deleteCredentialsOfKind, [login, kind]);
        }
        const { rowCount } = await run(insertStatement("gatehouse_credential", values), values.flat());
        await run(statements.noteChange, [login]);
        return rowCount === credentials.length ? "done" : "taken";
      });
    },

    useCredential(use, { actor } = {}) {
      const { current: { login, key }, next } = use;
      return change(database, { login, actor }, async (transaction) => {
        const { run, isRepeated, mayAct } = transaction;
        if (isRepeated && next !== undefined) {
          const { rows: [row] } = await run(statements.lockCredential, [key]);
          if (row !== undefined && isSameCredential(credentialOfRow(row), next)) return "done";
        }
        if (!await mayAct()) return "forbidden";
        if (!await makeUse(transaction, use)) return "stale";
        await run(statements.noteChange, [login]);
        return "done";
      });
    },

    deleteCredential({ id, key, login }, { actor, keepsFactor = false } = {}) {
      return change(database, { login, actor }, async ({ run, isRepeated, mayAct }) => {
        if (!await mayAct()) return "forbidden";
        const { rowCount } = await run(statements.deleteCredential, [key, id]);
        const remaining = (await run(statements.listCredentials, [login])).rows.map(credentialOfRow);
        if (rowCount === 1 && keepsFactor && !hasFactorBut(id, remaining)) return "last";
        await run(statements.noteChange, [login]);
        return rowCount === 1 || isRepeated ? "done" : "missing";
      });
    },

    async deleteCredentials(login, { actor } = {}) {
      if (!isStorableText(login)) return 0;
      let count = 0;
      const outcome = await change(database, { login, actor }, async ({ run, mayAct }) => {
        if (!await mayAct()) return "forbidden";
        count = (await run(statements.deleteCredentials, [login])).rowCount ?? 0;
        await run(statements.noteChange, [login]);
        return "done";
      });
      return outcome === "done" ? count : outcome;
    },

    async authenticateSession(id, user, authentication) {
      if (!isStorableText(id)) return false;
      const { login } = user;
      const { use, authenticatedAt } = authentication;
      const outcome = await change(database, { login, actor: undefined }, async (transaction) => {
        const { run, isRepeated, stored } = transaction;
        const { rows: [row] } = await run(statements.lockSession, [id, login]);
        if (row === undefined || !canLogIn(stored, user)) return "refused";
        const session = sessionOfRow(row);
        const factors = authenticated(session, authentication).factors.join();
        if (isRepeated && session.authenticatedAt === authenticatedAt && session.factors.join() === factors) {
          return "done";
        }
        if (use !== undefined && !await makeUse(transaction, use)) return "refused";
        await run(statements.authenticateSession, [id, factors, authenticatedAt]);
        await run(statements.noteChange, [login]);
        return "done";
      });
      return outcome === "done";
    },
  } satisfies Partial<Store>;
}

/** Uses a credential, whose user is locked. @returns whether it was stored as `current` */
export async function makeUse({ run }: Transaction, { current, next }: CredentialUse): Promise<boolean> {
  const { id, key } = current;
  const { rows: [row] } = await run(statements.lockCredential, [key]);
  if (row === undefined || !isSameCredential(credentialOfRow(row), current)) return false;
  if (next === undefined) await run(statements.deleteCredential, [key, id]);
  else await run(statements.replaceCredential, [key, next.name, next.lastUsedAt, next.counter, next.signCount]);
  return true;
}
