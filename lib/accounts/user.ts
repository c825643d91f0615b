/**
 * Rules for logins, passwords and groups, and what others can see of a user.
 *
 * Input is accepted or refused, never corrected, with one exception: a login is case-insensitive and stored in lower
 * case.
 */

// zxcvbn-ts: the field's estimate of guesses, updated with lists of leaked passwords.
import * as core from "@zxcvbn-ts/core";
import * as languageCommon from "@zxcvbn-ts/language-common";
import { entityTagOf } from "../http/entity_tag.ts";
import type { FieldError } from "../http/http_error.ts";
import type { FieldCode } from "../http/problem.ts";
import { isTooLong, maxMarksInARow, normalizePassword } from "../passwords/password_hash.ts";
import { PasswordStrength, type Weakness } from "../passwords/password_strength.js";
import type { User } from "../store.ts";

/** Characters. */
export const maxLoginLength = 64;
/** In UTF-8 and NFC: more than people type, and little enough that it does not slow down hashing. */
export const maxPasswordBytes = 1_024;
/** ASCII only: identity headers are bytes, and look-alike letters are an attack. No ":", as in RFC 7617. */
export const loginPattern = /^[a-z0-9][a-z0-9._@+-]*$/;

/** Groups of one user. */
export const maxGroups = 32;
/** No commas and spaces: identity headers and stored users separate groups by them. */
export const groupPattern = /^[a-z0-9._-]{1,32}$/;

/** Why a password is easily guessed: stable codes for programs, and a clause for people. */
export const weaknessTexts: Readonly<Record<Weakness, string>> = {
  "login": "it contains the login",
  "service-name": "it contains the name of this service",
  "common": "it consists of common passwords",
  "keyboard": "it is a run of adjacent keys",
  "repeat": "it repeats itself",
  "sequence": "it is a sequence like abc or 123",
  "date": "it consists of dates",
  "year": "it consists of years",
  "short": "it is too short to be hard to guess",
};

/** Rules for new passwords that depend on the settings. */
export interface PasswordRules {
  /** Code points. */
  readonly minLength: number;
  readonly passwordStrength: PasswordStrength;
}

/** Creates the check for guessable passwords with the service's copy of zxcvbn-ts. */
export function createPasswordStrength(): PasswordStrength {
  return new PasswordStrength({ core, "language-common": languageCommon });
}

/** The part of a user that leaves the service. It names each field, so that a new one does not leak. */
export function publicUser({ id, login, registeredAt, groups, disabled }: User) {
  return { id, login, registered_at: new Date(registeredAt).toISOString(), groups, disabled };
}

/** The entity tag (RFC 9110, 8.8.3) of `publicUser`. */
export function etagOf(user: User): string {
  return entityTagOf(JSON.stringify(publicUser(user)));
}

/** A login as it is stored. No user has a login that is too long, so that one is returned unchanged. */
export function canonicalLogin(login: string): string {
  if (login.length > maxLoginLength) return login;
  // Not toLowerCase: it maps the Kelvin sign to "k", and so would let a look-alike in.
  return login.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** What is wrong with a new login, given in lower case. */
export function loginErrors(login: string): FieldError[] {
  const pointer = "/login";
  if (login === "") return [{ pointer, code: "too-short", limit: 1, detail: "Must have at least 1 character." }];
  const errors: FieldError[] = [];
  if (login.length > maxLoginLength) {
    const detail = `Must have at most ${maxLoginLength} characters.`;
    errors.push({ pointer, code: "too-long", limit: maxLoginLength, detail });
  }
  if (!loginPattern.test(login)) {
    const detail = "Must consist of a-z 0-9 . _ - @ + and start with a letter or digit.";
    errors.push({ pointer, code: "invalid-characters", detail });
  }
  return errors;
}

/** What is wrong with a new password. Cheap checks come first, and bound the work of the later ones. */
export function passwordErrors(
  { login, password }: { readonly login: string; readonly password: string },
  { minLength, passwordStrength }: PasswordRules,
): FieldError[] {
  const error = (code: FieldCode, rest: Pick<FieldError, "detail" | "limit" | "reason">) => [
    { pointer: "/password", code, ...rest },
  ];
  const tooLong = { limit: maxPasswordBytes, detail: `Must have at most ${maxPasswordBytes} bytes of UTF-8.` };
  if (isTooLong(password)) return error("too-long", tooLong);
  // Pasting adds them, and the password that is typed later lacks them. With NUL at its end it would even be the same.
  if (/\p{Cc}/u.test(password)) {
    return error("control-characters", {
      detail: "Must not contain control characters, such as tabs and line breaks.",
    });
  }
  const text = normalizePassword(password);
  if (text === undefined) {
    return error("too-many-marks", { detail: `Must have at most ${maxMarksInARow} combining marks in a row.` });
  }
  const length = [...text].length;
  if (length < minLength) {
    const detail = `Must have at least ${minLength} characters. It has ${length}.`;
    return error("too-short", { limit: minLength, detail });
  }
  if (new TextEncoder().encode(text).length > maxPasswordBytes) return error("too-long", tooLong);
  const reason = passwordStrength.weaknessOf(text, login);
  return reason === undefined ? [] : error("guessable", { reason, detail: `Easy to guess: ${weaknessTexts[reason]}.` });
}

/** Whether the value is a list of groups that a user can have. */
export function isGroups(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= maxGroups && new Set(value).size === value.length &&
    value.every((group) => typeof group === "string" && groupPattern.test(group));
}
