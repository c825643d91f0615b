/**
 * `/session/`: logging in, looking at the session one has, and logging out.
 *
 * An unknown login, a wrong password and a disabled account get the same answer for the same work, one hash: a disabled
 * account is verified like an unknown login.
 */

import type { Context } from "../lib/app.ts";
import { clientKey } from "../lib/client.ts";
import { HttpError, jsonReply, readJson } from "../lib/http.ts";
import {
  createSession,
  expiresAt,
  findLiveSession,
  isSameOrigin,
  presentedToken,
  sessionCookie,
} from "../lib/session.ts";
import type { Session, User } from "../lib/store.ts";
import { type LoginRequest, parseLogin } from "../lib/user.ts";

/** RFC 9110, 11.6.1: a 401 names a way to authenticate. */
const challenge = { "www-authenticate": 'Bearer realm="gatehouse"' };
const safeMethods = new Set(["GET", "HEAD"]);

/** `POST /session/`: logs in. */
export async function logIn(request: Request, context: Context): Promise<Response> {
  const { store, config, now, stopping } = context.app;
  const credentials = parseLogin(await readJson(request, { stopping }));
  const user = await authenticate(credentials, context);
  const userAgent = request.headers.get("user-agent") ?? "";
  const { session, token } = createSession(user.login, { now: now(), userAgent, address: context.client });
  // The password was changed, or the account disabled, while it was verified: it is no longer the right one.
  if (!await store.insertSession(session, user)) throw wrongCredentials();
  const maxAgeSeconds = Math.floor(config.sessionMaxMs / 1_000);
  const { login } = user;
  const dates = datesOf(session, context);
  if (!credentials.cookie) return jsonReply({ login, token, ...dates }, { status: 201 });
  const headers = { "set-cookie": sessionCookie(token, maxAgeSeconds) };
  return jsonReply({ login, ...dates }, { status: 201, headers });
}

/** `GET /session/`: whose session this is. */
export async function showSession(request: Request, context: Context): Promise<Response> {
  const session = await requireSession(request, context);
  const user = await context.app.store.findUser(session.login);
  if (user === undefined) throw new HttpError("not-authenticated", { headers: challenge });
  return jsonReply({ login: user.login, groups: user.groups, ...datesOf(session, context) });
}

/** `DELETE /session/`: logs out. */
export async function logOut(request: Request, context: Context): Promise<Response> {
  const session = await requireSession(request, context);
  await context.app.store.deleteSession(session.id);
  const headers = new Headers({ "cache-control": "no-store" });
  if (presentedToken(request.headers)?.isCookie) headers.set("set-cookie", sessionCookie("", 0));
  return new Response(null, { status: 204, headers });
}

/**
 * The session that a request acts with.
 *
 * @throws {HttpError} `not-authenticated`; `cross-origin` when it would change something by the cookie for another site
 */
export async function requireSession(request: Request, context: Context): Promise<Session> {
  const { app, requestId } = context;
  const presented = presentedToken(request.headers);
  if (presented === undefined) throw new HttpError("not-authenticated", { headers: challenge });
  if (presented.isCookie && !safeMethods.has(request.method) && !isSameOrigin(request.headers)) {
    throw new HttpError("cross-origin");
  }
  const session = await findLiveSession(presented.token, {
    store: app.store,
    lifetimes: app.config,
    now: app.now(),
    onFault: (error) => app.log.error("touch-failed", { requestId, error }),
  });
  if (session === undefined) throw new HttpError("not-authenticated", { headers: challenge });
  return session;
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
    if (config.loginErrors === "exact") throw exactError(user);
    throw wrongCredentials();
  }
  if (rehashed === undefined) return user;
  const next = { ...user, passwordHash: rehashed };
  // Another login was faster with its own new hash, or the password was changed: what is kept now decides.
  return await store.replaceUser(user, next) ? next : authenticate(credentials, context);
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
