/**
 * What bodies of requests about users say: each is taken or refused as a whole, with every bad field at once.
 *
 * Behind these functions the types are trusted. What a login and a password must be is in `user.ts`.
 */

import { type FieldError, HttpError, maxErrors } from "../http/http.ts";
import type { ProblemCode } from "../http/problem.ts";
import type { User } from "../store.ts";
import { canonicalLogin, isGroups, loginErrors, maxGroups, passwordErrors, type PasswordRules } from "./user.ts";

/** Of unknown fields so many are told: of ten errors that leaves four for those that are known. */
const maxUnknownTold = maxErrors - 4;

/** A login as it is kept, and a password. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
}

/** Who wants to register. */
export interface Registration extends Credentials {
  /** The code of a ticket, as it was sent. */
  readonly ticket: string | undefined;
}

/** A new password, and what allows to set it: one of the two. */
export type PasswordChange =
  & { readonly password: string }
  & ({ readonly currentPassword: string; readonly ticket: undefined } | { readonly ticket: string });

/** What an administrator changes of a user. */
export type UserChange = Partial<Pick<User, "groups" | "disabled">>;

/** What an administrator wants a ticket for. */
export interface TicketRequest {
  readonly purpose: "register" | "reset";
  /** "" is any. */
  readonly login: string;
}

export interface LoginRequest extends Credentials {
  /** Whether the token is wanted as a cookie. */
  readonly cookie: boolean;
}

/**
 * Who wants to register, from the body of `POST /user/`.
 *
 * @throws {HttpError} `invalid-user` with every bad field
 */
export function parseRegistration(body: unknown, rules: PasswordRules): Registration {
  const { fields, errors } = readFields(body, ["login", "password", "ticket"], "invalid-user");
  const login = readText(fields, "login", errors);
  const password = readText(fields, "password", errors);
  const ticket = fields["ticket"] === undefined ? undefined : readText(fields, "ticket", errors);
  if (login !== undefined) errors.push(...loginErrors(canonicalLogin(login)));
  if (password !== undefined) errors.push(...passwordErrors(password, canonicalLogin(login ?? ""), rules));
  if (login === undefined || password === undefined || errors.length > 0) {
    throw new HttpError("invalid-user", { errors });
  }
  return { login: canonicalLogin(login), password, ticket };
}

/**
 * A new password, from the body of `PUT /user/:login/password`. It is not judged yet: see `requireGoodPassword`.
 *
 * @throws {HttpError} `invalid-user` with every bad field
 */
export function parsePasswordChange(body: unknown): PasswordChange {
  const { fields, errors } = readFields(body, ["current_password", "ticket", "password"], "invalid-user");
  const password = readText(fields, "password", errors);
  const proof = fields["ticket"] === undefined ? "current_password" : "ticket";
  const text = readText(fields, proof, errors);
  if (proof === "ticket" && fields["current_password"] !== undefined) {
    errors.push({ pointer: "/current_password", code: "unknown-field", detail: "It must not be there with a ticket" });
  }
  if (password === undefined || text === undefined || errors.length > 0) {
    throw new HttpError("invalid-user", { errors });
  }
  return proof === "ticket" ? { password, ticket: text } : { password, currentPassword: text, ticket: undefined };
}

/** @throws {HttpError} `invalid-user`, the password is none that the login may have */
export function requireGoodPassword(password: string, login: string, rules: PasswordRules): void {
  const errors = passwordErrors(password, login, rules);
  if (errors.length > 0) throw new HttpError("invalid-user", { errors });
}

/** The new password is the old one, which is told when all else was right. */
export function unchangedPassword(): HttpError {
  const detail = "It must be another than the present one";
  return new HttpError("invalid-user", { errors: [{ pointer: "/password", code: "unchanged", detail }] });
}

/**
 * What is to be changed of a user, from the body of `PATCH /user/:login`.
 *
 * @throws {HttpError} `invalid-user` with every bad field
 */
export function parseUserChange(body: unknown): UserChange {
  const { fields, errors } = readFields(body, ["groups", "disabled"], "invalid-user");
  const { groups, disabled } = fields;
  if (disabled !== undefined && typeof disabled !== "boolean") {
    errors.push({ pointer: "/disabled", code: "not-boolean", detail: "It must be true or false" });
  }
  if (groups !== undefined && !isGroups(groups)) {
    const detail = `It must be a list of at most ${maxGroups} different texts of 1 to 32 of a-z 0-9 . _ -`;
    errors.push({ pointer: "/groups", code: "invalid-groups", detail });
  }
  if (groups === undefined && disabled === undefined && errors.length === 0) {
    errors.push({ pointer: "", code: "missing", detail: "It must have `groups` or `disabled`" });
  }
  if (errors.length > 0) throw new HttpError("invalid-user", { errors });
  return {
    ...isGroups(groups) && { groups },
    ...typeof disabled === "boolean" && { disabled },
  };
}

/**
 * What a ticket is wanted for, from the body of `POST /ticket/`.
 *
 * @throws {HttpError} `invalid-ticket` with every bad field
 */
export function parseTicketRequest(body: unknown): TicketRequest {
  const { fields, errors } = readFields(body, ["purpose", "login"], "invalid-ticket");
  const { purpose } = fields;
  const isPurpose = purpose === "register" || purpose === "reset";
  if (!isPurpose) {
    errors.push({ pointer: "/purpose", code: "unknown-purpose", detail: "It must be register or reset" });
  }
  const isAnybody = purpose !== "reset" && fields["login"] === undefined;
  const login = isAnybody ? "" : canonicalLogin(readText(fields, "login", errors) ?? "");
  if (!isAnybody && typeof fields["login"] === "string") errors.push(...loginErrors(login));
  if (!isPurpose || errors.length > 0) throw new HttpError("invalid-ticket", { errors });
  return { purpose, login };
}

/**
 * Who wants to log in, from the body of `POST /session/`. The rules for new logins and passwords are not asked: what
 * breaks them is nobody's login or password, and the answer to that is the uniform one.
 *
 * @throws {HttpError} `invalid-credentials` with every bad field
 */
export function parseLogin(body: unknown): LoginRequest {
  const { fields, errors } = readFields(body, ["login", "password", "cookie"], "invalid-credentials");
  const login = readText(fields, "login", errors);
  const password = readText(fields, "password", errors);
  const { cookie = false } = fields;
  if (typeof cookie !== "boolean") {
    errors.push({ pointer: "/cookie", code: "not-boolean", detail: "It must be true or false" });
  }
  if (login === undefined || password === undefined || typeof cookie !== "boolean" || errors.length > 0) {
    throw new HttpError("invalid-credentials", { errors });
  }
  return { login: canonicalLogin(login), password, cookie };
}

interface ReadFields {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Found so far: what follows adds to them. */
  readonly errors: FieldError[];
}

/** The fields of an object, with an error for each that is not known. */
function readFields(body: unknown, known: readonly string[], code: ProblemCode): ReadFields {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    const errors = [{ pointer: "", code: "not-object", detail: "The body must be an object" }];
    throw new HttpError(code, { errors });
  }
  const unknown = Object.keys(body).filter((name) => !known.includes(name)).slice(0, maxUnknownTold);
  const errors = unknown.map((name): FieldError => ({
    pointer: `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    code: "unknown-field",
    detail: `Known are ${known.join(", ")}`,
  }));
  return { fields: body as Readonly<Record<string, unknown>>, errors };
}

/** A field that must be text. Lone surrogates are none: UTF-8 cannot carry them, so all would hash alike. */
function readText(fields: ReadFields["fields"], name: string, errors: FieldError[]): string | undefined {
  const value = fields[name];
  if (typeof value === "string" && value.isWellFormed()) return value;
  const [code, detail] = value === undefined
    ? ["missing", "It must be there"]
    : typeof value === "string"
    ? ["not-unicode", "It must be valid Unicode"]
    : ["not-text", "It must be text"];
  errors.push({ pointer: `/${name}`, code, detail });
  return undefined;
}
