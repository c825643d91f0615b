/**
 * `PUT /user/:login/password`: sets a password, with a session and the current password, or with a ticket.
 *
 * All other sessions of the user end, so that an attacker who knew the old password is logged out.
 */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { deviceCookie } from "../lib/accounts/known_device.ts";
import { HttpError, retryable } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { isSamePassword } from "../lib/passwords/password_hash.ts";
import { presentedToken } from "../lib/accounts/session.ts";
import { isSecondFactor, type ReplaceOptions, type User } from "../lib/store.ts";
import { findGoodTicket } from "../lib/accounts/ticket.ts";
import {
  type PasswordChange,
  passwordChangeBody,
  requireGoodPassword,
  unchangedPassword,
} from "../lib/accounts/request_bodies.ts";
import { changeCounts, verifyLoginPassword } from "./auth/login_password.ts";
import { loginInPath, refuseActor, requireRecentLogin, requireSelf } from "./auth/authorization.ts";
import { route } from "../lib/router.ts";

/** An allowed change: the user, and what else changes with the password. */
interface Admitted {
  readonly user: User;
  readonly options: ReplaceOptions;
}

export const changePassword = route("PUT /user/:login/password", {
  access: "user or ticket",
  summary: "Set a password",
  description: "All other sessions of the user end, and the tickets that the user made are deleted.",
  body: passwordChangeBody,
  responses: { 204: { headers: ["Set-Cookie?"] } },
  problems: [
    "wrong-current-password",
    "ticket-invalid",
    "login-again",
    "too-many-attempts",
    "too-many-new-passwords",
    "overloaded",
  ],
  async handler(context) {
    const { app: { hasher, throttle, stopping }, request } = context;
    const login = loginInPath(context);
    const body = passwordChangeBody.parse(await readJson(request, { stopping }));
    const admitted = body.ticket === undefined
      ? await admitBySession(context)
      : await admitByTicket(body.ticket, context);
    await requireStrength(body.password, context);
    await requireChange({ body, user: admitted.user }, context);
    const passwordHash = await hasher.hash(body.password, { client: context.rateLimitKey, hungUp: request.signal });
    const changed = await replacePassword({ ...admitted, passwordHash }, context) ?? await refuseActor(context);
    const byTicket = body.ticket !== undefined;
    if (byTicket) audit(context, "ticket-used", { user: login, purpose: "reset" });
    audit(context, "password-changed", { ...!byTicket && { by: login }, user: login });
    await changeCounts(context, () => throttle.forget(login));
    const headers = new Headers({ "cache-control": "no-store" });
    // The browser stays a known device: its cookie is signed with the password hash.
    if (presentedToken(request.headers)?.isCookie) headers.set("set-cookie", deviceCookie(changed));
    return new Response(null, { status: 204, headers });
  },
});

async function admitBySession(context: Context): Promise<Admitted> {
  const { session, user } = await requireSelf(context);
  // The current password is one factor: another user of the browser may know it.
  const credentials = await context.app.store.listCredentials(user.login);
  if (credentials.some(isSecondFactor)) await requireRecentLogin({ session, user }, context);
  return { user, options: { keepSessionId: session.id, actor: { session, asAdmin: false } } };
}

async function admitByTicket(code: string, context: Context): Promise<Admitted> {
  const { store, now } = context.app;
  const login = loginInPath(context);
  const ticket = await findGoodTicket(code, { store, purposes: ["reset"], login, now: now() });
  const user = await store.findUser(login);
  if (ticket === undefined || user === undefined) throw new HttpError("ticket-invalid");
  return { user, options: { keepSessionId: "", ticketHash: ticket.secretHash } };
}

/** Checks the strength of the new password: the most expensive step before a hash, so it is counted first. */
async function requireStrength(password: string, context: Context): Promise<void> {
  const { config, passwordStrength, rateLimiter, clientLimits } = context.app;
  const waitSeconds = await rateLimiter.take(clientLimits.newPassword(context.rateLimitKey));
  if (waitSeconds > 0) throw retryable("too-many-new-passwords", waitSeconds);
  const rules = { minLength: config.passwordMinLength, passwordStrength };
  requireGoodPassword({ login: loginInPath(context), password }, rules);
}

/**
 * Checks that the current password is right, unless a ticket replaces it, and that the new one differs: one hash.
 *
 * @throws {HttpError} `wrong-current-password`, `too-many-attempts`; `invalid-user`
 */
async function requireChange(
  { body, user }: { readonly body: PasswordChange; readonly user: User },
  context: Context,
): Promise<void> {
  const { login, passwordHash } = user;
  if (body.current_password !== undefined) {
    const attempt = { login, password: body.current_password, user, isRehashing: false };
    const { isRight } = await verifyLoginPassword(attempt, context);
    if (!isRight) throw new HttpError("wrong-current-password");
    if (isSamePassword(body.password, body.current_password)) throw unchangedPassword();
    return;
  }
  const { app: { hasher }, rateLimitKey: client, request } = context;
  const options = { login, passwordHash, isRehashing: false, client, hungUp: request.signal };
  const { isRight } = await hasher.verify(body.password, options);
  if (isRight) throw unchangedPassword();
}

/**
 * Stores the hash, and keeps other changes that were made to the user meanwhile. If the password itself was changed,
 * this change is rejected.
 *
 * @returns the changed user; `undefined` if the session ended while passwords were hashed
 */
async function replacePassword(
  { user, options, passwordHash }: Admitted & { readonly passwordHash: string },
  { app: { store, hasher } }: Context,
): Promise<User | undefined> {
  let current: User | undefined = user;
  while (current?.id === user.id && current.passwordHash === user.passwordHash) {
    const next: User = { ...current, passwordHash };
    const outcome = await store.replaceUser(current, next, options);
    if (outcome === "done") {
      hasher.decoys.replace(passwordHash, user.passwordHash);
      return next;
    }
    if (outcome === "forbidden") return undefined;
    if (outcome === "no-ticket") break;
    current = await store.findUser(user.login);
  }
  throw new HttpError(options.ticketHash === undefined ? "wrong-current-password" : "ticket-invalid");
}
