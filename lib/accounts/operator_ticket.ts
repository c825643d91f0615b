/**
 * What an operator does with `deno task ticket` and `deno task recover` on the machine with the data: above all the way
 * back for the last administrator who forgot the password or lost the second factor.
 *
 * Access to the store is the proof, so no session is checked. These tickets have no maker, as the ticket of the first
 * start, so they do not become void when an administrator loses rights.
 */

import type { Config } from "../config/config.ts";
import type { AuditEvent } from "../metrics/metrics.ts";
import { adminGroup, isAdmin, type Store, type Ticket, type User } from "../store.ts";
import { createTicket, ticketNotice } from "./ticket.ts";
import { canonicalLogin, isGroups, loginErrors } from "./user.ts";

/** The request as it was typed. */
export interface OperatorRequest {
  readonly action: string;
  /** "" if it was omitted. */
  readonly login: string;
}

export interface OperatorOutcome {
  /** For the operator: what was done, with the code of a ticket, or why nothing was done. */
  readonly text: string;
  /** For the log; absent if nothing was done. */
  readonly audit?: { readonly event: AuditEvent; readonly fields: Readonly<Record<string, unknown>> };
}

interface OperatorContext {
  readonly store: Store;
  readonly config: Config;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Does what an operator requests. */
export async function serveOperator(request: OperatorRequest, context: OperatorContext): Promise<OperatorOutcome> {
  const { action } = request;
  const login = canonicalLogin(request.login);
  const isForAny = action === "invite" && login === "";
  const [error] = isForAny ? [] : loginErrors(login);
  if (error !== undefined) return { text: `Cannot use the login "${login}": ${error.detail}` };
  const user = await context.store.findUser(login);
  // It could neither log in with a new password nor act as an administrator.
  if (user?.disabled) return { text: `The user "${login}" is disabled: an administrator must enable it first` };
  switch (action) {
    case "reset":
      return await makeTicket({ purpose: "reset", login, use: `set a new password for "${login}"` }, context);
    case "invite": {
      if (context.config.registration === "closed") {
        return { text: "Registration is closed: see GATEHOUSE_REGISTRATION" };
      }
      if (user !== undefined) return { text: `There is a user "${login}" already` };
      return await makeTicket(
        { purpose: "register", login, use: isForAny ? "register" : `register "${login}"` },
        context,
      );
    }
    case "recover":
      return await deleteCredentials(login, context);
    case "admin":
      if (user !== undefined) return await promote(user, context);
      return await makeTicket({ purpose: "setup", login, use: `register "${login}" as an administrator` }, context);
    default:
      return { text: `Cannot do "${action}": use reset, invite, admin or recover` };
  }
}

async function makeTicket(
  { purpose, login, use }: Pick<Ticket, "purpose" | "login"> & { readonly use: string },
  { store, config, now }: OperatorContext,
): Promise<OperatorOutcome> {
  const made = createTicket(purpose, { login, maker: "", now, ttlMs: config.ticketMs });
  const outcome = await store.insertTicket(made.ticket);
  if (outcome !== "done") return { text: `There is no user "${login}"` };
  // A login that is not registered may be a password that was typed into the wrong field.
  const fields = { ticket: made.ticket.id, purpose, ...purpose === "reset" && { user: login } };
  return {
    text: ticketNotice(made, { use: `Ticket to ${use}`, address: config.listen }),
    audit: { event: "ticket-made", fields },
  };
}

/** Deletes all credentials of a user: with some lost, the others may be in wrong hands too. */
async function deleteCredentials(login: string, { store }: OperatorContext): Promise<OperatorOutcome> {
  const count = await store.deleteCredentials(login);
  if (count === "forbidden" || count === 0) return { text: `There is no user "${login}" with a second factor` };
  return {
    text: `Deleted all passkeys, TOTP, recovery codes and app passwords of "${login}", who logs in with the password ` +
      "alone now. Sessions continue: end them on the page",
    audit: { event: "credential-deleted", fields: { user: login, count } },
  };
}

/** Makes a registered user an administrator: a ticket would add nothing, as the user can log in. */
async function promote({ login }: User, { store }: OperatorContext): Promise<OperatorOutcome> {
  for (let user = await store.findUser(login); user !== undefined; user = await store.findUser(login)) {
    if (isAdmin(user)) return { text: `The user "${login}" is an administrator already` };
    const groups = [...user.groups, adminGroup];
    if (!isGroups(groups)) return { text: `The user "${login}" is in too many groups to be in "${adminGroup}" too` };
    // Another change may have come between.
    if (await store.replaceUser(user, { ...user, groups }) !== "done") continue;
    return {
      text: `The user "${login}" is an administrator now`,
      audit: { event: "user-changed", fields: { user: login, groups } },
    };
  }
  return { text: `There is no user "${login}"` };
}
