/**
 * Operations as one OpenAPI document.
 *
 * An operation says only what is its own. What follows from who may do it, from its having a body or a parameter in the
 * path, or from the service's way of answering is added here, once for all: security, problems, headers of each reply.
 */

import { maxBodyBytes } from "../../lib/http/http.ts";
import type {
  Content,
  DocumentedOperation,
  DocumentedParameter,
  DocumentedReply,
  Example,
  OpenApiDocument,
  Reference,
  Schema,
} from "./document.ts";
import { type HeaderName, headersOf, problemReplies } from "./reply.ts";
import type { ProblemCode } from "../../lib/http/problem.ts";
import type { Route } from "../../lib/router.ts";

/** Who may do something. */
export type Who = "anyone" | "session" | "session or password" | "user or admin" | "user or ticket" | "admin";

export type MediaType =
  | "application/json"
  | "image/png"
  | "image/svg+xml"
  | "text/plain"
  | "text/html"
  | "text/javascript"
  | "text/css";

/** A reply that is no problem. */
export interface Reply {
  readonly description: string;
  /** Of the body; there is none without it. */
  readonly type?: MediaType | readonly MediaType[];
  readonly schema?: Schema;
  readonly examples?: Readonly<Record<string, Example>>;
  readonly headers?: Readonly<Partial<Record<HeaderName, "always" | "sometimes">>>;
  /** By default nobody may store it; "" is no such header at all. */
  readonly cacheControl?: string;
}

/** What can be done at one method and path. */
export interface Operation extends Pick<Route, "method" | "path"> {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly who: Who;
  /** Those of the path, in its order, and others. */
  readonly parameters?: readonly DocumentedParameter[];
  readonly body?: { readonly schema: Schema; readonly examples: Readonly<Record<string, Example>> };
  /** By status. One that problems have too is another form of the same. */
  readonly replies: Readonly<Record<number, Reply>>;
  /** Beside those that follow from all else. */
  readonly problems?: readonly ProblemCode[];
  /** Whether it answers without the store. */
  readonly isStatic?: boolean;
}

/** Problems that need no word at each operation: any that has a parameter in its path, a body, or a store behind it. */
export const sharedProblems: Readonly<Record<"path" | "body" | "store" | "any", readonly ProblemCode[]>> = {
  path: ["malformed-path"],
  body: ["malformed-json", "slow-body", "body-too-large", "not-json", "not-ready"],
  store: ["store-closed", "store-full", "store-unavailable"],
  any: ["malformed-host", "internal-error"],
};

interface CallerRule {
  readonly text: string;
  readonly security: DocumentedOperation["security"];
  readonly problems: readonly ProblemCode[];
}

const session = [{ bearer: [] }, { cookie: [] }];

const callerRules: Readonly<Record<Who, CallerRule>> = {
  "anyone": { text: "anyone", security: [], problems: [] },
  "session": { text: "whoever is logged in", security: session, problems: ["not-authenticated"] },
  "session or password": {
    text: "whoever is logged in, or sends login and password by HTTP Basic",
    security: [...session, { basic: [] }],
    problems: ["not-authenticated"],
  },
  "user or admin": {
    text: "the user, or an administrator",
    security: session,
    problems: ["not-authenticated", "forbidden"],
  },
  "user or ticket": {
    text: "the user, or who has a ticket for a reset",
    security: [...session, {}],
    problems: ["not-authenticated", "forbidden"],
  },
  "admin": { text: "an administrator", security: session, problems: ["not-authenticated", "forbidden"] },
};

/** What of a document is not made from operations. */
export type Frame = Pick<OpenApiDocument, "info" | "tags"> & { readonly components: Omit<Components, "responses"> };
type Components = OpenApiDocument["components"];

/** Makes the document of all operations. */
export function createDocument(operations: readonly Operation[], frame: Frame): OpenApiDocument {
  const responses: Record<string, DocumentedReply> = {};
  const byPath = Map.groupBy(operations, (operation) => operation.path.replaceAll(/:(\w+)\*?/g, "{$1}"));
  const paths = Array.from(byPath, ([path, group]) => {
    return [path, Object.fromEntries(group.map((one) => [one.method.toLowerCase(), documented(one, responses)]))];
  });
  return {
    openapi: "3.1.0",
    info: frame.info,
    // Relative to the document, so that it is right also where a proxy has mounted the service at another path.
    servers: [{ url: ".", description: "Where this document is" }],
    tags: frame.tags,
    paths: Object.fromEntries(paths),
    components: { ...frame.components, responses },
  };
}

/** The problems that an operation can answer with. */
function problemsOf(operation: Operation): ProblemCode[] {
  const { method, path, who, body, problems = [], isStatic = false } = operation;
  const { problems: callerProblems } = callerRules[who];
  return [
    ...callerProblems,
    ...callerProblems.length > 0 && method !== "GET" ? ["cross-origin" as const] : [],
    ...problems,
    ...path.includes("/:") ? sharedProblems.path : [],
    ...body === undefined ? [] : sharedProblems.body,
    ...isStatic ? [] : sharedProblems.store,
    ...sharedProblems.any,
  ];
}

function documented(operation: Operation, responses: Record<string, DocumentedReply>): DocumentedOperation {
  const { id, tag, summary, description = "", who, parameters = [], body, replies } = operation;
  const { text, security } = callerRules[who];
  const successes = Object.entries(replies).map(([status, reply]) => [status, successReply(reply)]);
  const failures = Object.entries(problemReplies(problemsOf(operation))).map(([status, { name, reply }]) => {
    const other = replies[Number(status)];
    if (other !== undefined) return [status, merged(reply, successReply(other))];
    responses[name] = reply;
    return [status, { $ref: `#/components/responses/${name}` } satisfies Reference];
  });
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `Who may: ${text}.${description === "" ? "" : `\n\n${description}`}`,
    security,
    parameters,
    ...body && {
      requestBody: {
        required: true,
        description: `JSON in UTF-8, at most ${maxBodyBytes / 1_024} KiB; other members are refused.`,
        content: { "application/json": body },
      },
    },
    responses: Object.fromEntries([...successes, ...failures]),
  };
}

function successReply(reply: Reply): DocumentedReply {
  const { description, type, schema = {}, examples = {}, headers = {}, cacheControl = "no-store" } = reply;
  const types = type === undefined ? [] : [type].flat();
  const content: Content = Object.fromEntries(types.map((one) => [one, { schema, examples }]));
  return { description, headers: headersOf(headers, cacheControl), ...types.length > 0 && { content } };
}

/** Two forms of one reply. */
function merged(one: DocumentedReply, other: DocumentedReply): DocumentedReply {
  return {
    description: `${one.description}\n\n${other.description}`,
    headers: { ...one.headers, ...other.headers },
    content: { ...one.content, ...other.content },
  };
}
