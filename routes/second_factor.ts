/**
 * What proves the identity of a user besides the password: the second step of a login, a login by a passkey alone, and
 * the step-up of a session, which what makes or takes rights requires.
 *
 * A user with a second factor steps up by one: the password alone would let in a guesser who found an old session.
 */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { createTicket, findGoodTicket } from "../lib/accounts/ticket.ts";
import { ceremonyCookie } from "../lib/factors/challenge.ts";
import { authenticationBody, passkeyLoginBody, secondFactorBody } from "../lib/factors/factor_bodies.ts";
import { requestOptions } from "../lib/factors/passkey.ts";
import { provableFactors } from "../lib/factors/second_factor.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { dateSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { route } from "../lib/router.ts";
import { isSecondFactor, type Ticket, type User } from "../lib/store.ts";
import { loginAgain, requireSession } from "./auth/authorization.ts";
import { verifyLoginPassword, wrongCredentials } from "./auth/login_password.ts";
import { newSessionResponse, openSession, ownSession, ownSessionSchema } from "./auth/new_session.ts";
import { browserCeremony, proofProblems, type Proven, verifyProof } from "./auth/proof.ts";

/** Lifetime of a login token. */
const loginTokenMs = 5 * 60 * 1_000;

export const pendingLoginSchema: Schema = {
  $id: "PendingLogin",
  ...objectSchema({
    next: { type: "array", items: { enum: ["passkey", "totp", "recovery"] }, description: "One of them suffices." },
    login_token: { type: "string", description: "For the second step only, and for one login." },
    expires_at: dateSchema,
  }),
};
/** What a browser makes a passkey of, or answers with one. */
export const passkeyOptionsSchema: Schema = objectSchema({
  publicKey: { type: "object", description: "For `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`." },
});

/**
 * Makes the login of a user with a second factor wait for it, after the password was right.
 *
 * @returns `undefined` if the user has no second factor
 * @throws {HttpError} `wrong-credentials`, the user has another password since, or is disabled or deleted
 */
export async function awaitSecondFactor(user: User, context: Context): Promise<Response | undefined> {
  const { store, now } = context.app;
  const { login } = user;
  const next = provableFactors(await store.listCredentials(login));
  if (next.length === 0) return undefined;
  const { ticket, code } = createTicket("login", { login, maker: "", now: now(), ttlMs: loginTokenMs });
  if (await store.insertTicket(ticket, { target: user }) !== "done") {
    audit(context, "login-failed", { user: login });
    throw wrongCredentials(context.request.headers);
  }
  audit(context, "password-accepted", { user: login });
  const body = { next, login_token: code, expires_at: new Date(ticket.expiresAt).toISOString() };
  return jsonResponse(body, { status: 202 });
}

export const proveSecondFactor = route("POST /session/second-factor/", {
  access: "anyone",
  summary: "Prove a second factor",
  description: "The second step of a login that got 202.",
  body: secondFactorBody,
  responses: { 201: newSessionResponse },
  problems: ["login-token-invalid", ...proofProblems],
  async handler(context) {
    const { stopping } = context.app;
    const { login_token, cookie, ...proof } = secondFactorBody.parse(await readJson(context.request, { stopping }));
    const { ticket, user } = await findPendingLogin(login_token, context);
    const { factor, ...proven } = await verifyProof({ proof, user }, context);
    const login = { ...proven, factors: ["password", factor], cookie, ticketHash: ticket.secretHash } as const;
    const response = await openSession(login, context);
    if (response !== undefined) return response;
    // Another request has used the token, or the code.
    await findPendingLogin(login_token, context);
    throw new HttpError("wrong-factor");
  },
});

export const showPasskeyOptions = route("POST /session/passkey/options/", {
  access: "anyone",
  summary: "Begin to use a passkey",
  description: "For a login and for a step-up. The response depends on no user; the answer comes with its cookie.",
  responses: { 200: { schema: passkeyOptionsSchema, headers: ["Set-Cookie"] } },
  problems: ["cross-origin"],
  isStatic: true,
  handler(context) {
    const ceremony = browserCeremony(context);
    const headers = { "set-cookie": ceremonyCookie(ceremony.scope.binding) };
    return jsonResponse({ publicKey: requestOptions(ceremony) }, { headers });
  },
});

export const logInByPasskey = route("POST /session/passkey/", {
  access: "anyone",
  summary: "Log in by a passkey alone",
  body: passkeyLoginBody,
  responses: { 201: newSessionResponse },
  problems: proofProblems,
  async handler(context) {
    const { stopping } = context.app;
    const { cookie, ...proof } = passkeyLoginBody.parse(await readJson(context.request, { stopping }));
    const { factor, ...proven } = await verifyProof({ proof, user: undefined }, context);
    const response = await openSession({ ...proven, factors: [factor], cookie }, context);
    if (response === undefined) throw new HttpError("wrong-factor");
    return response;
  },
});

export const authenticateAgain = route("POST /session/authentication/", {
  access: "session",
  summary: "Prove the identity again",
  description: "A step-up: the session gets the factor and a new `authenticated_at`. A user with a second factor " +
    "proves one instead of the password.",
  body: authenticationBody,
  responses: { 200: { schema: ownSessionSchema } },
  problems: ["login-again", "wrong-current-password", ...proofProblems, "overloaded"],
  async handler(context) {
    const { store, stopping, now } = context.app;
    const body = await readJson(context.request, { stopping });
    const { session, user } = await requireSession(context, { withoutSecondFactor: true });
    const { password, ...proof } = authenticationBody.parse(body);
    const { factor, use, recoveryCodesLeft } = password === undefined
      ? await verifyProof({ proof, user }, context)
      : await verifyPassword({ password, user }, context);
    const authenticatedAt = now();
    if (!await store.updateSession(session.id, user, { factors: [factor], authenticatedAt, ...use && { use } })) {
      await requireSession(context, { withoutSecondFactor: true });
      throw new HttpError(password === undefined ? "wrong-factor" : "wrong-current-password");
    }
    audit(context, "step-up", { by: user.login, user: user.login, factors: [factor] });
    const factors = [...new Set([...session.factors, factor])];
    const shown = ownSession({ session: { ...session, factors, authenticatedAt }, user }, context);
    return jsonResponse({ ...shown, recovery_codes_left: recoveryCodesLeft });
  },
});

/** @throws {HttpError} `login-again` if the user has a second factor; `wrong-current-password`, `too-many-attempts` */
async function verifyPassword(
  { password, user }: { readonly password: string; readonly user: User },
  context: Context,
): Promise<Pick<Proven, "factor"> & Partial<Proven>> {
  const credentials = await context.app.store.listCredentials(user.login);
  if (credentials.some(isSecondFactor)) throw loginAgain(credentials);
  const attempt = { login: user.login, password, user, isRehashing: false };
  if (!(await verifyLoginPassword(attempt, context)).isRight) throw new HttpError("wrong-current-password");
  return { factor: "password" };
}

/** Returns the ticket and the user of a login that waits. @throws {HttpError} `login-token-invalid` */
async function findPendingLogin(
  code: string,
  { app: { store, now } }: Context,
): Promise<{ readonly ticket: Ticket; readonly user: User }> {
  const ticket = await findGoodTicket(code, { store, purposes: ["login"], now: now() });
  const user = ticket && await store.findUser(ticket.login);
  if (ticket === undefined || user === undefined) throw new HttpError("login-token-invalid");
  return { ticket, user };
}
