/**
 * `/session/authentication/`: step-up, by which the user of a session proves its identity again. What makes or takes
 * rights requires a recent one.
 *
 * A user with a second factor proves one: the password alone would let in a guesser who found a session of before.
 */

import { audit } from "../lib/audit.ts";
import type { ChallengeScope } from "../lib/factors/challenge.ts";
import { authenticationBody } from "../lib/factors/factor_bodies.ts";
import { requestOptions } from "../lib/factors/passkey.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { route } from "../lib/router.ts";
import { type Authentication, isSecondFactor, type UserSession } from "../lib/store.ts";
import { loginAgain, requireSession } from "./auth/authorization.ts";
import { verifyLoginPassword } from "./auth/login_password.ts";
import { ownSession, ownSessionSchema } from "./auth/new_session.ts";
import { ceremonyOf, proofProblems, verifyProof } from "./auth/proof.ts";
import { passkeyOptionsSchema } from "./second_factor.ts";

/** Also for a session that lacks a required second factor, which it may prove here. */
const withoutSecondFactor = true;

export const showAuthenticationOptions = route("POST /session/authentication/options/", {
  access: "session",
  summary: "Begin a step-up by a passkey",
  responses: { 200: { schema: passkeyOptionsSchema } },
  async handler(context) {
    const { store } = context.app;
    const found = await requireSession(context, { withoutSecondFactor });
    const ceremony = ceremonyOf(scopeOf(found), context);
    const credentials = await store.listCredentials(found.user.login);
    const passkeys = credentials.filter(({ kind }) => kind === "passkey");
    return jsonResponse({ publicKey: requestOptions(ceremony, passkeys) });
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
    const { password, ...proof } = authenticationBody.parse(await readJson(context.request, { stopping }));
    const { session, user } = await requireSession(context, { withoutSecondFactor });
    const credentials = await store.listCredentials(user.login);
    // Whoever knows the password of a user without a second factor can make recovery codes.
    const isByCode = proof.recovery_code !== undefined;
    if (isByCode && !credentials.some(isSecondFactor)) throw new HttpError("wrong-factor");
    let proven: Pick<Authentication, "factors" | "use">;
    if (password === undefined) {
      const { factor, use } = await verifyProof(proof, { user, scope: scopeOf({ session, user }) }, context);
      proven = { factors: [factor], use };
    } else {
      if (credentials.some(isSecondFactor)) throw loginAgain(credentials);
      const attempt = { login: user.login, password, user, isRehashing: false };
      if (!(await verifyLoginPassword(attempt, context)).isRight) throw new HttpError("wrong-current-password");
      proven = { factors: ["password"] };
    }
    const authenticatedAt = now();
    if (!await store.authenticateSession(session.id, user, { ...proven, authenticatedAt })) {
      await requireSession(context, { withoutSecondFactor });
      throw new HttpError(password === undefined ? "wrong-factor" : "wrong-current-password");
    }
    audit(context, "step-up", { by: user.login, user: user.login, factors: proven.factors });
    const factors = [...new Set([...session.factors, ...proven.factors])];
    const found = { session: { ...session, factors, authenticatedAt }, user };
    const codesLeft = credentials.filter(({ kind }) => kind === "recovery").length - 1;
    return jsonResponse({ ...ownSession(found, context), ...isByCode && { recovery_codes_left: codesLeft } });
  },
});

function scopeOf({ session, user }: UserSession): ChallengeScope {
  return { purpose: "step-up", login: user.login, binding: session.id };
}
