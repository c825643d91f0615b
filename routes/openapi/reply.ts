/**
 * Replies as OpenAPI has them: the headers that they can have, and problems of one status as one reply.
 *
 * Status, title and meaning of a problem are those of `lib/http/problem.ts`. Problems of the same codes are the same reply,
 * which is named after them.
 */

import { STATUS_CODE } from "@std/http/status";
import { weaknessTexts } from "../../lib/passwords/weakness.ts";
import { maxErrors } from "../../lib/http/http.ts";
import type { DocumentedHeader, DocumentedReply, Schema } from "./document.ts";
import { type ProblemCode, problems } from "../../lib/http/problem.ts";
import { loginPattern } from "../../lib/accounts/user.ts";

/** Headers that only some replies have. */
const headers = {
  "Accept": { description: "The type that the body must have.", schema: { const: "application/json" } },
  "Accept-Encoding": { description: "No coding of the body is understood.", schema: { const: "identity" } },
  "Clear-Site-Data": {
    description: "A browser forgets the pages that it keeps, which the session let in to.",
    schema: { const: '"cache"' },
  },
  "Connection": { description: "The rest of the body is not read.", schema: { const: "close" } },
  "Content-Security-Policy": { description: "Nothing is loaded, run or framed.", schema: { type: "string" } },
  "ETag": {
    description: "The entity tag of what the body shows, for If-Match and If-None-Match.",
    schema: { type: "string", pattern: '^(W/)?"[^"]+"$' },
  },
  "Link": {
    description: "The next page, as RFC 8288 has it; missing on the last.",
    schema: { type: "string", pattern: '^<\\?[^>]+>; rel="next"$' },
  },
  "Location": {
    description: "The path of what was made, relative to that of the request, or where to go.",
    schema: { type: "string", pattern: "^\\.?/" },
  },
  "Permissions-Policy": { description: "What of a device is never asked for.", schema: { type: "string" } },
  "Referrer-Policy": { description: "Links tell nobody where they were.", schema: { const: "no-referrer" } },
  "Remote-Groups": {
    description: "`users`, and the groups of the user, with commas between.",
    schema: { type: "string", pattern: "^users(,[a-z0-9._-]{1,32})*$" },
  },
  "Remote-Id": { description: "The id of the user.", schema: { type: "string", pattern: "^[0-9A-HJKMNP-TV-Z]{26}$" } },
  "Remote-User": { description: "The login of the user.", schema: { type: "string", pattern: loginPattern.source } },
  "Retry-After": {
    description: "Seconds after which to come again.",
    schema: { type: "string", pattern: "^[1-9][0-9]*$" },
  },
  "Set-Cookie": {
    description:
      "Gives a browser the session, or marks it as one that its owner has logged in from, or takes either away.",
    schema: { type: "string", pattern: "^__Host-gatehouse(-device)?=" },
  },
  "WWW-Authenticate": {
    description: "How to authenticate.",
    schema: { type: "string", pattern: '^(Basic realm="gatehouse", charset="UTF-8", )?Bearer realm="gatehouse"$' },
  },
} as const satisfies Record<string, Omit<DocumentedHeader, "required">>;

export type HeaderName = keyof typeof headers;
type Headers = Readonly<Partial<Record<HeaderName, "always" | "sometimes">>>;

/** What problems bring with them. */
const problemHeaders: Readonly<Partial<Record<ProblemCode, Headers>>> = {
  "not-authenticated": { "WWW-Authenticate": "always" },
  "wrong-credentials": { "WWW-Authenticate": "always" },
  "wrong-password": { "WWW-Authenticate": "always" },
  "slow-body": { Connection: "always" },
  "body-too-large": { Connection: "sometimes" },
  "not-json": { Accept: "sometimes", "Accept-Encoding": "sometimes" },
  "too-many-registrations": { "Retry-After": "always" },
  "too-many-attempts": { "Retry-After": "always" },
  "too-many-new-passwords": { "Retry-After": "always" },
  "overloaded": { "Retry-After": "always" },
  "store-unavailable": { "Retry-After": "always" },
};

/** What every reply has. */
const everyReply: Readonly<Record<string, DocumentedHeader>> = {
  "X-Request-Id": {
    description: "Names the request, in the log of the service too.",
    required: true,
    schema: { type: "string", pattern: "^[0-9a-f]{8}-[0-9a-z]+$" },
  },
  "X-Content-Type-Options": {
    description: "The type of the body is what Content-Type says.",
    required: true,
    schema: { const: "nosniff" },
  },
};

/** The headers of a reply. @param cacheControl "" is no such header */
export function headersOf(own: Headers, cacheControl: string): Record<string, DocumentedHeader> {
  const cache = { description: "Whether and how it may be stored.", required: true, schema: { const: cacheControl } };
  return { ...ownHeaders(own), ...cacheControl !== "" && { "Cache-Control": cache }, ...everyReply };
}

function ownHeaders(own: Headers): Record<string, DocumentedHeader> {
  const named = Object.entries(own).map(([name, when]): [string, DocumentedHeader] => {
    return [name, { ...headers[name as HeaderName], required: when === "always" }];
  });
  return Object.fromEntries(named);
}

/** The schema of any problem, and of one that lists bad fields. */
export const problemSchemas: Readonly<Record<"Problem" | "FieldProblem", Schema>> = {
  Problem: problemSchema("What went wrong, as RFC 9457 has it.", {}),
  FieldProblem: problemSchema("What went wrong, and which fields are bad.", {
    errors: {
      type: "array",
      minItems: 1,
      maxItems: maxErrors,
      items: {
        type: "object",
        required: ["pointer", "code", "detail"],
        additionalProperties: false,
        properties: {
          pointer: {
            type: "string",
            pattern: "^(/[\\s\\S]*)?$",
            description: "To the field: a JSON pointer (RFC 6901), or / and the name of a query parameter.",
          },
          code: { type: "string", pattern: "^[a-z]+(-[a-z]+)*$", description: "Stable, for programs." },
          detail: { type: "string", description: "For people." },
          limit: {
            type: "integer",
            minimum: 1,
            description:
              "What the value goes beyond, with `too-short` and `too-long`: characters, or bytes where `detail` " +
              "says so.",
          },
          reason: { enum: Object.keys(weaknessTexts), description: "Why, with `guessable`. Stable, for programs." },
        },
      },
    },
  }),
};

/** The replies of all problems, by status. */
export function problemReplies(
  codes: readonly ProblemCode[],
): Record<string, { readonly name: string; readonly reply: DocumentedReply }> {
  const byStatus = Map.groupBy(new Set(codes), (code) => problems[code].status);
  return Object.fromEntries(
    Array.from(byStatus, ([status, group]) => {
      const sorted = group.toSorted();
      return [status, { name: sorted.join("."), reply: problemResponse(status, sorted) }];
    }),
  );
}

function problemResponse(status: number, codes: readonly ProblemCode[]): DocumentedReply {
  const isOne = codes.length === 1;
  const description = codes.map((code) => isOne ? problems[code].meaning : `- \`${code}\`: ${problems[code].meaning}`);
  const $ref = `#/components/schemas/${status === STATUS_CODE.UnprocessableEntity ? "FieldProblem" : "Problem"}`;
  // Two for what each code has a text of its own: by them a reply is seen to be one that is documented here.
  const properties = { type: { enum: codes.map((code) => `/problem/${code}`) }, status: { const: status } };
  const examples = codes.map((code) => [code, {
    summary: problems[code].title,
    description: problems[code].meaning,
    value: exampleOf(code),
  }]);
  return {
    description: description.join("\n"),
    headers: headersOf({ "Content-Security-Policy": "sometimes", ...mergedHeaders(codes) }, "no-store"),
    content: {
      "application/problem+json": {
        schema: { $ref, type: "object", properties },
        examples: Object.fromEntries(examples),
      },
      // For a person whose browser navigates.
      "text/html": { schema: { type: "string" }, examples: {} },
    },
  };
}

/** A header is there always only if every problem brings it always. */
function mergedHeaders(codes: readonly ProblemCode[]): Headers {
  const all = codes.map((code) => problemHeaders[code] ?? {});
  const names = new Set(all.flatMap((one) => Object.keys(one) as HeaderName[]));
  return Object.fromEntries(
    Array.from(names, (name) => [name, all.every((one) => one[name] === "always") ? "always" : "sometimes"]),
  );
}

function problemSchema(description: string, more: Readonly<Record<string, Schema>>): Schema {
  return {
    description,
    type: "object",
    required: ["type", "title", "status", ...Object.keys(more)],
    additionalProperties: false,
    properties: {
      type: { type: "string", pattern: "^/problem/", description: "`/problem/` and a code, which is stable." },
      title: { type: "string", description: "The same for every occurrence." },
      status: { type: "integer", minimum: 400, maximum: 599 },
      detail: { type: "string", description: "What happened in this very case, for people." },
      ...more,
    },
  };
}

function exampleOf(code: ProblemCode): Schema {
  const { status, title } = problems[code];
  const problem = { type: `/problem/${code}`, title, status };
  if (status !== STATUS_CODE.UnprocessableEntity) return problem;
  return { ...problem, errors: [exampleErrors[code] ?? exampleErrors["invalid-user"]] };
}

const exampleErrors: Readonly<Partial<Record<ProblemCode, Schema>>> = {
  "invalid-user": {
    pointer: "/password",
    code: "too-short",
    limit: 15,
    detail: "It must have at least 15 characters and has 4",
  },
  "invalid-credentials": { pointer: "/password", code: "missing", detail: "It must be there" },
  "invalid-ticket": { pointer: "/purpose", code: "unknown-purpose", detail: "It must be register or reset" },
  "invalid-query": { pointer: "/limit", code: "out-of-range", detail: "It must be a number from 1 to 1000" },
};
