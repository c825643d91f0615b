/** The bodies of requests that prove a factor or set one up. */

import { credentialName } from "../accounts/request_bodies.ts";
import { exampleCode, examplePassword } from "../accounts/request_schemas.ts";
import type { FieldError } from "../http/http_error.ts";
import { type Field, type Fields, flag, jsonBody, type Members, text } from "../http/schema.ts";
import { passkeyAssertion, passkeyRegistration } from "./passkey_response.ts";
import { maxRecoveryCodeLength } from "./random_secret.ts";
import { totpPattern } from "./totp.ts";

/** Examples for the OpenAPI document. */
export const exampleTotp = "492039";
export const exampleRecoveryCode = "MZXW-6YTB-OI5X-GYLS-NFXG-O4TB";
export const exampleSetupToken = "AZrCVJvZfK0YpQ4u1mJ3QhW2dX8s";
const loginToken: Field<string> = {
  ...text,
  schema: { type: "string", description: "The `login_token` of a login that waits for a second factor." },
};
const cookie: Field<boolean> = {
  ...flag,
  schema: { ...flag.schema, description: "Whether only a cookie has the token." },
};

const totp: Field<string> = {
  schema: { type: "string", pattern: totpPattern.source, description: "The code that an authenticator app shows." },
  parse(value, report) {
    const code = text.parse(value, report);
    if (code === undefined || totpPattern.test(code)) return code;
    return report({ code: "invalid-code", detail: "Must be 6 digits." });
  },
};

const recoveryCode: Field<string> = {
  schema: {
    type: "string",
    minLength: 1,
    maxLength: maxRecoveryCodeLength,
    description: "Case, spaces and hyphens are ignored.",
  },
  parse(value, report) {
    const code = text.parse(value, report);
    if (code === undefined || code.length >= 1 && [...code].length <= maxRecoveryCodeLength) return code;
    return report({ code: "invalid-code", detail: `Must have 1 to ${maxRecoveryCodeLength} characters.` });
  },
};

/** Of these a body has exactly one. */
const proofs = { totp, recovery_code: recoveryCode, passkey: passkeyAssertion };

/** `POST /session/second-factor/`. */
export const secondFactorBody = jsonBody({
  name: "SecondFactor",
  code: "invalid-credentials",
  required: { login_token: loginToken },
  optional: { ...proofs, cookie },
  ...exactlyOne(proofs),
  examples: {
    "A code of an app": { value: { login_token: exampleCode, totp: exampleTotp } },
    "A recovery code": { value: { login_token: exampleCode, recovery_code: exampleRecoveryCode } },
  },
});

/** `POST /session/authentication/`. */
export const authenticationBody = jsonBody({
  name: "Authentication",
  code: "invalid-credentials",
  optional: { password: { ...text, schema: { type: "string", format: "password" } }, ...proofs },
  ...exactlyOne({ password: text, ...proofs }),
  examples: {
    "The password": { value: { password: examplePassword } },
    "A code of an app": { value: { totp: exampleTotp } },
  },
});

/** `POST /session/passkey/options/`. */
export const passkeyOptionsBody = jsonBody({
  name: "PasskeyOptionsRequest",
  code: "invalid-credentials",
  optional: { login_token: loginToken },
  examples: {
    "A login by the passkey alone": { value: {} },
    "A second factor": { value: { login_token: exampleCode } },
  },
});

/** `POST /session/passkey/`. */
export const passkeyLoginBody = jsonBody({
  name: "PasskeyLogin",
  code: "invalid-credentials",
  required: { passkey: passkeyAssertion },
  optional: { cookie },
  examples: {},
});

/** `POST /user/:login/passkey/`. */
export const newPasskeyBody = jsonBody({
  name: "NewPasskey",
  code: "invalid-credential",
  required: { name: credentialName, passkey: passkeyRegistration },
  examples: {},
});

/** `POST /user/:login/totp/`. */
export const newTotpBody = jsonBody({
  name: "NewTotp",
  code: "invalid-credential",
  required: {
    setup_token: { ...text, schema: { type: "string", description: "That of the setup." } },
    code: totp,
  },
  examples: { "Confirm": { value: { setup_token: exampleSetupToken, code: exampleTotp } } },
});

/** `PATCH /user/:login/credential/:id`. */
export const credentialChangeBody = jsonBody({
  name: "CredentialChange",
  code: "invalid-credential",
  required: { name: credentialName },
  examples: { "Rename": { value: { name: "phone" } } },
});

/** What proves a factor besides the password. */
export type Proof = Pick<ReturnType<typeof secondFactorBody.parse>, keyof typeof proofs>;

/** The rule that a body has exactly one of some fields. */
function exactlyOne(fields: Fields) {
  const names = Object.keys(fields);
  return {
    keywords: { oneOf: names.map((name) => ({ required: [name] })) },
    check(_: unknown, { body }: { readonly body: Members }): readonly FieldError[] {
      const [first, second] = names.filter((name) => body[name] !== undefined);
      const detail = `Requires exactly one of ${names.join(", ")}.`;
      if (first === undefined) return [{ pointer: "", code: "missing", detail }];
      return second === undefined ? [] : [{ pointer: `/${second}`, code: "unknown-field", detail }];
    },
  };
}
