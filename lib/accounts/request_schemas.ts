/**
 * The body of a registration, and the schemas and fields that it shares with the other bodies of `request_bodies.ts`.
 * `user.ts` has the rules for logins and passwords.
 */

import {
  dateSchema,
  type Field,
  idSchema,
  jsonBody,
  objectSchema,
  type Report,
  type Schema,
  text,
} from "../http/schema.ts";
import {
  canonicalLogin,
  groupPattern,
  loginErrors,
  loginPattern,
  maxGroups,
  maxLoginLength,
  maxPasswordBytes,
  passwordErrors,
  type PasswordRules,
} from "./user.ts";

/** Examples for the OpenAPI document: the code of a ticket, and a password that is accepted. */
export const exampleCode = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
export const examplePassword = "mellow-otter-41-lantern";

/** A login as clients may send it. */
export const loginSchema: Schema = {
  $id: "Login",
  type: "string",
  minLength: 1,
  maxLength: maxLoginLength,
  pattern: loginPattern.source.replaceAll("a-z", "A-Za-z"),
  description: "Letters, digits and . _ - @ +, starting with a letter or digit. Case is ignored.",
  examples: ["alice"],
};

export const groupsSchema: Schema = {
  $id: "Groups",
  type: "array",
  maxItems: maxGroups,
  uniqueItems: true,
  items: { type: "string", pattern: groupPattern.source },
  description: "Members of `admin` are administrators.",
};

/** What `publicUser` returns. */
export const userSchema: Schema = {
  $id: "User",
  ...objectSchema({
    id: { ...idSchema, description: "A ULID. A login that is deleted and registered again gets another." },
    login: { type: "string", maxLength: maxLoginLength, pattern: loginPattern.source },
    registered_at: dateSchema,
    groups: groupsSchema,
    disabled: { type: "boolean", description: "A disabled user has no sessions and cannot log in." },
  }),
};

const newPasswordSchema: Schema = {
  $id: "NewPassword",
  type: "string",
  format: "password",
  minLength: ({ passwordMinLength }: { passwordMinLength: number }) => passwordMinLength,
  pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
  description: `At most ${maxPasswordBytes.toLocaleString("en")} bytes of UTF-8 in NFC, without control characters. ` +
    "Common passwords, repeats, sequences, keyboard walks and passwords that contain the login are rejected.",
};

/** A login that may be registered, in lower case. */
export const newLogin: Field<string> = {
  schema: { $ref: loginSchema },
  parse(value, report) {
    const login = parseLogin(value, report);
    if (login !== undefined) loginErrors(login).forEach(report);
    return login;
  },
};

/** A new password: `passwordErrors` checks it, which takes more time than all other checks. */
export const newPassword: Field<string> = { ...text, schema: { $ref: newPasswordSchema } };
/** The code of a ticket. */
export const ticket: Field<string> = { ...text, schema: { type: "string", description: "The code of a ticket." } };

/** `POST /user/`. */
export const registrationBody = jsonBody({
  name: "Registration",
  code: "invalid-user",
  required: { login: newLogin, password: newPassword },
  optional: { ticket },
  check({ login = "", password }, { rules }: { rules: PasswordRules }) {
    return password === undefined ? [] : passwordErrors({ login, password }, rules);
  },
  examples: {
    "Open registration": { value: { login: "alice", password: examplePassword } },
    "With a ticket": { value: { login: "alice", password: examplePassword, ticket: exampleCode } },
  },
});

export type Registration = ReturnType<typeof registrationBody.parse>;
/** A login in lower case, and a password. */
export type Credentials = Pick<Registration, "login" | "password">;

/** Reads any login, and returns it in lower case. */
export function parseLogin(value: unknown, report: Report): string | undefined {
  const login = text.parse(value, report);
  return login === undefined ? undefined : canonicalLogin(login);
}
