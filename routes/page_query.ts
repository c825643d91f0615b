/**
 * The query of a list that is shown by pages, such as `GET /user/`: which page is asked for, and where the next one is.
 */

import { type FieldError, HttpError } from "../lib/http/http.ts";
import type { UserQuery, UserSort } from "../lib/store.ts";
import { canonicalLogin, groupPattern, loginPattern, maxLoginLength } from "../lib/accounts/user.ts";

export const defaultLimit = 50;
export const maxLimit = 1_000;
export const userSorts: readonly UserSort[] = ["registered_at", "-registered_at", "login"];

/** As `next` gives it: the id of the last item of a page, a ULID. */
export const cursorPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;
/** The same of a list sorted by login. */
const loginCursorPattern = new RegExp(`^(?=.{1,${maxLoginLength}}$)${loginPattern.source.slice(1)}`);

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

/** The query of `GET /user/`, where "" is no condition. @throws {HttpError} as `parsePageQuery` */
export function parseUserQuery(parameters: URLSearchParams): PageQuery & Required<UserQuery> {
  const errors: FieldError[] = [];
  const sortText = parameters.get("sort") ?? "registered_at";
  const sort = userSorts.find((known) => known === sortText) ?? "registered_at";
  const page = readPageQuery(parameters, errors, sort === "login" ? loginCursorPattern : cursorPattern);
  const prefix = readLoginPart(parameters, "prefix", errors);
  const contains = readLoginPart(parameters, "contains", errors);
  const group = parameters.get("group") ?? "";
  if (group !== "" && !groupPattern.test(group)) {
    errors.push({ pointer: "/group", code: "invalid-group", detail: "Must be the name of a group" });
  }
  if (sort !== sortText) {
    errors.push({ pointer: "/sort", code: "unknown-sort", detail: `Must be one of ${userSorts.join(", ")}` });
  }
  if (errors.length > 0) throw new HttpError("invalid-query", { errors });
  return { ...page, prefix, contains, group, sort };
}

function readLoginPart(parameters: URLSearchParams, name: "prefix" | "contains", errors: FieldError[]): string {
  const part = canonicalLogin(parameters.get(name) ?? "");
  if (part.length > maxLoginLength) {
    const detail = `Must have at most ${maxLoginLength} characters`;
    errors.push({ pointer: `/${name}`, code: "too-long", limit: maxLoginLength, detail });
  }
  return part;
}

/** The headers of a page: the link to the next one (RFC 8288), if there is one. */
export function pageHeaders(query: PageQuery & Partial<UserQuery>, next: string | undefined): Record<string, string> {
  if (next === undefined) return {};
  const conditions = Object.entries({ ...query, after: next }).filter(([, value]) => value !== "")
    .map(([name, value]) => [name, String(value)]);
  // Relative, so that it is right also where the service is mounted at another path.
  return { link: `<?${new URLSearchParams(conditions)}>; rel="next"` };
}

/** @param errors gets every bad parameter */
function readPageQuery(parameters: URLSearchParams, errors: FieldError[], cursor = cursorPattern): PageQuery {
  const limitText = parameters.get("limit") ?? String(defaultLimit);
  const limit = /^\d{1,9}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > maxLimit) {
    errors.push({ pointer: "/limit", code: "out-of-range", detail: `It must be a number from 1 to ${maxLimit}` });
  }
  const after = parameters.get("after") ?? "";
  if (after !== "" && !cursor.test(after)) {
    errors.push({ pointer: "/after", code: "invalid-cursor", detail: "It must be what `next` of a page was" });
  }
  return { limit, after };
}
