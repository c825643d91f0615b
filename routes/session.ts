/** `/session/`: logging in, looking at the session one has, and logging out. */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { deviceCookie } from "../lib/accounts/known_device.ts";
import { jsonResponse, readJson } from "../lib/http/http.ts";
import { createSession, expiresAt, sessionCookie } from "../lib/accounts/session.ts";
import type { Session } from "../lib/store.ts";
import { parseLogin } from "../lib/accounts/request_schemas.ts";
import { authenticate, wrongCredentials } from "./authenticate.ts";
import { requireSession, sessionsEnded } from "./caller.ts";

/** `POST /session/`: logs in. Beyond so many sessions of one user the one seen longest ago ends. */
export async function logIn(context: Context): Promise<Response> {
  const { app: { store, config, now, stopping }, request } = context;
  const credentials = parseLogin(await readJson(request, { stopping }));
  const user = await authenticate(credentials, context);
  const userAgent = request.headers.get("user-agent") ?? "";
  const { session, token } = createSession(user.login, { now: now(), userAgent, address: context.clientAddress });
  // The password was changed, or the account disabled, while it was verified: it is no longer the right one.
  if (!await store.insertSession(session, user, { maxSessions: config.maxSessions })) {
    audit(context, "login-failed", { user: user.login });
    throw wrongCredentials(request.headers);
  }
  const { login } = user;
  audit(context, "login", { by: login, user: login });
  const maxAgeSeconds = Math.floor(config.sessionMaxMs / 1_000);
  const dates = datesOf(session, context);
  if (!credentials.cookie) return jsonResponse({ login, token, ...dates }, { status: 201 });
  const reply = jsonResponse({ login, ...dates }, { status: 201 });
  reply.headers.append("set-cookie", sessionCookie(token, maxAgeSeconds));
  reply.headers.append("set-cookie", deviceCookie(user));
  return reply;
}

/** `GET /session/`: whose session this is. */
export async function showSession(context: Context): Promise<Response> {
  const { session, user } = await requireSession(context);
  return jsonResponse({ login: user.login, groups: user.groups, ...datesOf(session, context) });
}

/** `DELETE /session/`: logs out. */
export async function logOut(context: Context): Promise<Response> {
  const { session, user } = await requireSession(context);
  await context.app.store.deleteSession(session.id);
  audit(context, "logout", { by: user.login, user: user.login });
  return sessionsEnded(context, { isOwnEnded: true });
}

function datesOf(session: Session, context: Context): { created_at: string; expires_at: string } {
  return {
    created_at: new Date(session.createdAt).toISOString(),
    expires_at: new Date(expiresAt(session, context.app.config)).toISOString(),
  };
}
