/**
 * The query of a list that is shown by pages, such as `GET /user/`: which page is asked for, and where the next one is.
 */

import { type FieldError, HttpError } from "../lib/http.ts";
import type { UserQuery } from "../lib/store.ts";
import { canonicalLogin, maxLoginLength } from "../lib/user.ts";

export const defaultLimit = 50;
export const maxLimit = 1_000;

/** As `next` gives it: the id of the last item of a page, a ULID. */
export const cursorPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** Which page of a list is asked for. */
export interface PageQuery {
  readonly limit: number;
  /** "" is the first page. */
  readonly after: string;
}

/**
 * What the query of any list asks for; a parameter that is not known is ignored.
 *
 * @throws {HttpError} `invalid-query` with every bad parameter
 */
export function parsePageQuery(parameters: URLSearchParams): PageQuery {
  const errors: FieldError[] = [];
  const query = readPageQuery(parameters, errors);
  if (errors.length > 0) throw new HttpError("invalid-query", { errors });
  return query;
}

/** What the query of a list of users asks for. @throws {HttpError} as `parsePageQuery` */
export function parseUserQuery(parameters: URLSearchParams): PageQuery & Required<Pick<UserQuery, "prefix">> {
  const errors: FieldError[] = [];
  const query = readPageQuery(parameters, errors);
  const prefix = canonicalLogin(parameters.get("prefix") ?? "");
  if (prefix.length > maxLoginLength) {
    const detail = `It must have at most ${maxLoginLength} characters`;
    errors.push({ pointer: "/prefix", code: "too-long", limit: maxLoginLength, detail });
  }
  if (errors.length > 0) throw new HttpError("invalid-query", { errors });
  return { ...query, prefix };
}

/** The headers of a page: where the next one is (RFC 8288), if there is one. */
export function pageHeaders(query: PageQuery & { readonly prefix?: string }, next: string | undefined) {
  const headers: Record<string, string> = {};
  if (next !== undefined) {
    // Relative, so that it is right also where the service is mounted at another path.
    headers.link = `<?${new URLSearchParams({ ...query, limit: String(query.limit), after: next })}>; rel="next"`;
  }
  return headers;
}

/** @param errors gets every bad parameter */
function readPageQuery(parameters: URLSearchParams, errors: FieldError[]): PageQuery {
  const limitText = parameters.get("limit") ?? String(defaultLimit);
  const limit = /^\d{1,9}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > maxLimit) {
    errors.push({ pointer: "/limit", code: "out-of-range", detail: `It must be a number from 1 to ${maxLimit}` });
  }
  const after = parameters.get("after") ?? "";
  if (after !== "" && !cursorPattern.test(after)) {
    errors.push({ pointer: "/after", code: "invalid-cursor", detail: "It must be what `next` of a page was" });
  }
  return { limit, after };
}
