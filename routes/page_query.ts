/** Lists in pages, such as `GET /user/`: the query parameters, the schema, and the link to the next page. */

import { canonicalLogin, groupPattern, loginPattern, maxLoginLength } from "../lib/accounts/user.ts";
import { jsonResponse } from "../lib/http/http_error.ts";
import { query } from "../lib/http/query.ts";
import { type Field, idPattern, idSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import type { UserSort } from "../lib/store/queries.ts";

const defaultLimit = 50;
const maxLimit = 1_000;
const sorts: readonly UserSort[] = ["registered_at", "-registered_at", "login"];
/** The cursor of a list that is sorted by login. */
const loginCursorPattern = new RegExp(`^(?=.{1,${maxLoginLength}}$)${loginPattern.source.slice(1)}`);
const invalidCursor = { code: "invalid-cursor", detail: "Must be the `next` of a page." } as const;
const nextOfPage = "The `next` of the previous page.";

const limit: Field<number> = {
  schema: { type: "integer", minimum: 1, maximum: maxLimit, default: defaultLimit, description: "Items on a page." },
  parse(text = String(defaultLimit), report) {
    const limit = /^\d{1,9}$/.test(String(text)) ? Number(text) : 0;
    if (limit >= 1 && limit <= maxLimit) return limit;
    return report({ code: "out-of-range", detail: `Must be a number from 1 to ${maxLimit}.` });
  },
};

/** The page of a list. "" is the first. */
export const pageQuery = query({
  limit,
  after: {
    schema: { ...idSchema, description: nextOfPage },
    parse: (text = "", report) => isCursor(String(text), idPattern) ? String(text) : report(invalidCursor),
  },
});

/** The page of the list of users. "" is no condition. */
export const userPageQuery = query({
  limit,
  after: {
    schema: { type: "string", maxLength: maxLoginLength, description: nextOfPage },
    parse: (text = "") => String(text),
  },
  prefix: loginPart("Only logins that start with this text.", "al"),
  contains: loginPart("Only logins that contain this text.", "lic"),
  group: {
    schema: { type: "string", pattern: groupPattern.source, description: "Only its members.", examples: ["staff"] },
    parse(text = "", report) {
      if (text === "" || groupPattern.test(String(text))) return String(text);
      return report({ code: "invalid-group", detail: "Must be the name of a group." });
    },
  },
  sort: {
    schema: { type: "string", enum: sorts, default: sorts[0], description: "With `-` the newest user is first." },
    parse(text = sorts[0], report) {
      const detail = `Must be one of ${sorts.join(", ")}.`;
      return sorts.find((sort) => sort === text) ?? report({ code: "unknown-sort", detail });
    },
  },
}, ({ after = "", sort }) => {
  const isGood = isCursor(after, sort === "login" ? loginCursorPattern : idPattern);
  return isGood ? [] : [{ pointer: "/after", ...invalidCursor }];
});

/** The schema of a page. @param options.items the name of the list and the schema of its items */
export function pageSchema(
  $id: string,
  { items, cursor = { pattern: idPattern.source } }: {
    items: readonly [name: string, schema: Schema];
    cursor?: Schema;
  },
): Schema {
  const [name, schema] = items;
  return {
    $id,
    ...objectSchema({
      [name]: { type: "array", items: schema },
      total: { type: "integer", minimum: 0, description: "The number of items on all pages." },
      next: { type: ["string", "null"], ...cursor, description: "The `after` of the next page." },
    }),
  };
}

/** Responds with a page of a list, and the link to the next one (RFC 8288), if there is one. */
export function pageResponse(
  query: Readonly<Record<string, unknown>>,
  { next, ...page }: Readonly<Record<string, unknown>> & { readonly next: string | undefined },
): Response {
  if (next === undefined) return jsonResponse({ ...page, next: null });
  const conditions = Object.entries({ ...query, after: next }).filter(([, value]) => value !== "");
  const parameters = new URLSearchParams(conditions.map(([name, value]) => [name, String(value)]));
  // Relative, as a proxy may mount the service at another path.
  return jsonResponse({ ...page, next }, { headers: { link: `<?${parameters}>; rel="next"` } });
}

function isCursor(text: string, pattern: RegExp): boolean {
  return text === "" || pattern.test(text);
}

function loginPart(description: string, example: string): Field<string> {
  return {
    schema: { type: "string", maxLength: maxLoginLength, description, examples: [example] },
    parse(text = "", report) {
      const part = canonicalLogin(String(text));
      const detail = `Must have at most ${maxLoginLength} characters.`;
      return part.length <= maxLoginLength ? part : report({ code: "too-long", limit: maxLoginLength, detail });
    },
  };
}
