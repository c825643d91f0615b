/**
 * The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0) of all operations.
 *
 * A declaration says only what is particular to its operation. What follows from its access, path, query, body and
 * responses is added here: id and tag, security, parameters, problems, header fields, 304.
 */

import { maxBodyBytes } from "../../lib/http/request_body.ts";
import type { ProblemCode } from "../../lib/http/problem.ts";
import type { Schema } from "../../lib/http/schema.ts";
import type { Access, Operation, OperationResponse } from "../../lib/operation.ts";
import { loginSchema } from "../../lib/accounts/request_schemas.ts";
import { describeHeaders, type DocumentedHeader } from "./headers.ts";
import { problemResponses } from "./problem_response.ts";

/** Problems that `/docs/` explains once: of operations with a parameter in the path, a body, a store, and of all. */
export const sharedProblems = {
  path: ["malformed-path"],
  body: ["malformed-json", "slow-body", "body-too-large", "not-json", "not-ready"],
  store: ["store-closed", "store-full", "store-unavailable"],
  any: ["malformed-host", "internal-error"],
} as const satisfies Record<string, readonly ProblemCode[]>;

/** Operations by id. */
export type Operations = Readonly<Record<string, Operation>>;

const session = [{ bearer: [] }, { cookie: [] }];

interface AccessRule {
  readonly text: string;
  /** Alternatives; `{}` is none at all. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly problems: readonly ProblemCode[];
}

const accessRules: Readonly<Record<Access, AccessRule>> = {
  "anyone": { text: "anyone", security: [], problems: [] },
  "session": { text: "any session", security: session, problems: ["not-authenticated"] },
  "session or password": {
    text: "any session, or HTTP Basic with login and password",
    security: [...session, { basic: [] }],
    problems: ["not-authenticated"],
  },
  "user or admin": {
    text: "the user and administrators",
    security: session,
    problems: ["not-authenticated", "forbidden"],
  },
  "user or ticket": {
    text: "the user, and the holder of a ticket for a reset",
    security: [...session, {}],
    problems: ["not-authenticated", "forbidden"],
  },
  "admin": { text: "administrators", security: session, problems: ["not-authenticated", "forbidden"] },
};

const loginParameter = { $ref: loginSchema, description: "The login of a user.", examples: ["alice"] };
const etagSchema = { type: "string", description: "The ETag of the version that the client has." };

/** The parts of the document that are not made from operations. */
export interface DocumentFrame {
  readonly info: Readonly<Record<"title" | "version" | "summary" | "description", string>>;
  /** Each with the first segments of its paths. */
  readonly tags: readonly { readonly name: string; readonly description: string; readonly segments: string[] }[];
  readonly securitySchemes: Readonly<Record<string, Schema>>;
}

export interface MediaType {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface DocumentedResponse {
  readonly description: string;
  readonly headers: Readonly<Record<string, DocumentedHeader>>;
  /** By media type. */
  readonly content?: Readonly<Record<string, MediaType>>;
}

export type OpenApiDocument = ReturnType<typeof createDocument>;
export type DocumentedOperation = OpenApiDocument["paths"][string][string];

/** Makes the document. @param settings of the service, for the schemas that depend on them */
export function createDocument(operations: Operations, frame: DocumentFrame, settings: unknown) {
  const { info, tags, securitySchemes } = frame;
  const responses: Record<string, DocumentedResponse> = {};
  const paths: Record<string, Record<string, ReturnType<typeof documentOperation>>> = {};
  for (const [id, operation] of Object.entries(operations)) {
    const path = operation.path.replaceAll(/:(\w+)\*?/g, "{$1}");
    const tag = tags.find(({ segments }) => segments.includes(path.split("/")[1] ?? ""))?.name ?? "";
    (paths[path] ??= {})[operation.method.toLowerCase()] = documentOperation(operation, { id, tag, responses });
  }
  const schemas: Record<string, Schema> = {};
  const resolve = createResolver(schemas, settings);
  return {
    openapi: "3.1.0",
    info: { ...info, license: { name: "MIT", identifier: "MIT" } },
    // Relative to the document, as a proxy may mount the service at another path.
    servers: [{ url: ".", description: "The folder of this document" }],
    tags: tags.map(({ name, description }) => ({ name, description })),
    paths: resolve(paths),
    components: { schemas, responses: resolve(responses), securitySchemes },
  };
}

function documentOperation(
  operation: Operation,
  { id, tag, responses }: { id: string; tag: string; responses: Record<string, DocumentedResponse> },
) {
  const { summary, description = "", access, body } = operation;
  const { text, security } = accessRules[access];
  const failures = problemResponses(problemsOf(operation)).map(({ status, name, response }) => {
    responses[name] = response;
    return [status, { $ref: `#/components/responses/${name}` }];
  });
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `Access: ${text}.\n\n${description}`.trimEnd(),
    security,
    parameters: parametersOf(operation),
    ...body && {
      requestBody: {
        required: true,
        description: `JSON in UTF-8, at most ${maxBodyBytes / 1_024} KiB. Unknown members are rejected.`,
        content: { "application/json": { schema: body.schema, examples: body.examples } },
      },
    },
    responses: { ...successesOf(operation), ...Object.fromEntries(failures) } as DocumentedResponses,
  };
}

/** By status; a reference is to one of `components.responses`. */
type DocumentedResponses = Readonly<Record<string, DocumentedResponse | { readonly $ref: string }>>;

/** The problems that an operation can respond with. */
function problemsOf({ method, path, access, body, problems = [], isStatic }: Operation): ProblemCode[] {
  const accessProblems = accessRules[access].problems;
  return [
    ...accessProblems,
    ...accessProblems.length > 0 && method !== "GET" ? ["cross-origin" as const] : [],
    ...problems,
    ...path.includes("/:") ? sharedProblems.path : [],
    ...body === undefined ? [] : [...sharedProblems.body, body.code],
    ...isStatic ? [] : sharedProblems.store,
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
  const isPage = query?.schemas["after"] !== undefined;
  const entries = Object.entries(responses).map(([status, response]) => {
    const headers = [...response.headers ?? [], ...isPage ? ["Link?"] : []];
    return [status, documentResponse({ ...response, headers })];
  });
  const unchanged = {
    ...responses[200],
    description: "The client has this version.",
    headers: ["ETag"],
    types: [],
  };
  return { ...Object.fromEntries(entries), ...isConditional(operation) && { 304: documentResponse(unchanged) } };
}

function documentResponse(response: OperationResponse): DocumentedResponse {
  const { description, schema, headers = [], cacheControl = "no-store" } = response;
  const { types = schema === undefined ? [] : ["application/json"] } = response;
  const content = Object.fromEntries(types.map((one) => [one, { schema: schema ?? { type: "string" } }]));
  return { description, headers: describeHeaders(headers, cacheControl), ...types.length > 0 && { content } };
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
