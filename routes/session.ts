/** `/session/`: logs in, shows the current session, and logs out. */

import { audit } from "../lib/audit.ts";
import { jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { credentialsBody } from "../lib/accounts/request_bodies.ts";
import { authenticate, loginProblems, wrongCredentials } from "./auth/login_password.ts";
import { requireSession, sessionEndedHeaders, sessionsEnded } from "./auth/authorization.ts";
import { newSessionResponse, openSession, ownSession, ownSessionSchema } from "./auth/new_session.ts";
import { route } from "../lib/router.ts";
import { awaitSecondFactor, pendingLoginSchema } from "./second_factor.ts";

/** One list for all sessions. */
const passwordAlone = ["password"] as const;

export const logIn = route("POST /session/", {
  access: "anyone",
  summary: "Log in",
  description: "An unknown login, a wrong password and a disabled user get the same response after the same work.",
  body: credentialsBody,
  responses: {
    201: newSessionResponse,
    202: { description: "The password is right, and a second factor is required.", schema: pendingLoginSchema },
  },
  problems: loginProblems,
  async handler(context) {
    const { app: { stopping }, request } = context;
    const credentials = credentialsBody.parse(await readJson(request, { stopping }));
    const user = await authenticate(credentials, context);
    const login = { user, factors: passwordAlone, cookie: credentials.cookie };
    const response = await awaitSecondFactor(user, context) ?? await openSession(login, context);
    // Rejected if the password was changed or the account disabled while the password was verified.
    if (response === undefined) throw wrongCredentials(request.headers);
    return response;
  },
});

export const showSession = route("GET /session/", {
  access: "session",
  summary: "Get the current session",
  responses: { 200: { schema: ownSessionSchema } },
  async handler(context) {
    const { session, user } = await requireSession(context, { withoutSecondFactor: true });
    return jsonResponse(ownSession({ session, user }, context));
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
