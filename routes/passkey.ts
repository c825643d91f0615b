/** `/user/:login/passkey/`: registers a passkey. */

import type { ChallengeScope } from "../lib/factors/challenge.ts";
import { newPasskeyBody } from "../lib/factors/factor_bodies.ts";
import { creationOptions, verifyRegistration } from "../lib/factors/passkey.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { objectSchema, type Schema } from "../lib/http/schema.ts";
import { route } from "../lib/router.ts";
import type { UserSession } from "../lib/store.ts";
import { addFactor, recoveryCodesSchema, requireSetUp, setUpProblems } from "./auth/new_credential.ts";
import { ceremonyOf } from "./auth/proof.ts";
import { credentialMembers, publicCredential } from "./credential.ts";
import { passkeyOptionsSchema } from "./second_factor.ts";

/** What `factorResponse` has. */
export const newFactorSchema: Schema = {
  $id: "NewFactor",
  ...objectSchema(credentialMembers, { recovery_codes: recoveryCodesSchema }),
};

export const showRegistrationOptions = route("POST /user/:login/passkey/options/", {
  access: "user",
  summary: "Begin to register a passkey",
  responses: { 200: { schema: passkeyOptionsSchema } },
  problems: ["login-again"],
  async handler(context) {
    const { config: { title }, store } = context.app;
    const found = await requireSetUp(context);
    const ceremony = ceremonyOf(scopeOf(found), context);
    const passkeys = (await store.listCredentials(found.user.login)).filter(({ kind }) => kind === "passkey");
    return jsonResponse({ publicKey: creationOptions(ceremony, { user: found.user, title, passkeys }) });
  },
});

export const registerPasskey = route("POST /user/:login/passkey/", {
  access: "user",
  summary: "Register a passkey",
  description: "The session gets the factor. The first second factor comes with ten recovery codes.",
  body: newPasskeyBody,
  responses: { 201: { schema: newFactorSchema } },
  problems: setUpProblems,
  async handler(context) {
    const { log, stopping } = context.app;
    const body = await readJson(context.request, { stopping });
    const found = await requireSetUp(context);
    const { name, passkey } = newPasskeyBody.parse(body);
    const outcome = await verifyRegistration(passkey, ceremonyOf(scopeOf(found), context));
    if ("refused" in outcome) {
      log.info("passkey-refused", { refused: outcome.refused, requestId: context.requestId });
      throw new HttpError("wrong-factor");
    }
    return factorResponse(await addFactor({ factor: { kind: "passkey", name, ...outcome }, found }, context));
  },
});

/** Responds with a factor that was set up, and with new recovery codes. */
export function factorResponse({ credential, codes }: Awaited<ReturnType<typeof addFactor>>): Response {
  return jsonResponse({ ...publicCredential(credential), recovery_codes: codes }, { status: 201 });
}

function scopeOf({ session, user }: UserSession): ChallengeScope {
  return { purpose: "passkey-registration", login: user.login, binding: session.id };
}
