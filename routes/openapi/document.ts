/**
 * The part of OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0) that the service describes itself with.
 *
 * `routes/openapi/operation.ts` makes such a document; the readable reference and the contract test read it.
 */

/** JSON Schema of draft 2020-12. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

export interface Reference {
  readonly $ref: string;
}

export interface Example {
  readonly summary: string;
  readonly description?: string;
  readonly value: unknown;
}

export interface MediaType {
  readonly schema: Schema;
  readonly examples: Readonly<Record<string, Example>>;
}

/** Bodies by their type. */
export type Content = Readonly<Record<string, MediaType>>;

export interface DocumentedParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

export interface DocumentedHeader {
  readonly description: string;
  /** Whether every reply of the status has it. */
  readonly required: boolean;
  readonly schema: Schema;
}

export interface DocumentedReply {
  readonly description: string;
  readonly headers: Readonly<Record<string, DocumentedHeader>>;
  /** None when the reply has no body. */
  readonly content?: Content;
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  /** Any one of them will do; `{}` is nothing at all. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly DocumentedParameter[];
  readonly requestBody?: { readonly required: boolean; readonly description: string; readonly content: Content };
  /** By status; every `Reference` is to one of `components.responses`. */
  readonly responses: Readonly<Record<string, DocumentedReply | Reference>>;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly summary: string;
    readonly description: string;
    readonly license: { readonly name: string; readonly identifier: string };
  };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** By path, as "/user/{login}", and method in lower case. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, DocumentedReply>>;
    readonly securitySchemes: Readonly<Record<string, Schema>>;
  };
}

/** The reply itself, where `reply` may be a reference to it. */
export function resolveReply(reply: DocumentedReply | Reference, document: OpenApiDocument): DocumentedReply {
  if (!("$ref" in reply)) return reply;
  const found = document.components.responses[reply.$ref.slice(reply.$ref.lastIndexOf("/") + 1)];
  if (found === undefined) throw new TypeError(`Cannot resolve ${reply.$ref}: there is no such reply`);
  return found;
}
