/** The bodies of requests about users, sessions and tickets, except that of a registration. */

import { type FieldError, HttpError } from "../http/http_error.ts";
import { type Field, flag, jsonBody, text } from "../http/schema.ts";
import {
  type Credentials,
  exampleCode,
  examplePassword,
  groupsSchema,
  loginSchema,
  newLogin,
  newPassword,
  parseLogin,
  ticket,
} from "./request_schemas.ts";
import { isGroups, maxGroups, passwordErrors, type PasswordRules } from "./user.ts";

/** A login in lower case. It may be one that no user can have, which gets the uniform response. */
const login: Field<string> = { schema: text.schema, parse: parseLogin };
const password: Field<string> = { ...text, schema: { type: "string", format: "password" } };

/** Of a login. */
export const cookie: Field<boolean> = {
  ...flag,
  schema: { ...flag.schema, description: "Whether only a cookie has the token." },
};

/** Names of groups. */
export const groups: Field<readonly string[]> = {
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

/** `PUT /user/:login/password`, with one proof of two. `requireGoodPassword` checks the new password. */
export const passwordChangeBody = jsonBody({
  name: "PasswordChange",
  code: "invalid-user",
  required: { password: newPassword },
  optional: { current_password: password, ticket },
  exactlyOne: ["current_password", "ticket"],
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
  optional: { cookie },
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
  // Within `allOf`: otherwise generators of clients accept any body.
  keywords: { allOf: [{ anyOf: [{ properties: { purpose: { const: "register" } } }, { required: ["login"] }] }] },
  check({ purpose }, { body }): FieldError[] {
    const isMissing = purpose === "reset" && body["login"] === undefined;
    return isMissing ? [{ pointer: "/login", code: "missing", detail: "Required for a reset." }] : [];
  },
  examples: {
    "An invitation": { value: { purpose: "register" } },
    "A reset": { value: { purpose: "reset", login: "alice" } },
  },
});

export type PasswordChange = ReturnType<typeof passwordChangeBody.parse>;

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
