/** The query of `GET /user/`: which page of users is asked for. */

import { type FieldError, HttpError } from "../lib/http.ts";
import type { UserQuery } from "../lib/store.ts";
import { canonicalLogin, maxLoginLength } from "../lib/user.ts";

export const defaultLimit = 50;
export const maxLimit = 1_000;

/** As `next` gives it: the id of the last user of a page, a ULID. */
export const cursorPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/**
 * What the query asks for; a parameter that is not known is ignored.
 *
 * @throws {HttpError} `invalid-query` with every bad parameter
 */
export function parseUserQuery(parameters: URLSearchParams): UserQuery {
  const errors: FieldError[] = [];
  const limitText = parameters.get("limit") ?? String(defaultLimit);
  const limit = /^\d{1,9}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > maxLimit) {
    errors.push({ pointer: "/limit", code: "out-of-range", detail: `It must be a number from 1 to ${maxLimit}` });
  }
  const after = parameters.get("after") ?? "";
  if (after !== "" && !cursorPattern.test(after)) {
    errors.push({ pointer: "/after", code: "invalid-cursor", detail: "It must be what `next` of a page was" });
  }
  const prefix = canonicalLogin(parameters.get("prefix") ?? "");
  if (prefix.length > maxLoginLength) {
    const detail = `It must have at most ${maxLoginLength} characters`;
    errors.push({ pointer: "/prefix", code: "too-long", limit: maxLoginLength, detail });
  }
  if (errors.length > 0) throw new HttpError("invalid-query", { errors });
  return { limit, after, prefix };
}
