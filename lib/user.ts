/**
 * What a login and a password must be, and what others may see of a user.
 *
 * Input is taken or refused, never corrected, with one exception that the contract names: capitals in a login are taken
 * as small letters. All bad fields of a body are told at once. Behind these functions the types are trusted.
 */

import { eTag } from "@std/http/etag";
import type { Guesser } from "./guesser.ts";
import { type FieldError, HttpError } from "./http.ts";
import type { ProblemCode } from "./problem.ts";
import type { User } from "./store.ts";

/** Longest login, characters. */
export const maxLoginLength = 64;
/** Longest password, bytes of UTF-8 in NFC: as many as anyone types, few enough that hashing does not notice them. */
export const maxPasswordBytes = 1_024;
/** Of unknown fields so many are told, or a reply could be twenty times its request. */
const maxUnknownTold = 10;

/** ASCII alone: identity headers are bytes, and letters that look alike are an attack. No ":", as in RFC 7617. */
export const loginPattern = /^[a-z0-9][a-z0-9._@+-]*$/;

/** Groups of one user. */
export const maxGroups = 32;
/** No comma and no space: identity headers list groups with commas, and the disk too. */
export const groupPattern = /^[a-z0-9._-]{1,32}$/;

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

/** A user as others may see it. */
export interface PublicUser {
  readonly id: string;
  readonly login: string;
  readonly registered_at: string;
  readonly groups: readonly string[];
  readonly disabled: boolean;
}

export interface PasswordRules {
  /** Code points. */
  readonly minLength: number;
  readonly guesser: Guesser;
}

/** What of a user leaves the service: field by field, so that none gets out by being added. */
export function publicUser(user: User): PublicUser {
  return {
    id: user.id,
    login: user.login,
    registered_at: new Date(user.registeredAt).toISOString(),
    groups: user.groups,
    disabled: user.disabled,
  };
}

/** The entity tag (RFC 9110, 8.8.3) of a user as others may see them. */
export async function etagOf(user: User): Promise<string> {
  return await eTag(JSON.stringify(publicUser(user))) ?? "";
}

/** A login in the spelling that it is kept in. */
export function canonicalLogin(login: string): string {
  // Not toLowerCase: it would make "k" of the Kelvin sign, and so let a look-alike in.
  return login.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
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
 * A new password, from the body of `PUT /user/:login/password`.
 *
 * @throws {HttpError} `invalid-user` with every bad field
 */
export function parsePasswordChange(body: unknown, rules: PasswordRules & { login: string }): PasswordChange {
  const { fields, errors } = readFields(body, ["current_password", "ticket", "password"], "invalid-user");
  const password = readText(fields, "password", errors);
  if (password !== undefined) errors.push(...passwordErrors(password, rules.login, rules));
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

function isGroups(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= maxGroups && new Set(value).size === value.length &&
    value.every((group) => typeof group === "string" && groupPattern.test(group));
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

function loginErrors(login: string): FieldError[] {
  const pointer = "/login";
  if (login === "") return [{ pointer, code: "too-short", detail: "It must have at least 1 character" }];
  const errors: FieldError[] = [];
  if (login.length > maxLoginLength) {
    errors.push({ pointer, code: "too-long", detail: `It must have at most ${maxLoginLength} characters` });
  }
  if (!loginPattern.test(login)) {
    const detail = "It must be made of a-z 0-9 . _ - @ + and begin with a letter or digit";
    errors.push({ pointer, code: "invalid-characters", detail });
  }
  return errors;
}

function passwordErrors(password: string, login: string, rules: PasswordRules): FieldError[] {
  const pointer = "/password";
  const text = password.normalize("NFC");
  const length = [...text].length;
  if (length < rules.minLength) {
    const detail = `It must have at least ${rules.minLength} characters and has ${length}`;
    return [{ pointer, code: "too-short", detail }];
  }
  if (new TextEncoder().encode(text).length > maxPasswordBytes) {
    return [{ pointer, code: "too-long", detail: `It must have at most ${maxPasswordBytes} bytes of UTF-8` }];
  }
  const reason = rules.guesser.reasonAgainst(text, login);
  return reason === undefined ? [] : [{ pointer, code: "guessable", detail: `It is easily guessed: ${reason}` }];
}
