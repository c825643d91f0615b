/** Opens a session at the end of a login: after the password alone, a second factor, or a passkey. */

import type { Context } from "../../lib/app.ts";
import { audit } from "../../lib/audit.ts";
import { deviceCookie } from "../../lib/accounts/known_device.ts";
import { groupsSchema, loginSchema } from "../../lib/accounts/request_schemas.ts";
import { cookieToken, createSession, expiresAt, sessionCookie, tokenPattern } from "../../lib/accounts/session.ts";
import { jsonResponse } from "../../lib/http/http_error.ts";
import { dateSchema, objectSchema, type Schema } from "../../lib/http/schema.ts";
import {
  type Factor,
  factorNames,
  type ProofOptions,
  type Session,
  type User,
  type UserSession,
} from "../../lib/store.ts";
import { liveSession } from "./authorization.ts";

/** What `authenticationOf` returns. */
export const authenticationSchemas = {
  factors: {
    type: "array",
    items: { enum: factorNames },
    description: "What has proved the identity of the user.",
  },
  authenticated_at: { ...dateSchema, description: "The last login or step-up." },
};
const common = { login: loginSchema, created_at: dateSchema, expires_at: dateSchema, ...authenticationSchemas };
const recovery_codes_left = { type: "integer", minimum: 0, description: "After a recovery code was used." };

const newSessionSchema: Schema = {
  $id: "NewSession",
  ...objectSchema(common, {
    token: { type: "string", pattern: tokenPattern.source, description: "Absent if the cookie has it." },
    recovery_codes_left,
  }),
};
/** The response of `openSession`. */
export const newSessionResponse = { schema: newSessionSchema, headers: ["Set-Cookie?"] };

/** What `ownSession` returns. */
export const ownSessionSchema: Schema = {
  $id: "OwnSession",
  ...objectSchema({ ...common, groups: groupsSchema }, { recovery_codes_left }),
};

export interface Login extends ProofOptions {
  readonly user: User;
  readonly factors: readonly Factor[];
  /** Whether only a cookie gets the token. */
  readonly cookie: boolean | undefined;
  readonly recoveryCodesLeft?: number | undefined;
}

/**
 * Stores a session, and responds with its token.
 *
 * @returns `undefined` if the user, the ticket or the credential has changed since it was checked
 */
export async function openSession(login: Login, context: Context): Promise<Response | undefined> {
  const { app: { store, config, now }, request, clientAddress } = context;
  const { user, factors, cookie, recoveryCodesLeft, ...proof } = login;
  const userAgent = request.headers.get("user-agent") ?? "";
  const { session, token } = createSession(user.login, { now: now(), userAgent, address: clientAddress, factors });
  // First, so that a full disk, on which no session can be ended, leaves everything as it is.
  if (cookie) await endReplaced(context);
  if (!await store.insertSession(session, user, { maxSessions: config.maxSessions, ...proof })) {
    audit(context, "login-failed", { user: user.login });
    return undefined;
  }
  audit(context, "login", { by: user.login, user: user.login, factors });
  const shown = { ...datesOf(session, context), ...authenticationOf(session), recovery_codes_left: recoveryCodesLeft };
  if (!cookie) return jsonResponse({ login: user.login, token, ...shown }, { status: 201 });
  const response = jsonResponse({ login: user.login, ...shown }, { status: 201 });
  response.headers.append("set-cookie", sessionCookie(token, Math.floor(config.sessionMaxMs / 1_000)));
  response.headers.append("set-cookie", deviceCookie(user));
  return response;
}

/** Ends the session whose cookie the new one replaces: no logout would end it any more, nor its logins at sites. */
async function endReplaced(context: Context): Promise<void> {
  const { app: { sites, store }, request } = context;
  const token = sites && cookieToken(request.headers);
  const found = token === undefined ? undefined : await liveSession(token, context);
  if (found === undefined) return;
  await store.deleteSession(found.session.id);
  audit(context, "logout", { by: found.user.login, user: found.user.login });
}

/** The public fields of the session of a request. */
export function ownSession({ session, user }: UserSession, context: Context) {
  return { login: user.login, groups: user.groups, ...datesOf(session, context), ...authenticationOf(session) };
}

export function authenticationOf({ factors, authenticatedAt }: Session) {
  return { factors, authenticated_at: new Date(authenticatedAt).toISOString() };
}

function datesOf(session: Session, { app: { config } }: Context) {
  return {
    created_at: new Date(session.createdAt).toISOString(),
    expires_at: new Date(expiresAt(session, config)).toISOString(),
  };
}
