/**
 * `POST /user/`: registers a user.
 *
 * Reading order: the handler, then its steps. Work grows from step to step: each limit is checked before the work that
 * it bounds, and a password is hashed only if the login is free. Registration is the only way in which a client that is
 * not an administrator learns that a login is taken.
 */

import { ulid } from "@std/ulid";
import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { HttpError, jsonResponse, retryable } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { isReservedLogin } from "../lib/config/parsers.ts";
import { adminGroup, type Ticket, type User } from "../lib/store.ts";
import { findGoodTicket } from "../lib/accounts/ticket.ts";
import { publicUser } from "../lib/accounts/user.ts";
import { type Registration, registrationBody, userSchema } from "../lib/accounts/request_schemas.ts";
import { changeCounts } from "./auth/login_password.ts";
import { route } from "../lib/router.ts";

/** A registration that is allowed. */
interface Admitted {
  readonly registration: Registration;
  /** Absent if anyone may register. */
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
    // Before the strength check, which is the most expensive. A guessable password does not count as a registration.
    refuseTooMany(await rateLimiter.take(clientLimits.newPassword(client)));
    const registration = registrationBody.parse(body, { minLength: config.passwordMinLength, passwordStrength });
    const ticket = await admit(registration, context);
    return await registrationLock.run([registration.login], () => insert({ registration, ticket }, context));
  },
});

/** Checks that the client may register. @returns the ticket, if the request has one */
async function admit(registration: Registration, context: Context): Promise<Ticket | undefined> {
  const { config, store, now } = context.app;
  const { login, ticket: code } = registration;
  if (code === undefined) {
    if (config.registration === "closed") throw new HttpError("registration-closed");
    if (config.registration === "ticket") throw new HttpError("ticket-invalid");
    // Also if the login is taken.
    if (isReservedLogin(login, config.reservedLogins)) throw new HttpError("login-reserved");
    return undefined;
  }
  // Also if registration is closed, a setup ticket registers an administrator.
  const purposes: Ticket["purpose"][] = config.registration === "closed" ? ["setup"] : ["setup", "register"];
  const ticket = await findGoodTicket(code, { store, purposes, login, now: now() });
  if (ticket === undefined) throw new HttpError("ticket-invalid");
  return ticket;
}

/** Counts the registration, and takes it back if it fails for a reason that the client did not cause. */
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
  // Wrong passwords for the login before it was registered do not count.
  await changeCounts(context, () => throttle.forget(login));
  // Relative, as a proxy may mount the service at another path.
  const headers = { location: `./${encodeURIComponent(login)}` };
  return jsonResponse(publicUser(user), { status: 201, headers });
}

/** Checks first whether the login is taken, as a hash is a hundred times the work. */
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
  hasher.decoys.replace(passwordHash);
  return user;
}

/**
 * Takes back the count of a failed registration, as often as a client may register. The failure shows that the login is
 * not taken: without this limit, a client that keeps the service busy could test any number of logins.
 */
async function putBack({ app, rateLimitKey }: Context): Promise<void> {
  const { rateLimiter, clientLimits } = app;
  if (await rateLimiter.take(clientLimits.failedRegistration(rateLimitKey)) > 0) return;
  await rateLimiter.putBack(clientLimits.registration(rateLimitKey));
}

/** @throws {HttpError} `too-many-registrations` if the wait is not 0 */
function refuseTooMany(waitSeconds: number): void {
  if (waitSeconds > 0) throw retryable("too-many-registrations", waitSeconds);
}
