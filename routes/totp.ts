/** `/user/:login/totp/` and `/user/:login/recovery-code/`: sets up TOTP, and makes recovery codes. */

import { audit } from "../lib/audit.ts";
import type { ChallengeScope } from "../lib/factors/challenge.ts";
import { challengeMs } from "../lib/factors/challenge.ts";
import { newTotpBody } from "../lib/factors/factor_bodies.ts";
import { createRecoveryCodes } from "../lib/factors/random_secret.ts";
import { acceptedStep, createTotpSecret, shownTotpSecret } from "../lib/factors/totp.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { dateSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { route } from "../lib/router.ts";
import type { UserSession } from "../lib/store.ts";
import { addFactor, recoveryCodesSchema, requireSetUp, setUpProblems } from "./auth/new_credential.ts";
import { refuseActor } from "./auth/authorization.ts";
import { factorResponse, newFactorSchema } from "./passkey.ts";

const totpSetupSchema: Schema = {
  $id: "TotpSetup",
  ...objectSchema({
    secret: { type: "string", pattern: "^[A-Z2-7]{32}$", description: "In Base32, to type into an app." },
    uri: { type: "string", pattern: "^otpauth://totp/", description: "For a QR code." },
    setup_token: { type: "string", description: "Holds the secret until a code confirms it." },
    expires_at: dateSchema,
  }),
};
const newRecoveryCodesSchema: Schema = {
  $id: "NewRecoveryCodes",
  ...objectSchema({ recovery_codes: recoveryCodesSchema }),
};

export const setUpTotp = route("POST /user/:login/totp/setup/", {
  access: "user",
  summary: "Begin to set up TOTP",
  description: "Nothing is stored before a code confirms that the app has the secret.",
  responses: { 200: { schema: totpSetupSchema } },
  problems: ["login-again"],
  async handler(context) {
    const { config: { title }, challenges, now } = context.app;
    const found = await requireSetUp(context);
    const payload = createTotpSecret();
    const expires_at = new Date(now() + challengeMs).toISOString();
    const setup_token = challenges.issue(scopeOf(found), payload);
    return jsonResponse({ ...shownTotpSecret(payload, { login: found.user.login, title }), setup_token, expires_at });
  },
});

export const confirmTotp = route("POST /user/:login/totp/", {
  access: "user",
  summary: "Confirm TOTP",
  description: "It replaces the TOTP that the user has. The session gets the factor. The first second factor comes " +
    "with ten recovery codes.",
  body: newTotpBody,
  responses: { 201: { schema: newFactorSchema } },
  problems: setUpProblems,
  async handler(context) {
    const { challenges, now, stopping } = context.app;
    const body = await readJson(context.request, { stopping });
    const found = await requireSetUp(context);
    const { setup_token, code } = newTotpBody.parse(body);
    const setup = challenges.open(setup_token, scopeOf(found));
    const counter = setup && acceptedStep(setup.payload, { code, lastStep: 0, now: now() });
    if (setup === undefined || counter === undefined) throw new HttpError("wrong-factor");
    const secret = setup.payload.toString("base64url");
    const factor = { kind: "totp", name: "", key: found.user.id, secret, counter, signCount: 0 } as const;
    return factorResponse(await addFactor({ factor, found }, context));
  },
});

export const makeRecoveryCodes = route("POST /user/:login/recovery-code/", {
  access: "user",
  summary: "Make recovery codes",
  description: "Ten codes, each for one use instead of another second factor. Earlier ones are void.",
  responses: { 201: { schema: newRecoveryCodesSchema } },
  problems: ["login-again"],
  async handler(context) {
    const { store, now } = context.app;
    while (true) {
      const { session, user } = await requireSetUp(context);
      const { login } = user;
      const { credentials, codes } = createRecoveryCodes(login, now());
      const outcome = await store.insertCredentials(user, credentials, { actor: { session, asAdmin: false } });
      if (outcome === "forbidden") return await refuseActor(context);
      // The user has changed meanwhile.
      if (outcome !== "done") continue;
      audit(context, "credential-added", { by: login, user: login, kind: "recovery", count: codes.length });
      return jsonResponse({ recovery_codes: codes }, { status: 201 });
    }
  },
});

function scopeOf({ session, user }: UserSession): ChallengeScope {
  return { purpose: "totp-setup", login: user.login, binding: session.id };
}
