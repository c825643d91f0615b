/** Lists in pages, such as `GET /user/`: the query parameters, the schema, and the link to the next page. */

import type { UserSort } from "../lib/store.ts";
import { type Field, idPattern, objectSchema, query, type Schema } from "../lib/http/schema.ts";
import { canonicalLogin, groupPattern, loginPattern, maxLoginLength } from "../lib/accounts/user.ts";

const defaultLimit = 50;
const maxLimit = 1_000;
const sorts: readonly UserSort[] = ["registered_at", "-registered_at", "login"];
/** The cursor of a list that is sorted by login. */
const loginCursorPattern = new RegExp(`^(?=.{1,${maxLoginLength}}$)${loginPattern.source.slice(1)}`);
const invalidCursor = { code: "invalid-cursor", detail: "Must be the `next` of a page." };

const limit: Field<number> = {
  schema: { type: "integer", minimum: 1, maximum: maxLimit, default: defaultLimit, description: "Items on a page." },
  parse(text = String(defaultLimit), report) {
    const limit = /^\d{1,9}$/.test(String(text)) ? Number(text) : 0;
    if (limit >= 1 && limit <= maxLimit) return limit;
    return report({ code: "out-of-range", detail: `Must be a number from 1 to ${maxLimit}.` });
  },
};

/** Absent on the first page, as "". */
const after: Field<string> = {
  schema: { type: "string", pattern: idPattern.source, description: "The `next` of the previous page." },
  parse(text = "", report) {
    return text === "" || idPattern.test(String(text)) ? String(text) : report(invalidCursor);
  },
};

const group: Field<string> = {
  schema: {
    type: "string",
    pattern: groupPattern.source,
    description: "Only members of this group.",
    examples: ["staff"],
  },
  parse(text = "", report) {
    if (text === "" || groupPattern.test(String(text))) return String(text);
    return report({ code: "invalid-group", detail: "Must be the name of a group." });
  },
};

const sort: Field<UserSort> = {
  schema: {
    type: "string",
    enum: sorts,
    default: sorts[0],
    description: "The order; with `-` the newest user is first.",
  },
  parse(text = sorts[0], report) {
    const known = sorts.find((sort) => sort === text);
    return known ?? report({ code: "unknown-sort", detail: `Must be one of ${sorts.join(", ")}.` });
  },
};

/** The page of a list. */
export const pageQuery = query({ limit, after });

/** The page of the list of users; "" is no condition. */
export const userPageQuery = query({
  limit,
  after: {
    schema: { type: "string", maxLength: maxLoginLength, description: "The `next` of the previous page." },
    parse: (text = "") => String(text),
  },
  prefix: loginPart("Only logins that start with this text.", "al"),
  contains: loginPart("Only logins that contain this text.", "lic"),
  group,
  sort,
}, ({ after = "", sort }) => {
  const cursorPattern = sort === "login" ? loginCursorPattern : idPattern;
  return after === "" || cursorPattern.test(after) ? [] : [{ pointer: "/after", ...invalidCursor }];
});

/** The schema of a page. @param list the name of the list and the schema of its items @param cursor by default an id */
export function pageSchema(
  $id: string,
  list: Readonly<Record<string, Schema>>,
  cursor: Schema = { pattern: idPattern.source },
): Schema {
  const lists = Object.entries(list).map(([name, items]) => [name, { type: "array", items }]);
  return {
    $id,
    ...objectSchema("A page of a list.", {
      ...Object.fromEntries(lists),
      total: { type: "integer", minimum: 0, description: "The number of items on all pages." },
      next: { type: ["string", "null"], ...cursor, description: "The `after` of the next page." },
    }),
  };
}

/** The header fields of a page: the link to the next one (RFC 8288), if there is one. */
export function pageHeaders(
  query: Readonly<Record<string, unknown>>,
  next: string | undefined,
): Record<string, string> {
  if (next === undefined) return {};
  const conditions = Object.entries({ ...query, after: next }).filter(([, value]) => value !== "")
    .map(([name, value]) => [name, String(value)]);
  // Relative, as a proxy may mount the service at another path.
  return { link: `<?${new URLSearchParams(conditions)}>; rel="next"` };
}

function loginPart(description: string, example: string): Field<string> {
  return {
    schema: { type: "string", maxLength: maxLoginLength, description, examples: [example] },
    parse(text = "", report) {
      const part = canonicalLogin(String(text));
      if (part.length <= maxLoginLength) return part;
      const detail = `Must have at most ${maxLoginLength} characters.`;
      return report({ code: "too-long", limit: maxLoginLength, detail });
    },
  };
}
