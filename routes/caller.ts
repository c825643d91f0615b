/**
 * Who asks, and whether they may: what handlers call once the body has come, as a body takes up to 10 s and rights may
 * go meanwhile. What is changed then is changed by an `Actor`: the store checks the rights again, with the change.
 *
 * Who may not see a user gets the same answer whether the user exists or not.
 */

import type { Context } from "../lib/app.ts";
import { ifMatch } from "../lib/http/entity_tag.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { findLiveSession, forgetPages, presentedToken, sessionCookie } from "../lib/accounts/session.ts";
import { isSameOrigin } from "../lib/http/cookie.ts";
import { isAdmin, type Session, type User, type UserSession } from "../lib/store.ts";
import { canonicalLogin, etagOf } from "../lib/accounts/user.ts";

/** RFC 9110, 11.6.1: a 401 names the ways to authenticate. */
export const challenge = { "www-authenticate": 'Bearer realm="gatehouse"' };

/** For clients that ask for a password only when Basic is offered, such as Git and WebDAV clients. */
export const basicChallenge = {
  "www-authenticate": `Basic realm="gatehouse", charset="UTF-8", ${challenge["www-authenticate"]}`,
};

/** What an open browser that somebody finds must not allow needs a login that is not older. */
export const freshLoginMs = 10 * 60 * 1_000;

const safeMethods = new Set(["GET", "HEAD"]);

/** Who asks, and the user that the path names. */
export interface CallerAndUser extends UserSession {
  readonly target: User;
}

/**
 * Who asks, by their session.
 *
 * @throws {HttpError} `not-authenticated`; `cross-origin` when it would change something by the cookie for another site
 */
export async function requireSession(context: Context): Promise<UserSession> {
  const { request } = context;
  const presented = presentedToken(request.headers);
  if (presented === undefined) throw notAuthenticated();
  if (presented.isCookie && !safeMethods.has(request.method) && !isSameOrigin(request)) {
    throw new HttpError("cross-origin");
  }
  const found = await liveSession(presented.token, context);
  if (found === undefined) throw notAuthenticated();
  return found;
}

/** Header fields of `sessionsEnded`. */
export const sessionEndedHeaders = ["Set-Cookie?", "Clear-Site-Data?"];

/**
 * 204 after sessions have ended. A browser whose own session is among them forgets its cookie and the pages that it
 * keeps: by Back it would show a guarded page again, without asking.
 */
export function sessionsEnded({ request }: Context, { isOwnEnded }: { isOwnEnded: boolean }): Response {
  const isBrowser = isOwnEnded && presentedToken(request.headers)?.isCookie;
  const headers = {
    "cache-control": "no-store",
    ...isBrowser && { "set-cookie": sessionCookie("", 0), ...forgetPages },
  };
  return new Response(null, { status: 204, headers });
}

/** The live session that a token stands for, with its user. */
export function liveSession(token: string, context: Context): Promise<UserSession | undefined> {
  const { app } = context;
  return findLiveSession(token, {
    store: app.store,
    lifetimes: app.config,
    now: app.now(),
    onFault: (error) => app.failures.report("touch-failed", { requestId: context.requestId, error }),
  });
}

/**
 * Who asks, who must be an administrator.
 *
 * @throws {HttpError} as `requireSession`; `forbidden`
 */
export async function requireAdmin(context: Context): Promise<UserSession> {
  return asAdmin(await requireSession(context));
}

/**
 * Who asks, who must be an administrator, and the user that the path names.
 *
 * @throws {HttpError} as `requireAdmin`; `not-found` when there is no such user
 */
export async function requireAdminFor(context: Context): Promise<CallerAndUser> {
  return await withTarget(await requireAdmin(context), context);
}

/**
 * Who asks, who must be the user that the path names, or an administrator.
 *
 * @throws {HttpError} as `requireAdminFor`
 */
export async function requireSelfOrAdmin(context: Context): Promise<CallerAndUser> {
  const caller = await requireSession(context);
  if (caller.user.login === loginInPath(context)) return { ...caller, target: caller.user };
  return await withTarget(asAdmin(caller), context);
}

/**
 * Refuses a change whose actor has lost the rights since they were checked.
 *
 * @throws {HttpError} as `requireSession`, when the session has ended; else `forbidden`
 */
export async function refuseActor(context: Context): Promise<never> {
  await requireSession(context);
  throw new HttpError("forbidden");
}

/** Whether the session is of a login so recent that it shows who sits there now. */
export function isFresh(session: Session, { app }: Context): boolean {
  // Nor one that is further ahead: it was made before the clock was set back, and would be fresh for as long.
  return Math.abs(app.now() - session.createdAt) < freshLoginMs;
}

/**
 * That the user is as the `If-Match` of the request has it, if there is one (RFC 9110, 13.1.1).
 *
 * @throws {HttpError} `precondition-failed`
 */
export async function requireMatch(user: User, { request }: Context): Promise<void> {
  const condition = request.headers.get("if-match");
  if (condition !== null && !ifMatch(condition, await etagOf(user))) throw new HttpError("precondition-failed");
}

/** The login in the path, in the spelling that it is kept in. */
export function loginInPath(context: Context): string {
  return canonicalLogin(context.params["login"] ?? "");
}

/** @throws {HttpError} `forbidden` */
function asAdmin(caller: UserSession): UserSession {
  if (!isAdmin(caller.user)) throw new HttpError("forbidden");
  return caller;
}

/** @throws {HttpError} `not-found` */
async function withTarget(caller: UserSession, context: Context): Promise<CallerAndUser> {
  const target = await context.app.store.findUser(loginInPath(context));
  if (target === undefined) throw new HttpError("not-found");
  return { ...caller, target };
}

function notAuthenticated(): HttpError {
  return new HttpError("not-authenticated", { headers: challenge });
}
