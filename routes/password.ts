/**
 * `PUT /user/:login/password`: a new password, by whoever has the present one and a session, or a ticket for it.
 *
 * With the password every other session of the user ends: whoever had learnt the old one is out.
 */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { clientKey } from "../lib/client.ts";
import { deviceCookie } from "../lib/device.ts";
import { HttpError, readJson } from "../lib/http.ts";
import { presentedToken } from "../lib/session.ts";
import type { ReplaceOptions, User } from "../lib/store.ts";
import { findGoodTicket } from "../lib/ticket.ts";
import { parsePasswordChange, unchangedPassword } from "../lib/user_input.ts";
import { tryPassword } from "./authenticate.ts";
import { loginInPath, requireCaller } from "./caller.ts";

/** Who is to get the new password, and what else changes with it. */
interface Admitted {
  readonly user: User;
  readonly options: ReplaceOptions;
}

/** `PUT /user/:login/password`: sets the password. */
export async function changePassword(request: Request, context: Context): Promise<Response> {
  const { config, guesser, hasher, throttle, stopping } = context.app;
  const login = loginInPath(context);
  const rules = { minLength: config.passwordMinLength, guesser, login };
  const body = parsePasswordChange(await readJson(request, { stopping }), rules);
  const { user, options } = body.ticket === undefined
    ? await admitByPassword(request, body.currentPassword, context)
    : await admitByTicket(body.ticket, context);
  const turn = { client: clientKey(context.client), hungUp: request.signal };
  const { isRight } = await hasher.verify(body.password, { passwordHash: user.passwordHash, ...turn });
  if (isRight) throw unchangedPassword();
  const changed = await replacePassword({ user, options }, await hasher.hash(body.password, turn), context);
  const by = options.ticketHash === undefined ? { by: user.login } : {};
  if (options.ticketHash !== undefined) audit(context, "ticket-used", { user: user.login, purpose: "reset" });
  audit(context, "password-changed", { ...by, user: user.login });
  await throttle.forget(login);
  const headers = new Headers({ "cache-control": "no-store" });
  // The browser is still one of the owner's.
  if (presentedToken(request.headers)?.isCookie) headers.set("set-cookie", deviceCookie(changed));
  return new Response(null, { status: 204, headers });
}

async function admitByPassword(request: Request, password: string, context: Context): Promise<Admitted> {
  const { session, user } = await requireCaller(request, context);
  if (user.login !== loginInPath(context)) throw new HttpError("forbidden");
  const { isRight } = await tryPassword({ login: user.login, password, user }, request, context);
  if (!isRight) throw new HttpError("wrong-current-password");
  return { user, options: { endSessionsBut: session.id } };
}

async function admitByTicket(code: string, context: Context): Promise<Admitted> {
  const { store, now } = context.app;
  const login = loginInPath(context);
  const ticket = await findGoodTicket(code, { store, purposes: ["reset"], login, now: now() });
  const user = await store.findUser(login);
  if (ticket === undefined || user === undefined) throw new HttpError("ticket-invalid");
  return { user, options: { endSessionsBut: "", ticketHash: ticket.secretHash } };
}

/**
 * Whatever else of the user is changed meanwhile stays; if it is the password, this change comes too late.
 *
 * @returns the user as changed
 */
async function replacePassword(admitted: Admitted, passwordHash: string, context: Context): Promise<User> {
  const { store } = context.app;
  const { user, options } = admitted;
  let current: User | undefined = user;
  while (current?.id === user.id && current.passwordHash === user.passwordHash) {
    const next: User = { ...current, passwordHash };
    const outcome = await store.replaceUser(current, next, options);
    if (outcome === "done") return next;
    if (outcome === "no-ticket") break;
    current = await store.findUser(user.login);
  }
  throw new HttpError(options.ticketHash === undefined ? "wrong-current-password" : "ticket-invalid");
}
