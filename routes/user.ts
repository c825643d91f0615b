/**
 * `/user/`: registering, and what is known of a user.
 *
 * Nobody but administrators learns from here who else is registered, except by trying to register the same login, which
 * must be refused.
 */

import { ulid } from "@std/ulid";
import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { ifNoneMatch } from "../lib/http/entity_tag.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { isReservedLogin } from "../lib/config/parsers.ts";
import { adminGroup, isAdmin, type Ticket, type User } from "../lib/store.ts";
import { findGoodTicket } from "../lib/accounts/ticket.ts";
import { etagOf, maxLoginLength, publicUser } from "../lib/accounts/user.ts";
import { type Registration, registrationBody, userSchema } from "../lib/accounts/request_schemas.ts";
import { changeCounts } from "./authenticate.ts";
import {
  isFresh,
  refuseActor,
  requireAdmin,
  requireMatch,
  requireSelfOrAdmin,
  sessionEndedHeaders,
  sessionsEnded,
} from "./caller.ts";
import { pageHeaders, pageSchema, userPageQuery } from "./page_query.ts";
import { route } from "../lib/operation.ts";

const userPageSchema = pageSchema("UserPage", { items: ["users", userSchema], cursor: { maxLength: maxLoginLength } });

/** Who may register. */
interface Admitted {
  readonly registration: Registration;
  /** By which ticket, if there is one. */
  readonly ticket: Ticket | undefined;
}

export const register = route("POST /user/", {
  access: "anyone",
  summary: "Register",
  description: "`GATEHOUSE_REGISTRATION` may require a ticket. With the ticket of the log it makes an administrator.",
  body: registrationBody,
  responses: { 201: { description: "The user is on disk.", schema: userSchema, headers: ["Location"] } },
  problems: [
    "registration-closed",
    "ticket-invalid",
    "login-reserved",
    "login-taken",
    "too-many-registrations",
    "overloaded",
  ],
  async handler(context) {
    const { config, passwordStrength, hasher, registrationLock, rateLimiter, clientLimits, stopping } = context.app;
    const client = context.rateLimitKey;
    hasher.queue.assertCapacity({ client });
    refuseTooMany(await rateLimiter.waitSeconds(clientLimits.registration(client)));
    const body = await readJson(context.request, { stopping });
    // First: judging a password takes more time than all else, and what is guessable is counted as no registration.
    refuseTooMany(await rateLimiter.take(clientLimits.newPassword(client)));
    const registration = registrationBody.parse(body, { minLength: config.passwordMinLength, passwordStrength });
    const ticket = await admit(registration, context);
    return await registrationLock.run(registration.login, () => insert({ registration, ticket }, context));
  },
});

export const listUsers = route("GET /user/", {
  access: "admin",
  summary: "List users",
  description: "Users that match all parameters; each is on exactly one page, even if others register meanwhile.",
  query: userPageQuery,
  responses: { 200: { schema: userPageSchema } },
  problems: ["invalid-query"],
  async handler(context) {
    await requireAdmin(context);
    const query = userPageQuery.parse(context.request);
    const { users, total, next } = await context.app.store.listUsers(query);
    const headers = pageHeaders(query, next);
    return jsonResponse({ users: users.map(publicUser), total, next: next ?? null }, { headers });
  },
});

export const showUser = route("GET /user/:login", {
  access: "user or admin",
  summary: "Get a user",
  responses: { 200: { schema: userSchema, headers: ["ETag"], cacheControl: "private, no-cache" } },
  problems: ["not-found"],
  async handler(context) {
    const { target } = await requireSelfOrAdmin(context);
    const etag = await etagOf(target);
    const headers = { etag, "cache-control": "private, no-cache" };
    if (!ifNoneMatch(context.request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers });
    }
    return jsonResponse(publicUser(target), { headers });
  },
});

export const deleteUser = route("DELETE /user/:login", {
  access: "user or admin",
  summary: "Delete a user",
  description: "Users delete themselves with a session that is less than 10 minutes old.",
  responses: { 204: { headers: sessionEndedHeaders } },
  problems: ["not-found", "login-again", "last-admin", "precondition-failed"],
  async handler(context) {
    const { session, user, target } = await requireSelfOrAdmin(context);
    const { store } = context.app;
    const isOwn = target.id === user.id && isFresh(session, context);
    if (!isOwn && !isAdmin(user)) throw new HttpError("login-again");
    const actor = { session, asAdmin: !isOwn };
    let current: User | undefined = target;
    while (current !== undefined) {
      await requireMatch(current, context);
      // The user is gone, which is what was wanted, and somebody else has the login by now.
      if (current.id !== target.id) break;
      const outcome = await store.deleteUser(current, { actor });
      if (outcome === "forbidden") return await refuseActor(context);
      if (outcome === "last-admin") throw new HttpError("last-admin");
      if (outcome === "done") audit(context, "user-deleted", { by: user.login, user: target.login });
      current = outcome === "done" ? undefined : await store.findUser(target.login);
    }
    return sessionsEnded(context, { isOwnEnded: user.id === target.id });
  },
});

/** Whether anyone may register, or this one by a ticket. @returns the ticket, if there is one */
async function admit(registration: Registration, context: Context): Promise<Ticket | undefined> {
  const { config, store, now } = context.app;
  const { login, ticket: code } = registration;
  if (code === undefined) {
    if (config.registration === "closed") throw new HttpError("registration-closed");
    if (config.registration === "ticket") throw new HttpError("ticket-invalid");
    // Whether or not somebody has it.
    if (isReservedLogin(login, config.reservedLogins)) throw new HttpError("login-reserved");
    return undefined;
  }
  // A closed service has a first administrator too.
  const purposes: Ticket["purpose"][] = config.registration === "closed" ? ["setup"] : ["setup", "register"];
  const ticket = await findGoodTicket(code, { store, purposes, login, now: now() });
  if (ticket === undefined) throw new HttpError("ticket-invalid");
  return ticket;
}

/** Counts, hashes and stores. What failed for no reason of the client's is not counted. */
async function insert(admitted: Admitted, context: Context): Promise<Response> {
  const { rateLimiter, clientLimits, throttle } = context.app;
  const { registration: { login }, ticket } = admitted;
  refuseTooMany(await rateLimiter.take(clientLimits.registration(context.rateLimitKey)));
  const user = await hashAndInsert(admitted, context).catch(async (error) => {
    if (!(error instanceof HttpError)) await changeCounts(context, () => putBack(context));
    throw error;
  });
  if (ticket !== undefined) audit(context, "ticket-used", { user: login, purpose: ticket.purpose });
  audit(context, "user-registered", { user: login });
  // Whatever was tried before was tried in vain.
  await changeCounts(context, () => throttle.forget(login));
  // Relative, so that it is right also where the service is mounted at another path.
  const headers = { location: `./${encodeURIComponent(login)}` };
  return jsonResponse(publicUser(user), { status: 201, headers });
}

/** Looks whether the login is taken first, as a hash is a hundred times the work. */
async function hashAndInsert({ registration, ticket }: Admitted, context: Context): Promise<User> {
  const { store, hasher, now } = context.app;
  const { login, password } = registration;
  if (await store.findUser(login) !== undefined) throw new HttpError("login-taken");
  const passwordHash = await hasher.hash(password, { client: context.rateLimitKey, hungUp: context.request.signal });
  const registeredAt = now();
  const groups = ticket?.purpose === "setup" ? [adminGroup] : [];
  const user = { id: ulid(registeredAt), login, passwordHash, registeredAt, groups, disabled: false };
  const outcome = await store.insertUser(user, ticket?.secretHash);
  if (outcome === "taken") throw new HttpError("login-taken");
  if (outcome === "no-ticket") throw new HttpError("ticket-invalid");
  return user;
}

/**
 * Has a registration that failed for no reason of the client's count for nothing. But as it tells that the login is not
 * taken, it does so only as often as a client may register: or who is registered could be asked without end, by whoever
 * keeps the service busy.
 */
async function putBack({ app, rateLimitKey }: Context): Promise<void> {
  const { rateLimiter, clientLimits } = app;
  if (await rateLimiter.take(clientLimits.failedRegistration(rateLimitKey)) > 0) return;
  await rateLimiter.putBack(clientLimits.registration(rateLimitKey));
}

/** @throws {HttpError} `too-many-registrations`, when there are any seconds to wait */
function refuseTooMany(waitSeconds: number): void {
  if (waitSeconds === 0) return;
  throw new HttpError("too-many-registrations", { headers: { "retry-after": String(waitSeconds) } });
}
