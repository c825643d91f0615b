/**
 * The bodies of requests about users, sessions and tickets, and the schema of a user. `user.ts` has the rules for logins
 * and passwords.
 */

import { type FieldError, HttpError } from "../http/http_error.ts";
import {
  dateSchema,
  type Field,
  flag,
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
  isGroups,
  loginErrors,
  loginPattern,
  maxGroups,
  maxLoginLength,
  maxPasswordBytes,
  passwordErrors,
  type PasswordRules,
} from "./user.ts";

/** In the examples of the OpenAPI document: any code of a ticket, and a good password. */
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
const newLogin: Field<string> = {
  schema: { $ref: loginSchema },
  parse(value, report) {
    const login = parseLogin(value, report);
    if (login !== undefined) loginErrors(login).forEach(report);
    return login;
  },
};

/** A login in lower case. It may be one that no user can have, which gets the uniform response. */
const login: Field<string> = { schema: text.schema, parse: parseLogin };
/** `passwordErrors` judges it, which takes more time than all other checks. */
const newPassword: Field<string> = { ...text, schema: { $ref: newPasswordSchema } };
const password: Field<string> = { ...text, schema: { type: "string", format: "password" } };
const ticket: Field<string> = { ...text, schema: { type: "string", description: "The code of a ticket." } };

const groups: Field<readonly string[]> = {
  schema: { $ref: groupsSchema },
  parse(value, report) {
    if (isGroups(value)) return value;
    const detail = `Must be a list of at most ${maxGroups} different names, each of 1 to 32 of a-z 0-9 . _ -.`;
    return report({ code: "invalid-groups", detail });
  },
};

const purpose: Field<"register" | "reset"> = {
  schema: { enum: ["register", "reset"], description: "To register, or to set a password without the current one." },
  parse(value, report) {
    if (value === "register" || value === "reset") return value;
    return report({ code: "unknown-purpose", detail: "Must be register or reset." });
  },
};

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

/** `PUT /user/:login/password`, with one proof of two. `requireGoodPassword` judges the new password. */
export const passwordChangeBody = jsonBody({
  name: "PasswordChange",
  code: "invalid-user",
  required: { password: newPassword },
  optional: { current_password: password, ticket },
  keywords: { oneOf: [{ required: ["current_password"] }, { required: ["ticket"] }] },
  check(_, { body }): FieldError[] {
    const [hasPassword, hasTicket] = [body["current_password"] !== undefined, body["ticket"] !== undefined];
    if (hasPassword !== hasTicket) return [];
    const code = hasTicket ? "unknown-field" : "missing";
    const detail = hasTicket ? "Not allowed with a ticket." : "Required without a ticket.";
    return [{ pointer: "/current_password", code, detail }];
  },
  examples: {
    "With the current password": { value: { current_password: examplePassword, password: "amber-kettle-93-walnut" } },
    "With a ticket": { value: { ticket: exampleCode, password: "amber-kettle-93-walnut" } },
  },
});

/** `PATCH /user/:login`. */
export const userChangeBody = jsonBody({
  name: "UserChange",
  code: "invalid-user",
  optional: { disabled: flag, groups },
  keywords: { minProperties: 1 },
  check(_, { body }): FieldError[] {
    return Object.keys(body).length > 0
      ? []
      : [{ pointer: "", code: "missing", detail: "Requires groups or disabled." }];
  },
  examples: {
    "Set the groups": { value: { groups: ["staff", "editors"] } },
    "Disable": { value: { disabled: true } },
  },
});

/** `POST /session/`. */
export const credentialsBody = jsonBody({
  name: "Credentials",
  code: "invalid-credentials",
  required: { login, password },
  optional: { cookie: { ...flag, schema: { ...flag.schema, description: "Whether only a cookie has the token." } } },
  examples: {
    "For a program": { value: { login: "alice", password: examplePassword } },
    "For a browser": { value: { login: "alice", password: examplePassword, cookie: true } },
  },
});

/** `POST /ticket/`. */
export const ticketRequestBody = jsonBody({
  name: "TicketRequest",
  code: "invalid-ticket",
  required: { purpose },
  optional: { login: { ...newLogin, schema: { $ref: loginSchema, description: "The only login that may use it." } } },
  keywords: { anyOf: [{ properties: { purpose: { const: "register" } } }, { required: ["login"] }] },
  check({ purpose }, { body }): FieldError[] {
    const isMissing = purpose === "reset" && body["login"] === undefined;
    return isMissing ? [{ pointer: "/login", code: "missing", detail: "Required for a reset." }] : [];
  },
  examples: {
    "An invitation": { value: { purpose: "register" } },
    "A reset": { value: { purpose: "reset", login: "alice" } },
  },
});

export type Registration = ReturnType<typeof registrationBody.parse>;
export type PasswordChange = ReturnType<typeof passwordChangeBody.parse>;
/** A login in lower case, and a password. */
export type Credentials = Pick<ReturnType<typeof credentialsBody.parse>, "login" | "password">;

/** @throws {HttpError} `invalid-user`, the login may not have this password */
export function requireGoodPassword(credentials: Credentials, rules: PasswordRules): void {
  const errors = passwordErrors(credentials, rules);
  if (errors.length > 0) throw new HttpError("invalid-user", { errors });
}

/** The error of a new password that equals the current one. It is found last, by a hash. */
export function unchangedPassword(): HttpError {
  const detail = "Must differ from the current password.";
  return new HttpError("invalid-user", { errors: [{ pointer: "/password", code: "unchanged", detail }] });
}

function parseLogin(value: unknown, report: Report): string | undefined {
  const login = text.parse(value, report);
  return login === undefined ? undefined : canonicalLogin(login);
}
