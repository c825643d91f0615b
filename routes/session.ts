/** `/session/`: logs in, shows the current session, and logs out. */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { deviceCookie } from "../lib/accounts/known_device.ts";
import { jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { dateSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { createSession, expiresAt, sessionCookie, tokenPattern } from "../lib/accounts/session.ts";
import type { Session } from "../lib/store.ts";
import { credentialsBody } from "../lib/accounts/request_bodies.ts";
import { groupsSchema, loginSchema } from "../lib/accounts/request_schemas.ts";
import { authenticate, loginProblems, wrongCredentials } from "./auth/login_password.ts";
import { requireSession, sessionEndedHeaders, sessionsEnded } from "./auth/authorization.ts";
import { route } from "../lib/router.ts";

const dates = { created_at: dateSchema, expires_at: dateSchema };

const ownSessionSchema: Schema = {
  $id: "OwnSession",
  ...objectSchema({ login: loginSchema, groups: groupsSchema, ...dates }),
};

const newSessionSchema: Schema = {
  $id: "NewSession",
  ...objectSchema({ login: loginSchema, ...dates }, {
    token: { type: "string", pattern: tokenPattern.source, description: "Absent if the cookie has it." },
  }),
};

/** One list for all sessions. */
const passwordAlone = ["password"] as const;

export const logIn = route("POST /session/", {
  access: "anyone",
  summary: "Log in",
  description: "An unknown login, a wrong password and a disabled user get the same response after the same work.",
  body: credentialsBody,
  responses: { 201: { schema: newSessionSchema, headers: ["Set-Cookie?"] } },
  problems: loginProblems,
  async handler(context) {
    const { app: { store, config, now, stopping }, request } = context;
    const credentials = credentialsBody.parse(await readJson(request, { stopping }));
    const user = await authenticate(credentials, context);
    const userAgent = request.headers.get("user-agent") ?? "";
    const client = { now: now(), userAgent, address: context.clientAddress };
    const { session, token } = createSession(user.login, { ...client, factors: passwordAlone });
    // Rejected if the password was changed or the account disabled while the password was verified.
    if (!await store.insertSession(session, user, { maxSessions: config.maxSessions })) {
      audit(context, "login-failed", { user: user.login });
      throw wrongCredentials(request.headers);
    }
    const { login } = user;
    audit(context, "login", { by: login, user: login });
    const maxAgeSeconds = Math.floor(config.sessionMaxMs / 1_000);
    const dates = datesOf(session, context);
    if (!credentials.cookie) return jsonResponse({ login, token, ...dates }, { status: 201 });
    const response = jsonResponse({ login, ...dates }, { status: 201 });
    response.headers.append("set-cookie", sessionCookie(token, maxAgeSeconds));
    response.headers.append("set-cookie", deviceCookie(user));
    return response;
  },
});

export const showSession = route("GET /session/", {
  access: "session",
  summary: "Get the current session",
  responses: { 200: { schema: ownSessionSchema } },
  async handler(context) {
    const { session, user } = await requireSession(context, { withoutSecondFactor: true });
    return jsonResponse({ login: user.login, groups: user.groups, ...datesOf(session, context) });
  },
});

export const logOut = route("DELETE /session/", {
  access: "session",
  summary: "Log out",
  responses: { 204: { headers: sessionEndedHeaders } },
  async handler(context) {
    const { session, user } = await requireSession(context, { withoutSecondFactor: true });
    await context.app.store.deleteSession(session.id);
    audit(context, "logout", { by: user.login, user: user.login });
    return sessionsEnded(context, { isOwnEnded: true });
  },
});

function datesOf(session: Session, context: Context): { created_at: string; expires_at: string } {
  return {
    created_at: new Date(session.createdAt).toISOString(),
    expires_at: new Date(expiresAt(session, context.app.config)).toISOString(),
  };
}
