/**
 * `/session/`: logging in, looking at the session one has, and logging out.
 *
 * An unknown login, a wrong password and a disabled account get the same answer for the same work, one hash: a disabled
 * account is verified like an unknown login.
 */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { clientKey } from "../lib/client.ts";
import { HttpError, jsonReply, readJson } from "../lib/http.ts";
import { createSession, expiresAt, presentedToken, sessionCookie } from "../lib/session.ts";
import type { Session, User } from "../lib/store.ts";
import { type LoginRequest, parseLogin } from "../lib/user_input.ts";
import { challenge, requireCaller } from "./caller.ts";

/** `POST /session/`: logs in. */
export async function logIn(request: Request, context: Context): Promise<Response> {
  const { store, config, now, stopping } = context.app;
  const credentials = parseLogin(await readJson(request, { stopping }));
  const user = await authenticate(credentials, context);
  const userAgent = request.headers.get("user-agent") ?? "";
  const { session, token } = createSession(user.login, { now: now(), userAgent, address: context.client });
  // The password was changed, or the account disabled, while it was verified: it is no longer the right one.
  if (!await store.insertSession(session, user)) {
    audit(context, "login-failed", { user: user.login });
    throw wrongCredentials();
  }
  const { login } = user;
  audit(context, "login", { by: login, user: login });
  const maxAgeSeconds = Math.floor(config.sessionMaxMs / 1_000);
  const dates = datesOf(session, context);
  if (!credentials.cookie) return jsonReply({ login, token, ...dates }, { status: 201 });
  const headers = { "set-cookie": sessionCookie(token, maxAgeSeconds) };
  return jsonReply({ login, ...dates }, { status: 201, headers });
}

/** `GET /session/`: whose session this is. */
export async function showSession(request: Request, context: Context): Promise<Response> {
  const { session, user } = await requireCaller(request, context);
  return jsonReply({ login: user.login, groups: user.groups, ...datesOf(session, context) });
}

/** `DELETE /session/`: logs out. */
export async function logOut(request: Request, context: Context): Promise<Response> {
  const { session, user } = await requireCaller(request, context);
  await context.app.store.deleteSession(session.id);
  audit(context, "logout", { by: user.login, user: user.login });
  const headers = new Headers({ "cache-control": "no-store" });
  if (presentedToken(request.headers)?.isCookie) headers.set("set-cookie", sessionCookie("", 0));
  return new Response(null, { status: 204, headers });
}

/** The user that the credentials are right for, with a hash of today's cost. */
async function authenticate(credentials: LoginRequest, context: Context): Promise<User> {
  const { store, hasher, config } = context.app;
  const user = await store.findUser(credentials.login);
  const { isRight, rehashed } = await hasher.verify(credentials.password, {
    passwordHash: user?.disabled ? undefined : user?.passwordHash,
    client: clientKey(context.client),
  });
  if (user === undefined || !isRight) {
    audit(context, "login-failed", user === undefined ? {} : { user: user.login });
    if (config.loginErrors === "exact") throw exactError(user);
    throw wrongCredentials();
  }
  if (rehashed === undefined) return user;
  const next = { ...user, passwordHash: rehashed };
  // Another login was faster with its own new hash, or the password was changed: what is kept now decides.
  return await store.replaceUser(user, next) === "done" ? next : authenticate(credentials, context);
}

function wrongCredentials(): HttpError {
  return new HttpError("wrong-credentials", { headers: challenge });
}

/** The teaching mode of the lab: tells what the uniform answer hides. */
function exactError(user: User | undefined): HttpError {
  return user === undefined ? new HttpError("unknown-login") : new HttpError("wrong-password", { headers: challenge });
}

function datesOf(session: Session, context: Context): { created_at: string; expires_at: string } {
  return {
    created_at: new Date(session.createdAt).toISOString(),
    expires_at: new Date(expiresAt(session, context.app.config)).toISOString(),
  };
}
