/**
 * The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0) of all operations.
 *
 * A declaration says only what is particular to its operation. What follows from its access, path, query, body and
 * responses is added here: tag, security, parameters, problems, header fields, 304.
 */

import { maxBodyBytes } from "../../lib/http/request_body.ts";
import type { ProblemCode } from "../../lib/http/problem.ts";
import type { Schema } from "../../lib/http/schema.ts";
import type { Access, Operation, OperationResponse } from "../../lib/router.ts";
import { loginSchema } from "../../lib/accounts/request_schemas.ts";
import { frame, tags } from "./frame.ts";
import { type DocumentedResponse, documentResponse, problemResponses } from "./response.ts";

/** Problems that `/docs/` explains once: with a parameter in the path, a body, a store, not at sites, and of all. */
export const sharedProblems = {
  path: ["malformed-path"],
  body: ["malformed-json", "slow-body", "body-too-large", "not-json", "not-ready"],
  store: ["store-closed", "store-full", "store-unavailable"],
  site: ["unknown-site", "only-at-home"],
  any: ["malformed-host", "internal-error"],
} as const satisfies Record<string, readonly ProblemCode[]>;

/** The text of each access, and the alternative ways to authenticate; `{}` needs no authentication. */
const accessRules: Readonly<Record<Access, readonly [text: string, ...security: Readonly<Record<string, never[]>>[]]>> =
  {
    "anyone": ["anyone"],
    "session": ["any session", { bearer: [] }, { cookie: [] }],
    "session or Basic": ["any session, or HTTP Basic", { bearer: [] }, { cookie: [] }, { basic: [] }],
    "user": ["the user", { bearer: [] }, { cookie: [] }],
    "user without second factor": ["the user, who may lack a required second factor", { bearer: [] }, { cookie: [] }],
    "user or admin": ["the user and administrators", { bearer: [] }, { cookie: [] }],
    "user or ticket": ["the user, and anyone with a ticket for a reset", { bearer: [] }, { cookie: [] }, {}],
    "admin": ["administrators", { bearer: [] }, { cookie: [] }],
  };

const loginParameter = { $ref: loginSchema, description: "The login of a user.", examples: ["alice"] };
const etagSchema = { type: "string", description: "The ETag of the version that the client has." };

/** Operations by id. */
export type Operations = Readonly<Record<string, Operation>>;

/** By status; a reference is to one of `components.responses`. */
type DocumentedResponses = Readonly<Record<string, DocumentedResponse | { readonly $ref: string }>>;
export type DocumentedOperation = ReturnType<typeof documentOperation>;
export type OpenApiDocument = ReturnType<typeof openApiDocument>;

/** The document of a service with these settings. */
export function openApiDocument(operations: Operations, settings: { readonly passwordMinLength: number }) {
  const responses: Record<string, DocumentedResponse> = {};
  const paths: Record<string, Record<string, DocumentedOperation>> = {};
  for (const [id, operation] of Object.entries(operations)) {
    const path = operation.path.replaceAll(/:(\w+)\*?/g, "{$1}");
    (paths[path] ??= {})[operation.method.toLowerCase()] = documentOperation(operation, { id, responses });
  }
  const schemas: Record<string, Schema> = {};
  const resolve = createResolver(schemas, settings);
  return {
    ...frame,
    paths: resolve(paths),
    components: { ...frame.components, schemas, responses: resolve(responses) },
  };
}

/** @param options.responses gets those of problems, which operations share */
function documentOperation(
  operation: Operation,
  options: { id: string; responses: Record<string, DocumentedResponse> },
) {
  const { path, summary, description = "", access, body } = operation;
  const [who, ...security] = accessRules[access];
  const failures = problemResponses(problemsOf(operation)).map(({ status, name, response }) => {
    options.responses[name] = response;
    return [status, { $ref: `#/components/responses/${name}` }];
  });
  const responses: DocumentedResponses = { ...successesOf(operation), ...Object.fromEntries(failures) };
  return {
    operationId: options.id,
    tags: tags.filter(({ segments }) => segments.includes(path.split("/")[1] ?? "")).map(({ name }) => name),
    summary,
    description: `Access: ${who}.\n\n${description}`.trimEnd(),
    security,
    parameters: parametersOf(operation),
    ...body && {
      requestBody: {
        required: true,
        description: `JSON in UTF-8, at most ${maxBodyBytes / 1_024} KiB. Unknown members are rejected.`,
        content: { "application/json": { schema: body.schema, examples: body.examples } },
      },
    },
    responses,
  };
}

/** The problems that an operation can respond with. */
function problemsOf({ method, path, access, body, problems = [], isStatic, isOnSites }: Operation): ProblemCode[] {
  const authentication: ProblemCode[] = access === "anyone" ? [] : ["not-authenticated"];
  if (!["anyone", "session", "user without second factor"].includes(access)) {
    authentication.push("second-factor-required");
  }
  if (authentication.length > 0 && method !== "GET") authentication.push("cross-origin");
  if (/user|admin/.test(access)) authentication.push("forbidden");
  return [
    ...authentication,
    ...problems,
    ...path.includes("/:") ? sharedProblems.path : [],
    ...body === undefined ? [] : [...sharedProblems.body, body.code],
    ...isStatic ? [] : sharedProblems.store,
    ...isOnSites ? [] : sharedProblems.site,
    ...sharedProblems.any,
  ];
}

/** `If-None-Match` goes with an ETag, and `If-Match` with `precondition-failed`. */
function parametersOf(operation: Operation) {
  const { path, parameters = {}, query, problems } = operation;
  const all = {
    ...path.includes("/:login") && { login: loginParameter },
    ...parameters,
    ...query?.schemas,
    ...isConditional(operation) && { "If-None-Match": etagSchema },
    ...problems?.includes("precondition-failed") && { "If-Match": etagSchema },
  };
  return Object.entries<Schema>(all).map(([name, { description, examples, ...schema }]) => {
    const place = path.includes(`/:${name}`) ? "path" : query?.schemas[name] === undefined ? "header" : "query";
    const example = Array.isArray(examples) ? { example: examples[0] } : {};
    return { name, in: place, required: place === "path", description: String(description), schema, ...example };
  });
}

function successesOf(operation: Operation): DocumentedResponses {
  const { query, responses } = operation;
  const all: Record<string, OperationResponse> = { ...responses };
  if (isConditional(operation)) {
    all[200] = { cacheControl: "no-cache", ...responses[200] };
    all[304] = { ...all[200], description: "The client has this version.", headers: ["ETag"], types: [] };
  }
  const isPage = query?.schemas["after"] !== undefined;
  return Object.fromEntries(
    Object.entries(all).map(([status, response]) => {
      const headers = [...response.headers ?? [], ...isPage ? ["Link?"] : []];
      return [status, documentResponse({ ...response, headers })];
    }),
  );
}

/** Whether it responds 304 to a client that has the current version. */
function isConditional({ method, responses }: Operation): boolean {
  return method === "GET" && responses[200]?.headers?.includes("ETag") === true;
}

/** Replaces settings by their values, and each schema with `$id` by a reference to the component of that name. */
function createResolver(schemas: Record<string, Schema>, settings: unknown) {
  function resolve(value: unknown): unknown {
    if (typeof value === "function") return value(settings);
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value;
    const { $id, $ref, ...keywords }: Schema = { ...value };
    const resolved = {
      ...typeof $ref === "string" ? { $ref } : resolve($ref) ?? {},
      ...Object.fromEntries(Object.entries(keywords).map(([keyword, one]) => [keyword, resolve(one)])),
    };
    if (typeof $id !== "string") return resolved;
    schemas[$id] = resolved;
    return { $ref: `#/components/schemas/${$id}` };
  }
  return <T>(value: T) => resolve(value) as T;
}
