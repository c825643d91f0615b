/** The second step of a login, and a login by a passkey alone. */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { createTicket, findGoodTicket } from "../lib/accounts/ticket.ts";
import { ceremonyBinding, ceremonyCookie, type ChallengeScope } from "../lib/factors/challenge.ts";
import { passkeyLoginBody, passkeyOptionsBody, secondFactorBody } from "../lib/factors/factor_bodies.ts";
import { requestOptions } from "../lib/factors/passkey.ts";
import { provableFactors } from "../lib/factors/second_factor.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { dateSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { route } from "../lib/router.ts";
import type { Credential, Ticket, User } from "../lib/store.ts";
import { wrongCredentials } from "./auth/login_password.ts";
import { newSessionResponse, openSession } from "./auth/new_session.ts";
import { ceremonyOf, proofProblems, verifyProof } from "./auth/proof.ts";

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
  let target: User | undefined = user;
  // Repeated if the groups of the user change meanwhile.
  while (target?.id === user.id && target.passwordHash === user.passwordHash && !target.disabled) {
    if (await store.insertTicket(ticket, { target }) === "done") {
      audit(context, "password-accepted", { user: login });
      const body = { next, login_token: code, expires_at: new Date(ticket.expiresAt).toISOString() };
      return jsonResponse(body, { status: 202 });
    }
    target = await store.findUser(login);
  }
  audit(context, "login-failed", { user: login });
  throw wrongCredentials(context.request.headers);
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
    const body = secondFactorBody.parse(await readJson(context.request, { stopping }));
    const pending = await findPendingLogin(body.login_token, context);
    const { user, factor, use } = await verifyProof(body, pending, context);
    const response = await openSession({
      ...{ user, use, cookie: body.cookie, ticketHash: pending.ticket.secretHash },
      factors: ["password", factor],
      recoveryCodesLeft: factor === "recovery" ? pending.recoveryCodeCount - 1 : undefined,
    }, context);
    if (response !== undefined) return response;
    // Another request has used the token, or the code.
    await findPendingLogin(body.login_token, context);
    throw new HttpError("wrong-factor");
  },
});

export const showPasskeyOptions = route("POST /session/passkey/options/", {
  access: "anyone",
  summary: "Begin a login by a passkey",
  description: "Without a login token for a passkey alone, which verifies the user; the response does not depend on " +
    "any user then.",
  body: passkeyOptionsBody,
  responses: { 200: { schema: passkeyOptionsSchema, headers: ["Set-Cookie?"] } },
  problems: ["login-token-invalid", "cross-origin"],
  async handler(context) {
    const { app: { stopping }, request } = context;
    const { login_token } = passkeyOptionsBody.parse(await readJson(request, { stopping }));
    if (login_token !== undefined) {
      const { scope, passkeys } = await findPendingLogin(login_token, context);
      return jsonResponse({ publicKey: requestOptions(ceremonyOf(scope, context), passkeys) });
    }
    const binding = ceremonyBinding(request.headers);
    const headers = { "set-cookie": ceremonyCookie(binding) };
    return jsonResponse({ publicKey: requestOptions(ceremonyOf(aloneScope(binding), context)) }, { headers });
  },
});

export const logInByPasskey = route("POST /session/passkey/", {
  access: "anyone",
  summary: "Log in by a passkey alone",
  body: passkeyLoginBody,
  responses: { 201: newSessionResponse },
  problems: proofProblems,
  async handler(context) {
    const { app: { stopping }, request } = context;
    const { passkey, cookie } = passkeyLoginBody.parse(await readJson(request, { stopping }));
    const scope = aloneScope(ceremonyBinding(request.headers));
    const { user, use } = await verifyProof({ passkey }, { user: undefined, scope }, context);
    const response = await openSession({ user, use, cookie, factors: ["passkey"] }, context);
    if (response === undefined) throw new HttpError("wrong-factor");
    return response;
  },
});

/** A login that waits for a second factor. */
interface PendingLogin {
  readonly ticket: Ticket;
  readonly user: User;
  readonly scope: ChallengeScope;
  readonly passkeys: readonly Credential[];
  readonly recoveryCodeCount: number;
}

/** @throws {HttpError} `login-token-invalid` */
async function findPendingLogin(code: string, { app: { store, now } }: Context): Promise<PendingLogin> {
  const ticket = await findGoodTicket(code, { store, purposes: ["login"], now: now() });
  const user = ticket && await store.findUser(ticket.login);
  if (ticket === undefined || user === undefined) throw new HttpError("login-token-invalid");
  const credentials = await store.listCredentials(user.login);
  return {
    ticket,
    user,
    scope: { purpose: "second-factor", login: user.login, binding: ticket.id },
    passkeys: credentials.filter(({ kind }) => kind === "passkey"),
    recoveryCodeCount: credentials.filter(({ kind }) => kind === "recovery").length,
  };
}

function aloneScope(binding: string): ChallengeScope {
  return { purpose: "passkey-login", login: "", binding };
}
