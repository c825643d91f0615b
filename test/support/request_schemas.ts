/** What tests of request bodies share. */
import { assertThrows } from "@std/assert";
import { createPasswordStrength } from "../../lib/accounts/user.ts";
import { HttpError } from "../../lib/http/http_error.ts";

/** The rules of the default settings. */
export const rules = { minLength: 15, passwordStrength: createPasswordStrength() };

/** 17 characters, 17 bytes. */
export const password = "wJ4-qLm9zVt2xRs,!";

/** The code of the problem, and pointer and code of each bad field. */
export function refusalOf(parse: () => unknown): unknown {
  const error = assertThrows(parse, HttpError);
  return [error.code, ...(error.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`)];
}

/** The longest login. */
export const longest = "l".repeat(64);
