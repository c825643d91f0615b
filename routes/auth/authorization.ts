/**
 * Checks the session of a request and its rights.
 *
 * Handlers call these functions after they have read the body, which can take 10 s, as rights may change meanwhile. The
 * store checks them once more, within the change: see `Actor`. A client without the right to see a user gets the same
 * response whether the user exists or not.
 */

import type { Context } from "../../lib/app.ts";
import { isSameOrigin } from "../../lib/http/cookie.ts";
import { ifMatch } from "../../lib/http/entity_tag.ts";
import { isSafe } from "../../lib/http/error_page.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import { hasSecondFactor, provableFactors, requiresSecondFactor } from "../../lib/factors/second_factor.ts";
import { findLiveSession, forgetPages, presentedToken, sessionCookie } from "../../lib/accounts/session.ts";
import { type Credential, isAdmin, isSecondFactor, type User, type UserSession } from "../../lib/store.ts";
import { canonicalLogin, etagOf } from "../../lib/accounts/user.ts";

/** RFC 9110, 11.6.1: a 401 lists the authentication schemes. */
export const challenge = { "www-authenticate": 'Bearer realm="gatehouse"' };

/** For clients that send a password only if Basic is offered, such as Git and WebDAV clients. */
export const basicChallenge = {
  "www-authenticate": `Basic realm="gatehouse", charset="UTF-8", ${challenge["www-authenticate"]}`,
};

/** Operations that an unattended browser must not allow require a login younger than this. */
export const recentLoginMs = 10 * 60 * 1_000;

/** The session of the request with its user, and the user that the path names. */
export interface SessionAndTarget extends UserSession {
  readonly target: User;
}

/** Whether the user may lack a required second factor, by default not. For what sets one up, and to leave. */
type SessionOptions = { readonly withoutSecondFactor?: boolean };

/**
 * Returns the session of the request.
 *
 * @throws {HttpError} `not-authenticated`; `cross-origin` if another site sends an unsafe request with the cookie;
 *   `second-factor-required`
 */
export async function requireSession(context: Context, options: SessionOptions = {}): Promise<UserSession> {
  const { request } = context;
  const presented = presentedToken(request.headers);
  if (presented === undefined) throw notAuthenticated();
  if (presented.isCookie && !isSafe(request.method) && !isSameOrigin(request)) {
    throw new HttpError("cross-origin");
  }
  const found = await liveSession(presented.token, context);
  if (found === undefined) throw notAuthenticated();
  return options.withoutSecondFactor ? found : withSecondFactor(found, context);
}

/** Header fields of `sessionsEnded`. */
export const sessionEndedHeaders = ["Set-Cookie?", "Clear-Site-Data?"];

/**
 * Responds 204 after sessions have ended. A browser whose own session has ended deletes its cookie and its cached
 * pages, which the Back button would show again.
 */
export function sessionsEnded({ request }: Context, { isOwnEnded }: { isOwnEnded: boolean }): Response {
  const isBrowser = isOwnEnded && presentedToken(request.headers)?.isCookie;
  const headers = {
    "cache-control": "no-store",
    ...isBrowser && { "set-cookie": sessionCookie("", 0), ...forgetPages },
  };
  return new Response(null, { status: 204, headers });
}

/** Finds the session of a token, if it has not expired. @param origin the site of a token that is for one */
export function liveSession(token: string, context: Context, origin?: string): Promise<UserSession | undefined> {
  const { app } = context;
  return findLiveSession(token, {
    store: app.store,
    lifetimes: app.config,
    now: app.now(),
    origin,
    onError: (error) => app.failures.report("touch-failed", { requestId: context.requestId, error }),
  });
}

/**
 * Returns the session of the request if its user is an administrator.
 *
 * @throws {HttpError} as `requireSession`; `forbidden`
 */
export async function requireAdmin(context: Context): Promise<UserSession> {
  return asAdmin(await requireSession(context));
}

/**
 * Returns the session of an administrator and the user that the path names.
 *
 * @throws {HttpError} as `requireAdmin`; `not-found` if the user does not exist
 */
export async function requireAdminFor(context: Context): Promise<SessionAndTarget> {
  return await withTarget(await requireAdmin(context), context);
}

/**
 * Returns the session if its user is the one that the path names.
 *
 * @throws {HttpError} as `requireSession`; `forbidden`
 */
export async function requireSelf(context: Context, options: SessionOptions = {}): Promise<UserSession> {
  const found = await requireSession(context, options);
  if (found.user.login !== loginInPath(context)) throw new HttpError("forbidden");
  return found;
}

/**
 * Returns the session if its user is the one that the path names or an administrator, and the user that the path names.
 *
 * @param options for the user itself; an administrator must have a required second factor
 * @throws {HttpError} as `requireAdminFor`
 */
export async function requireSelfOrAdmin(context: Context, options: SessionOptions = {}): Promise<SessionAndTarget> {
  const found = await requireSession(context, options);
  if (found.user.login === loginInPath(context)) return { ...found, target: found.user };
  return await withTarget(asAdmin(withSecondFactor(found, context)), context);
}

/**
 * Rejects a change whose actor has lost the right since it was checked.
 *
 * @throws {HttpError} as `requireSession` if the session has ended; else `forbidden`
 */
export async function refuseActor(context: Context): Promise<never> {
  await requireSession(context);
  throw new HttpError("forbidden");
}

/**
 * Checks that the user of the session has proved its identity recently, as what makes or takes rights requires: an
 * unattended browser must not allow it. The password alone does not prove a user with a second factor, also if the
 * session is older than that.
 *
 * @returns the session as it was given
 * @throws {HttpError} `login-again`
 */
export async function requireRecentLogin<T extends UserSession>(found: T, context: Context): Promise<T> {
  const { session, user } = found;
  const credentials = await context.app.store.listCredentials(user.login);
  const isProven = hasSecondFactor(session) || !credentials.some(isSecondFactor);
  // A session from the future, after the clock was set back, would stay recent for that time.
  const isRecent = Math.abs(context.app.now() - session.authenticatedAt) < recentLoginMs;
  if (!isRecent || !isProven) throw loginAgain(credentials);
  return found;
}

/** The error for a user with these credentials whose login is not recent. */
export function loginAgain(credentials: readonly Credential[]): HttpError {
  const factors = provableFactors(credentials);
  return new HttpError("login-again", { needs: factors.length === 0 ? ["password"] : factors });
}

/**
 * Checks the If-Match of the request, if it has one, against the user (RFC 9110, 13.1.1).
 *
 * @throws {HttpError} `precondition-failed`
 */
export function requireMatch(user: User, { request }: Context): void {
  const condition = request.headers.get("if-match");
  if (condition !== null && !ifMatch(condition, etagOf(user))) throw new HttpError("precondition-failed");
}

/** The login in the path, in lower case as it is stored. */
export function loginInPath(context: Context): string {
  return canonicalLogin(context.params["login"] ?? "");
}

/** @throws {HttpError} `second-factor-required` if the user must have one, and the session has none */
function withSecondFactor(found: UserSession, { app: { config } }: Context): UserSession {
  const lacksFactor = requiresSecondFactor(found.user, config) && !hasSecondFactor(found.session);
  if (lacksFactor) throw new HttpError("second-factor-required", { headers: challenge });
  return found;
}

/** @throws {HttpError} `forbidden` */
function asAdmin(found: UserSession): UserSession {
  if (!isAdmin(found.user)) throw new HttpError("forbidden");
  return found;
}

/** @throws {HttpError} `not-found` */
async function withTarget(found: UserSession, context: Context): Promise<SessionAndTarget> {
  const target = await context.app.store.findUser(loginInPath(context));
  if (target === undefined) throw new HttpError("not-found");
  return { ...found, target };
}

function notAuthenticated(): HttpError {
  return new HttpError("not-authenticated", { headers: challenge });
}
