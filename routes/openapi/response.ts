/** Responses as the OpenAPI document describes them: header fields, and problems (RFC 9457). */

import { weaknessTexts } from "../../lib/accounts/user.ts";
import { loginPattern } from "../../lib/accounts/user.ts";
import { maxErrors } from "../../lib/http/http_error.ts";
import { fieldCodes, type ProblemCode, problems } from "../../lib/http/problem.ts";
import { idPattern, objectSchema, type Schema } from "../../lib/http/schema.ts";
import type { OperationResponse } from "../../lib/router.ts";

/** What a field is for, and the pattern of its value. */
const headerFields: Readonly<Record<string, readonly [description: string, pattern: string]>> = {
  "Accept": ["The media type that a body must have.", "^application/json$"],
  "Accept-Encoding": ["Bodies must not have a content coding.", "^identity$"],
  "Clear-Site-Data": ["Browsers delete cached pages that the session gave access to.", '^"cache"$'],
  "Connection": ["The rest of the body is not read.", "^close$"],
  "Content-Security-Policy": ["Restricts what the page may load and run.", "^default-src 'none'"],
  "ETag": ["The version, for If-Match and If-None-Match.", '^(W/)?"[^"]+"$'],
  "Link": ["The next page (RFC 8288); absent on the last.", '^<\\?[^>]+>; rel="next"$'],
  "Location": ["A path, relative to that of the request, or an address of the home or a site.", "^(\\.?|https?:/)/"],
  "Permissions-Policy": ["Features of the browser that the page does not use.", "="],
  "Referrer-Policy": ["Links do not send the address of the page.", "^no-referrer$"],
  "Remote-Groups": ["`users` and the groups of the user, with commas.", "^[a-z0-9._-]{1,32}(,[a-z0-9._-]{1,32})*$"],
  "Remote-Id": ["The id of the user.", idPattern.source],
  "Remote-User": ["The login of the user.", loginPattern.source],
  "Retry-After": ["Seconds to wait.", "^[1-9][0-9]*$"],
  "Service-Worker-Allowed": ["The widest scope of the service worker.", "^/$"],
  "Set-Cookie": [
    "Sets or deletes the cookie of the session or of a known browser.",
    "^__Host-gatehouse(-device|-ceremony)?=",
  ],
  "WWW-Authenticate": ["How to log in.", '^(Basic realm="gatehouse", charset="UTF-8", )?Bearer realm="gatehouse"$'],
  "X-Content-Type-Options": ["Browsers do not guess the media type.", "^nosniff$"],
  "X-Request-Id": ["The id of the request in the log.", "^[0-9a-f]{8}-[0-9a-z]+$"],
};

const tooMany = ["too-many-registrations", "too-many-attempts", "too-many-new-passwords"];
/** Header fields that problems have, by name; a problem that ends in "?" does not always have it. */
const problemFields: Readonly<Record<string, readonly string[]>> = {
  "WWW-Authenticate": ["not-authenticated", "wrong-credentials", "wrong-password", "second-factor-required"],
  "Connection": ["slow-body", "body-too-large?"],
  "Accept": ["not-json?"],
  "Accept-Encoding": ["not-json?"],
  "Retry-After": [...tooMany, "overloaded", "store-unavailable", "not-ready"],
};

const fieldCode: Schema = {
  $id: "FieldCode",
  enum: Object.keys(fieldCodes),
  description: Object.entries(fieldCodes).map(([code, meaning]) => `\`${code}\`: ${meaning}`).join("\n\n"),
};
const fieldError = objectSchema({
  pointer: { type: "string", pattern: "^(/[\\s\\S]*)?$", description: "A JSON pointer, or / and a query parameter." },
  code: { $ref: fieldCode, description: "Stable, for programs." },
  detail: { type: "string", description: "For people." },
}, {
  limit: { type: "integer", minimum: 1, description: "With `too-short` and `too-long`: in the unit of `detail`." },
  reason: { enum: Object.keys(weaknessTexts), description: "With `guessable`. Stable, for programs." },
});

const members = {
  type: { type: "string", pattern: "^/problem/", description: "`/problem/` and a stable code." },
  title: { type: "string", description: "The same for every occurrence." },
  status: { type: "integer", minimum: 400, maximum: 599 },
};
const detail = { detail: { type: "string", description: "What happened in this case, for people." } };
const errors = { type: "array", minItems: 1, maxItems: maxErrors, items: fieldError };
const needs = { type: "array", items: { type: "string" }, description: "With `login-again`: factors; one suffices." };
const problem: Schema = { $id: "Problem", ...objectSchema(members, { ...detail, needs }) };
const fieldProblem: Schema = { $id: "FieldProblem", ...objectSchema({ ...members, errors }, detail) };

export interface DocumentedResponse {
  readonly description: string;
  readonly headers: Readonly<Record<string, DocumentedHeader>>;
  /** By media type. */
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

/** A header field of one response. */
export interface DocumentedHeader {
  readonly description: string;
  /** Whether every response of the status has it. */
  readonly required: boolean;
  readonly schema: Schema;
}

/** Describes a response. @throws {TypeError} a header field is not in the table */
export function documentResponse(response: OperationResponse): DocumentedResponse {
  const { description = "Success.", schema, headers = [], cacheControl = "no-store" } = response;
  const { types = schema === undefined ? [] : ["application/json"] } = response;
  const fields = [...headers, "X-Request-Id", "X-Content-Type-Options"].map((mark): [string, DocumentedHeader] => {
    const name = mark.replace("?", "");
    const row = headerFields[name];
    if (row === undefined) throw new TypeError(`Cannot describe header ${name}: it is not in the table`);
    return [name, { description: row[0], required: mark === name, schema: { type: "string", pattern: row[1] } }];
  });
  const caching = { description: "Whether caches may store it.", required: true, schema: { const: cacheControl } };
  const content = types.map((type) => [type, { schema: schema ?? { type: "string" } }]);
  return {
    description,
    headers: { ...Object.fromEntries(fields), ...cacheControl !== "" && { "Cache-Control": caching } },
    ...content.length > 0 && { content: Object.fromEntries(content) },
  };
}

/** The response of each status that these problems have. Equal responses have equal names. */
export function problemResponses(codes: readonly ProblemCode[]) {
  const byStatus = Map.groupBy(new Set(codes), (code) => problems[code].status);
  return Array.from(byStatus, ([status, unsorted]) => {
    const group = unsorted.toSorted();
    // `allOf`, as generators of clients ignore what is next to a reference. `type` tells the problems apart.
    const properties = { type: { enum: group.map((code) => `/problem/${code}`) }, status: { const: status } };
    const narrowed = { type: "object", required: ["type", "status"], properties };
    const response: OperationResponse = {
      description: group.map((code) => `- \`${code}\`: ${problems[code].meaning}`).join("\n"),
      schema: { allOf: [{ $ref: status === 422 ? fieldProblem : problem }, narrowed] },
      types: ["application/problem+json"],
      headers: headersOf(group),
    };
    return { status, name: group.join("."), response: documentResponse(response) };
  });
}

/** A response always has a header field only if each of its problems always has it. */
function headersOf(codes: readonly ProblemCode[]): string[] {
  return Object.entries(problemFields).flatMap(([name, withHeader]) => {
    if (codes.every((code) => withHeader.includes(code))) return [name];
    return codes.some((code) => withHeader.includes(code) || withHeader.includes(`${code}?`)) ? [`${name}?`] : [];
  });
}
