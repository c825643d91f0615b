/** `/ticket/`: administrators make, list and delete tickets, which allow to register or to reset a password. */

import { audit } from "../lib/audit.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import type { ListedTicket } from "../lib/store/queries.ts";
import { createTicket } from "../lib/accounts/ticket.ts";
import { dateSchema, idSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { ticketRequestBody } from "../lib/accounts/request_bodies.ts";
import { loginSchema } from "../lib/accounts/request_schemas.ts";
import { refuseActor, requireAdmin, requireRecentLogin } from "./auth/authorization.ts";
import { pageQuery, pageResponse, pageSchema } from "./page_query.ts";
import { route } from "../lib/router.ts";

/** Example for the OpenAPI document. */
export const exampleTicketId = "01M81Q8RAN6Y7QJ4E0V3SCM2ZT";

const common = { id: idSchema, purpose: { enum: ["register", "reset"] }, expires_at: dateSchema };
const onlyLogin = { login: { $ref: loginSchema, description: "The only login that may use it; absent if any may." } };

const newTicketSchema: Schema = {
  $id: "NewTicket",
  ...objectSchema({
    ...common,
    ticket: { type: "string", pattern: "^[A-Za-z0-9_-]{43}$", description: "The code. Only this response has it." },
  }, onlyLogin),
};

/** What `publicTicket` returns. */
const ticketSchema: Schema = {
  $id: "Ticket",
  ...objectSchema({
    ...common,
    made_by: { type: ["string", "null"], description: "The login of its maker; null if an earlier version made it." },
    created_at: { ...dateSchema, type: ["string", "null"], description: "Null if an earlier version made it." },
  }, onlyLogin),
};

const ticketPageSchema = pageSchema("TicketPage", { items: ["tickets", ticketSchema] });

export const makeTicket = route("POST /ticket/", {
  access: "admin",
  summary: "Make a ticket",
  description: "A code for one use, to register or to set the password of a user. It is void once its maker is no " +
    "administrator, ends all sessions or changes the password.",
  body: ticketRequestBody,
  responses: { 201: { schema: newTicketSchema } },
  problems: ["registration-closed", "not-found", "login-again"],
  async handler(context) {
    const { store, config, now, stopping } = context.app;
    const body = await readJson(context.request, { stopping });
    const { session, user } = await requireRecentLogin(await requireAdmin(context), context);
    const { purpose, login = "" } = ticketRequestBody.parse(body);
    // Registration is closed even with a ticket.
    if (purpose === "register" && config.registration === "closed") throw new HttpError("registration-closed");
    const { ticket, code } = createTicket(purpose, { login, maker: user.id, now: now(), ttlMs: config.ticketMs });
    const outcome = await store.insertTicket(ticket, { actor: { session, asAdmin: true } });
    if (outcome === "forbidden") return await refuseActor(context);
    if (outcome === "missing") throw new HttpError("not-found");
    // The login of an invitation is not registered, and may be a password that was typed into the wrong field.
    const target = purpose === "reset" ? { user: login } : {};
    audit(context, "ticket-made", { by: user.login, ticket: ticket.id, purpose, ...target });
    const expires_at = new Date(ticket.expiresAt).toISOString();
    const value = { id: ticket.id, ticket: code, purpose, ...login !== "" && { login }, expires_at };
    return jsonResponse(value, { status: 201 });
  },
});

export const listTickets = route("GET /ticket/", {
  access: "admin",
  summary: "List tickets",
  description: "Valid tickets without their codes, the oldest first.",
  query: pageQuery,
  responses: { 200: { schema: ticketPageSchema } },
  problems: ["invalid-query"],
  async handler(context) {
    await requireAdmin(context);
    const query = pageQuery.parse(context.request);
    const { store, now } = context.app;
    const { items: tickets, total, next } = await store.listTickets({ ...query, now: now() });
    return pageResponse(query, { tickets: tickets.map(publicTicket), total, next });
  },
});

export const deleteTicket = route("DELETE /ticket/:id", {
  access: "admin",
  summary: "Delete a ticket",
  parameters: { id: { ...idSchema, description: "The id of a ticket.", examples: [exampleTicketId] } },
  responses: { 204: {} },
  problems: ["not-found"],
  async handler(context) {
    const { session, user } = await requireAdmin(context);
    const id = context.params["id"] ?? "";
    const outcome = await context.app.store.deleteTicket(id, { actor: { session, asAdmin: true } });
    if (outcome === "forbidden") return await refuseActor(context);
    if (outcome === "missing") throw new HttpError("not-found");
    audit(context, "ticket-deleted", { by: user.login, ticket: id });
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  },
});

/** The public fields of a ticket, one by one, so that a new field does not become public by accident. */
function publicTicket({ ticket, madeBy }: ListedTicket) {
  const { id, purpose, login, createdAt, expiresAt } = ticket;
  return {
    id,
    purpose,
    ...login !== "" && { login },
    made_by: madeBy ?? null,
    created_at: createdAt === 0 ? null : new Date(createdAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
  };
}
