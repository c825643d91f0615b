/** Problems (RFC 9457) as responses of the OpenAPI document: those of one status are one response. */

import { maxErrors } from "../../lib/http/http_error.ts";
import { type ProblemCode, problems } from "../../lib/http/problem.ts";
import { objectSchema, type Schema } from "../../lib/http/schema.ts";
import { weaknessTexts } from "../../lib/accounts/user.ts";
import { describeHeaders } from "./headers.ts";

const tooMany = ["too-many-registrations", "too-many-attempts", "too-many-new-passwords"];

/** Header fields that problems have, by name; a problem that ends in "?" does not always have it. */
const problemHeaders: Readonly<Record<string, readonly string[]>> = {
  "WWW-Authenticate": ["not-authenticated", "wrong-credentials", "wrong-password"],
  "Connection": ["slow-body", "body-too-large?"],
  "Accept": ["not-json?"],
  "Accept-Encoding": ["not-json?"],
  "Retry-After": [...tooMany, "overloaded", "store-unavailable"],
};

const fieldError = objectSchema({
  pointer: { type: "string", pattern: "^(/[\\s\\S]*)?$", description: "A JSON pointer, or / and a query parameter." },
  code: { type: "string", pattern: "^[a-z]+(-[a-z]+)*$", description: "Stable, for programs." },
  detail: { type: "string", description: "For people." },
}, {
  limit: { type: "integer", minimum: 1, description: "With `too-short` and `too-long`: in the unit of `detail`." },
  reason: { enum: Object.keys(weaknessTexts), description: "With `guessable`. Stable, for programs." },
});

const problemSchema = schemaOfProblem("Problem", {});
const fieldProblemSchema = schemaOfProblem("FieldProblem", {
  errors: { type: "array", minItems: 1, maxItems: maxErrors, items: fieldError },
});

/** The responses of these problems, by status. Equal responses have equal names. */
export function problemResponses(codes: readonly ProblemCode[]) {
  const byStatus = Map.groupBy(new Set(codes), (code) => problems[code].status);
  return Array.from(byStatus, ([status, unsorted]) => {
    const group = unsorted.toSorted();
    return { status, name: group.join("."), response: problemResponse(status, group) };
  });
}

function problemResponse(status: number, codes: readonly ProblemCode[]) {
  // By these two properties the contract test tells which of the problems a response is.
  const properties = { type: { enum: codes.map((code) => `/problem/${code}`) }, status: { const: status } };
  const $ref = status === 422 ? fieldProblemSchema : problemSchema;
  return {
    description: codes.map((code) => `- \`${code}\`: ${problems[code].meaning}`).join("\n"),
    headers: describeHeaders(["Content-Security-Policy?", ...headersOf(codes)], "no-store"),
    content: {
      "application/problem+json": { schema: { $ref, type: "object", properties } },
      // For browsers that navigate.
      "text/html": { schema: { type: "string" } },
    },
  };
}

/** A response always has a header field only if each of its problems always has it. */
function headersOf(codes: readonly ProblemCode[]): string[] {
  return Object.entries(problemHeaders).flatMap(([name, withHeader]) => {
    if (codes.every((code) => withHeader.includes(code))) return [name];
    return codes.some((code) => withHeader.includes(code) || withHeader.includes(`${code}?`)) ? [`${name}?`] : [];
  });
}

function schemaOfProblem($id: string, more: Readonly<Record<string, Schema>>): Schema {
  const type = { type: "string", pattern: "^/problem/", description: "`/problem/` and a stable code." };
  const title = { type: "string", description: "The same for every occurrence." };
  const status = { type: "integer", minimum: 400, maximum: 599 };
  const detail = { type: "string", description: "What happened in this case, for people." };
  return { $id, ...objectSchema({ type, title, status, ...more }, { detail }) };
}
