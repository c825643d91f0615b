/** The bodies of requests that prove a factor or set one up. */

import { cookie, groups } from "../accounts/request_bodies.ts";
import { exampleCode, examplePassword, groupsSchema } from "../accounts/request_schemas.ts";
import { type Field, jsonBody, text, textOf } from "../http/schema.ts";
import { passkeyAssertion, passkeyRegistration } from "./passkey_response.ts";
import { maxRecoveryCodeLength } from "./random_secret.ts";
import { totpPattern } from "./totp.ts";

/** Examples for the OpenAPI document. */
export const exampleTotp = "492039";
export const exampleRecoveryCode = "MZXW-6YTB-OI5X-GYLS-MFRG-GZDF";
export const exampleSetupToken = "AZrCVJvZfK0YpQ4u1mJ3QhW2dX8s";

const code = "invalid-code";
const totp = textOf(totpPattern, {
  code,
  detail: "Must be 6 digits.",
  description: "What an authenticator app shows.",
});
const recovery_code = textOf(new RegExp(`^[\\s\\S]{1,${maxRecoveryCodeLength}}$`, "u"), {
  ...{ code, detail: `Must have 1 to ${maxRecoveryCodeLength} characters.` },
  description: "Case, spaces and hyphens are ignored.",
});
const proofs = { totp, recovery_code, passkey: passkeyAssertion };

/** The user's name of a credential: no control, format or private-use characters, and no separators of lines. */
const name = textOf(/^[^\p{C}\u2028\u2029]{1,64}$/u, {
  code: "invalid-name",
  detail: "Must have 1 to 64 characters, and no line breaks.",
});

const someGroups: Field<readonly string[]> = {
  schema: {
    $ref: groupsSchema,
    type: "array",
    minItems: 1,
    description: "What it opens, `users` too; by default all.",
  },
  parse(value, report) {
    const names = groups.parse(value, report);
    return names?.length === 0 ? report({ code: "invalid-groups", detail: "Must have at least one group." }) : names;
  },
};

/** `POST /session/second-factor/`. */
export const secondFactorBody = jsonBody({
  name: "SecondFactor",
  code: "invalid-credentials",
  required: { login_token: text },
  optional: { ...proofs, cookie },
  exactlyOne: Object.keys(proofs),
  examples: {
    "A code of an app": { value: { login_token: exampleCode, totp: exampleTotp } },
    "A recovery code": { value: { login_token: exampleCode, recovery_code: exampleRecoveryCode } },
  },
});

/** `POST /session/passkey/`. */
export const passkeyLoginBody = jsonBody({
  name: "PasskeyLogin",
  code: "invalid-credentials",
  required: { passkey: passkeyAssertion },
  optional: { cookie },
});

/** `POST /session/authentication/`. */
export const authenticationBody = jsonBody({
  name: "Authentication",
  code: "invalid-credentials",
  optional: { password: { ...text, schema: { type: "string", format: "password" } }, ...proofs },
  exactlyOne: ["password", ...Object.keys(proofs)],
  examples: {
    "The password": { value: { password: examplePassword } },
    "A code of an app": { value: { totp: exampleTotp } },
  },
});

/** `PATCH /user/:login/credential/:id`. */
export const credentialChangeBody = jsonBody({
  name: "CredentialChange",
  code: "invalid-credential",
  required: { name },
  examples: { "Rename": { value: { name: "phone" } } },
});

/** `POST /user/:login/passkey/`. */
export const newPasskeyBody = jsonBody({
  name: "NewPasskey",
  code: "invalid-credential",
  required: { name, passkey: passkeyRegistration },
});

/** `POST /user/:login/totp/`. */
export const newTotpBody = jsonBody({
  name: "NewTotp",
  code: "invalid-credential",
  required: { setup_token: text, code: totp },
  examples: { "Confirm": { value: { setup_token: exampleSetupToken, code: exampleTotp } } },
});

/** `POST /user/:login/app-password/`. */
export const appPasswordBody = jsonBody({
  name: "NewAppPassword",
  code: "invalid-credential",
  required: { name },
  optional: { groups: someGroups },
  examples: {
    "For all sites": { value: { name: "calendar on the phone" } },
    "For the sites of a group": { value: { name: "git on the laptop", groups: ["developers"] } },
  },
});

/** What proves a factor besides the password. */
export type Proof = Pick<ReturnType<typeof secondFactorBody.parse>, keyof typeof proofs>;
