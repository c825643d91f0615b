/** `/ticket/`: invitations, and codes to set a password with; made by administrators. */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { HttpError, jsonReply, readJson } from "../lib/http.ts";
import { createTicket } from "../lib/ticket.ts";
import { parseTicketRequest } from "../lib/user_input.ts";
import { requireAdmin } from "./caller.ts";

/** `POST /ticket/`: makes a ticket, whose code is in the reply and nowhere else. */
export async function makeTicket(request: Request, context: Context): Promise<Response> {
  const { store, config, now, stopping } = context.app;
  const { user } = await requireAdmin(request, context);
  const { purpose, login } = parseTicketRequest(await readJson(request, { stopping }));
  // Nobody could use it.
  if (purpose === "register" && config.registration === "closed") throw new HttpError("registration-closed");
  const { ticket, code } = createTicket(purpose, { login, maker: user.id, now: now(), ttlMs: config.ticketMs });
  if (await store.insertTicket(ticket) !== "done") throw new HttpError("not-found");
  audit(context, "ticket-made", { by: user.login, purpose, ...login !== "" && { user: login } });
  const expires_at = new Date(ticket.expiresAt).toISOString();
  const value = { id: ticket.id, ticket: code, purpose, ...login !== "" && { login }, expires_at };
  return jsonReply(value, { status: 201 });
}
