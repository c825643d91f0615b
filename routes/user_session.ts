/** `/user/:login/session/`: lists and ends the sessions of a user. */

import { audit } from "../lib/audit.ts";
import type { Config } from "../lib/config/config.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { dateSchema, idSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { expiresAt, expiryLimits, maxUserAgentLength } from "../lib/accounts/session.ts";
import type { Session } from "../lib/store.ts";
import { refuseActor, requireSelfOrAdmin, sessionEndedHeaders, sessionsEnded } from "./auth/authorization.ts";
import { authenticationOf, authenticationSchemas } from "./auth/new_session.ts";
import { pageQuery, pageResponse, pageSchema } from "./page_query.ts";
import { route } from "../lib/router.ts";

/** Example for the OpenAPI document. */
export const exampleSessionId = "01M81Q8RAFRWT8N2ZHDEH012P3";

/** What `publicSession` returns. */
const sessionSchema: Schema = {
  $id: "Session",
  ...objectSchema({
    id: idSchema,
    created_at: dateSchema,
    last_seen_at: { ...dateSchema, description: "Updated about once an hour." },
    expires_at: { ...dateSchema, description: "When the session ends if it is not used." },
    user_agent: { type: "string", maxLength: maxUserAgentLength, description: "Of the client that logged in." },
    address: { type: "string", description: "Of the client that logged in." },
    ...authenticationSchemas,
    sites: {
      type: "array",
      items: { type: "string" },
      description: "Origins of the guarded sites it is logged in at.",
    },
    current: { type: "boolean", description: "Whether it is the session of the request." },
  }),
};
const sessionPageSchema = pageSchema("SessionPage", { items: ["sessions", sessionSchema] });

export const listSessions = route("GET /user/:login/session/", {
  access: "user or admin",
  summary: "List the sessions of a user",
  description: "The oldest is first.",
  query: pageQuery,
  responses: { 200: { schema: sessionPageSchema } },
  problems: ["not-found", "invalid-query"],
  async handler(context) {
    const { session: own, target } = await requireSelfOrAdmin(context);
    const page = pageQuery.parse(context.request);
    const { store, now, config } = context.app;
    const query = { ...page, ...expiryLimits(config, now()) };
    const { items: sessions, total, next } = await store.listSessions(target.login, query);
    const shown = sessions.map((session) => publicSession(session, { own, config }));
    return pageResponse(page, { sessions: shown, total, next });
  },
});

export const endSessions = route("DELETE /user/:login/session/", {
  access: "user or admin",
  summary: "End all sessions of a user",
  description: "This includes the session of the request. Tickets that the user made are deleted.",
  responses: { 204: { headers: sessionEndedHeaders } },
  problems: ["not-found"],
  async handler(context) {
    const { session, user, target } = await requireSelfOrAdmin(context);
    const actor = { session, asAdmin: target.id !== user.id };
    const count = await context.app.store.deleteSessions(target.login, { actor });
    if (count === "forbidden") return await refuseActor(context);
    audit(context, "sessions-ended", { by: user.login, user: target.login, count });
    return sessionsEnded(context, { isOwnEnded: user.id === target.id });
  },
});

export const endSession = route("DELETE /user/:login/session/:id", {
  access: "user or admin",
  summary: "End a session of a user",
  parameters: { id: { ...idSchema, description: "The id of a session.", examples: [exampleSessionId] } },
  responses: { 204: { headers: sessionEndedHeaders } },
  problems: ["not-found"],
  async handler(context) {
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
  },
});

/** The public fields of a session, one by one, so that a new field does not become public by accident. */
function publicSession(session: Session, { own, config }: { own: Session; config: Config }) {
  return {
    id: session.id,
    created_at: new Date(session.createdAt).toISOString(),
    last_seen_at: new Date(session.lastSeenAt).toISOString(),
    expires_at: new Date(expiresAt(session, config)).toISOString(),
    user_agent: session.userAgent,
    address: session.address,
    ...authenticationOf(session),
    sites: session.sites.map(({ origin }) => origin),
    current: session.id === own.id,
  };
}
