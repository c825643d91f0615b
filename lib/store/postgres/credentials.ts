/** The changes of credentials, and of sessions by what a user proves. They lock the user, as in `rules.ts`. */

import { isDeepStrictEqual } from "node:util";
import { isSecondFactor, type Store } from "../../store.ts";
import { canLogIn, isSameCredential, isSameUser, replacedBy, updated } from "../rules.ts";
import { isStorableText } from "./connection.ts";
import type { Database } from "./database.ts";
import { insertAll, recordOf, rowOf } from "./rows.ts";
import { change, hasTicket, useProof } from "./rules.ts";
import { statements } from "./statements.ts";

export function credentialChanges(database: Database) {
  return {
    insertCredentials(user, credentials, { actor } = {}) {
      const { login } = user;
      return change(database, { login, actor }, async ({ run, isRepeated, stored, mayAct }) => {
        const { rows } = await run(statements.listCredentials, [login]);
        const kept = rows.map((row) => recordOf("credential", row));
        if (isRepeated && credentials.every(({ id }) => kept.some((one) => one.id === id))) return "done";
        if (!await mayAct()) return "forbidden";
        if (!isSameUser(stored, user)) return "stale";
        const replaced = replacedBy(credentials, kept);
        if (typeof replaced === "string") return replaced;
        for (const { key } of replaced) await run(statements.deleteCredential, [key]);
        const count = await insertAll(run, credentials.map((record) => ({ kind: "credential", record })));
        return count === credentials.length ? "done" : "taken";
      });
    },

    useCredential(use, { actor } = {}) {
      const { current: { login, key }, next } = use;
      return change(database, { login, actor }, async (transaction) => {
        const { run, isRepeated, mayAct } = transaction;
        if (isRepeated && next !== undefined) {
          const { rows: [row] } = await run(statements.lockCredential, [key]);
          if (row !== undefined && isSameCredential(recordOf("credential", row), next)) return "done";
        }
        if (!await mayAct()) return "forbidden";
        return await useProof(transaction, { use }) ? "done" : "stale";
      });
    },

    async deleteCredentials(login, { id = "", actor, keepsFactor = false } = {}) {
      if (!isStorableText(login) || !isStorableText(id)) return 0;
      let count = 0;
      const outcome = await change(database, { login, actor }, async ({ run, isRepeated, mayAct }) => {
        if (!await mayAct()) return "forbidden";
        count = (await run(statements.deleteCredentials, [login, id])).rowCount ?? 0;
        const { rows } = await run(statements.listCredentials, [login]);
        const remaining = rows.map((row) => recordOf("credential", row));
        if (keepsFactor && count > 0 && !remaining.some(isSecondFactor)) return "last";
        // An earlier attempt may have deleted the one.
        if (isRepeated && id !== "") count = 1;
        return "done";
      });
      return outcome === "done" ? count : outcome;
    },

    async updateSession(id, user, update) {
      if (!isStorableText(id)) return false;
      const { login } = user;
      const outcome = await change(database, { login, actor: undefined }, async (transaction) => {
        const { run, isRepeated, stored } = transaction;
        const { rows: [row] } = await run(statements.lockSession, [id, login]);
        if (row === undefined || !canLogIn(stored, user)) return "refused";
        const session = recordOf("session", row);
        const next = updated(session, update);
        if (isRepeated && isDeepStrictEqual(next, session) && !await hasTicket(transaction, update.ticketHash)) {
          return "done";
        }
        if (!await useProof(transaction, update)) return "refused";
        const { factors = "", authenticated_at = 0, sites = "" } = rowOf("session", next);
        await run(statements.updateSession, [id, factors, authenticated_at, sites]);
        return "done";
      });
      return outcome === "done";
    },
  } satisfies Partial<Store>;
}
