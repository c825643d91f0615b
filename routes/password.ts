/**
 * `PUT /user/:login/password`: a new password, by whoever has the present one and a session, or a ticket for it.
 *
 * With the password every other session of the user ends: whoever had learnt the old one is out.
 */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { deviceCookie } from "../lib/accounts/known_device.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { isSamePassword } from "../lib/passwords/password_hash.ts";
import { presentedToken } from "../lib/accounts/session.ts";
import type { ReplaceOptions, User } from "../lib/store.ts";
import { findGoodTicket } from "../lib/accounts/ticket.ts";
import {
  type PasswordChange,
  passwordChangeBody,
  requireGoodPassword,
  unchangedPassword,
} from "../lib/accounts/request_schemas.ts";
import { changeCounts, verifyLoginPassword } from "./authenticate.ts";
import { loginInPath, refuseActor, requireSession } from "./caller.ts";
import { route } from "../lib/operation.ts";

/** Who is to get the new password, and what else changes with it. */
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
    await judge(body.password, context);
    await requireChange(body, admitted.user, context);
    const turn = { client: context.rateLimitKey, hungUp: request.signal };
    const changed = await replacePassword(admitted, await hasher.hash(body.password, turn), context) ??
      await refuseActor(context);
    const byTicket = body.ticket !== undefined;
    if (byTicket) audit(context, "ticket-used", { user: login, purpose: "reset" });
    audit(context, "password-changed", { ...!byTicket && { by: login }, user: login });
    await changeCounts(context, () => throttle.forget(login));
    const headers = new Headers({ "cache-control": "no-store" });
    // The browser is still one of the owner's.
    if (presentedToken(request.headers)?.isCookie) headers.set("set-cookie", deviceCookie(changed));
    return new Response(null, { status: 204, headers });
  },
});

async function admitBySession(context: Context): Promise<Admitted> {
  const { session, user } = await requireSession(context);
  if (user.login !== loginInPath(context)) throw new HttpError("forbidden");
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

/** Judges the new password, which takes more time than all else that comes before a hash: so it is counted first. */
async function judge(password: string, context: Context): Promise<void> {
  const { config, passwordStrength, rateLimiter, clientLimits } = context.app;
  const waitSeconds = await rateLimiter.take(clientLimits.newPassword(context.rateLimitKey));
  if (waitSeconds > 0) {
    throw new HttpError("too-many-new-passwords", { headers: { "retry-after": String(waitSeconds) } });
  }
  const rules = { minLength: config.passwordMinLength, passwordStrength };
  requireGoodPassword({ login: loginInPath(context), password }, rules);
}

/**
 * That the present password is right, if there is one in the body, and the new one another: one hash either way.
 *
 * @throws {HttpError} `wrong-current-password`, `too-many-attempts`; `invalid-user`
 */
async function requireChange(
  body: PasswordChange,
  user: User,
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
  const turn = { client: context.rateLimitKey, hungUp: context.request.signal };
  const { isRight } = await context.app.hasher.verify(body.password, { passwordHash, isRehashing: false, ...turn });
  if (isRight) throw unchangedPassword();
}

/**
 * Whatever else of the user is changed meanwhile stays; if it is the password, this change comes too late.
 *
 * @returns the user as changed; `undefined` when the session has ended while passwords were hashed
 */
async function replacePassword(
  admitted: Admitted,
  passwordHash: string,
  context: Context,
): Promise<User | undefined> {
  const { store } = context.app;
  const { user, options } = admitted;
  let current: User | undefined = user;
  while (current?.id === user.id && current.passwordHash === user.passwordHash) {
    const next: User = { ...current, passwordHash };
    const outcome = await store.replaceUser(current, next, options);
    if (outcome === "done") return next;
    if (outcome === "forbidden") return undefined;
    if (outcome === "no-ticket") break;
    current = await store.findUser(user.login);
  }
  throw new HttpError(options.ticketHash === undefined ? "wrong-current-password" : "ticket-invalid");
}
