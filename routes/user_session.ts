/** `/user/:login/session/`: where a user is logged in, and ending it; by the user or an administrator. */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { HttpError, jsonResponse, queryOf } from "../lib/http/http.ts";
import { expiresAt, listLiveSessions } from "../lib/accounts/session.ts";
import type { Session } from "../lib/store.ts";
import { refuseActor, requireSelfOrAdmin, sessionsEnded } from "./caller.ts";
import { pageHeaders, parsePageQuery } from "./page_query.ts";

/** `GET /user/:login/session/`: the sessions that have not expired, by pages, the oldest first. */
export async function listSessions(context: Context): Promise<Response> {
  const { session: own, target } = await requireSelfOrAdmin(context);
  const page = parsePageQuery(queryOf(context.request, ["limit", "after"]));
  const { store, now, config } = context.app;
  const { sessions, total, next } = await listLiveSessions(target.login, {
    store,
    lifetimes: config,
    now: now(),
    page,
  });
  const shown = sessions.map((session) => publicSession(session, own, context));
  return jsonResponse({ sessions: shown, total, next: next ?? null }, { headers: pageHeaders(page, next) });
}

/** `DELETE /user/:login/session/`: ends all of them, the caller's own among them. */
export async function endSessions(context: Context): Promise<Response> {
  const { session, user, target } = await requireSelfOrAdmin(context);
  const actor = { session, asAdmin: target.id !== user.id };
  const count = await context.app.store.deleteSessions(target.login, { actor });
  if (count === "forbidden") return await refuseActor(context);
  audit(context, "sessions-ended", { by: user.login, user: target.login, count });
  return sessionsEnded(context, { isOwnEnded: user.id === target.id });
}

/** `DELETE /user/:login/session/:id`: ends one. */
export async function endSession(context: Context): Promise<Response> {
  const { session, user, target } = await requireSelfOrAdmin(context);
  const { store } = context.app;
  const actor = { session, asAdmin: target.id !== user.id };
  const found = await store.findSession(context.params["id"] ?? "");
  if (found?.user.id !== target.id || !await store.deleteSession(found.session.id, { actor })) {
    await requireSelfOrAdmin(context);
    throw new HttpError("not-found");
  }
  audit(context, "sessions-ended", { by: user.login, user: target.login, count: 1 });
  return sessionsEnded(context, { isOwnEnded: found.session.id === session.id });
}

/** What of a session leaves the service: field by field, so that none gets out by being added. */
function publicSession(session: Session, own: Session, context: Context) {
  return {
    id: session.id,
    created_at: new Date(session.createdAt).toISOString(),
    last_seen_at: new Date(session.lastSeenAt).toISOString(),
    expires_at: new Date(expiresAt(session, context.app.config)).toISOString(),
    user_agent: session.userAgent,
    address: session.address,
    current: session.id === own.id,
  };
}
