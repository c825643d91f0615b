/**
 * What a login and a password must be, and what others may see of a user.
 *
 * Input is taken or refused, never corrected, with one exception that the contract names: capitals in a login are taken
 * as small letters. All bad fields of a body are told at once. Behind these functions the types are trusted.
 */

import { eTag } from "@std/http/etag";
import type { PasswordStrength } from "../passwords/password_strength.js";
import { weaknessTexts } from "../passwords/weakness.ts";
import type { FieldError } from "../http/http.ts";
import { isTooLong, maxMarksInARow, normalizePassword } from "../passwords/password_hash.ts";
import type { User } from "../store.ts";

/** Longest login, characters. */
export const maxLoginLength = 64;
/** Longest password, bytes of UTF-8 in NFC: as many as anyone types, few enough that hashing does not notice them. */
export const maxPasswordBytes = 1_024;
/** ASCII alone: identity headers are bytes, and letters that look alike are an attack. No ":", as in RFC 7617. */
export const loginPattern = /^[a-z0-9][a-z0-9._@+-]*$/;

/** Groups of one user. */
export const maxGroups = 32;
/** No comma and no space: identity headers list groups with commas, and the disk too. */
export const groupPattern = /^[a-z0-9._-]{1,32}$/;

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
  readonly passwordStrength: PasswordStrength;
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

/** A login in the spelling that it is kept in. One that is too long is nobody's, whatever its spelling. */
export function canonicalLogin(login: string): string {
  if (login.length > maxLoginLength) return login;
  // Not toLowerCase: it would make "k" of the Kelvin sign, and so let a look-alike in.
  return login.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** What is wrong with a new login, in the spelling that it is kept in. */
export function loginErrors(login: string): FieldError[] {
  const pointer = "/login";
  if (login === "") return [{ pointer, code: "too-short", limit: 1, detail: "It must have at least 1 character" }];
  const errors: FieldError[] = [];
  if (login.length > maxLoginLength) {
    const detail = `It must have at most ${maxLoginLength} characters`;
    errors.push({ pointer, code: "too-long", limit: maxLoginLength, detail });
  }
  if (!loginPattern.test(login)) {
    const detail = "It must be made of a-z 0-9 . _ - @ + and begin with a letter or digit";
    errors.push({ pointer, code: "invalid-characters", detail });
  }
  return errors;
}

/**
 * What is wrong with a new password of that login. What is nobody's password is refused before any more work is done on
 * it, and whether it is guessable is asked last, which takes the most.
 */
export function passwordErrors(password: string, login: string, rules: PasswordRules): FieldError[] {
  const pointer = "/password";
  const tooLong = {
    pointer,
    code: "too-long",
    limit: maxPasswordBytes,
    detail: `It must have at most ${maxPasswordBytes} bytes of UTF-8`,
  };
  if (isTooLong(password)) return [tooLong];
  // They come by pasting, and what is typed later would be another password; NUL at the end would even be the same.
  if (/\p{Cc}/u.test(password)) {
    const detail = "It must have no control characters, such as tabs and line breaks";
    return [{ pointer, code: "control-characters", detail }];
  }
  const text = normalizePassword(password);
  if (text === undefined) {
    const detail = `It must have at most ${maxMarksInARow} combining marks in a row`;
    return [{ pointer, code: "too-many-marks", detail }];
  }
  const length = [...text].length;
  if (length < rules.minLength) {
    const detail = `It must have at least ${rules.minLength} characters and has ${length}`;
    return [{ pointer, code: "too-short", limit: rules.minLength, detail }];
  }
  if (new TextEncoder().encode(text).length > maxPasswordBytes) return [tooLong];
  const reason = rules.passwordStrength.weaknessOf(text, login);
  if (reason === undefined) return [];
  return [{ pointer, code: "guessable", reason, detail: `It is easily guessed: ${weaknessTexts[reason]}` }];
}

/** Whether the value is a list of groups that a user can have. */
export function isGroups(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= maxGroups && new Set(value).size === value.length &&
    value.every((group) => typeof group === "string" && groupPattern.test(group));
}
