/**
 * Checks exchanges against the OpenAPI document: status, header fields, media type and body of the response; and that
 * the document and the service accept the same bodies of requests.
 *
 * `send` of test/support/app.ts checks every exchange of every test.
 */
import { assert, assertEquals } from "@std/assert";
// ajv: the JSON Schema validator that most readers of the document will use, and strict about what the schemas say.
import { Ajv2020, type ValidateFunction } from "npm:ajv@8.20.0/dist/2020.js";
import type { Config } from "../../lib/config/config.ts";
import type { Schema } from "../../lib/http/schema.ts";
import { operations } from "../../routes/mod.ts";
import type { DocumentedOperation, OpenApiDocument } from "../../routes/openapi/document.ts";
import { openApiDocument } from "../../routes/openapi/document.ts";
import type { DocumentedResponse } from "../../routes/openapi/response.ts";

/** The checked parts of a request. */
export interface CheckedRequest {
  readonly method: string;
  /** With the query, if there is one. */
  readonly path: string;
  /** The body, when it was sent as JSON. */
  readonly json?: unknown;
}

export interface CheckedReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** @throws {AssertionError} the exchange does not match the document */
export type Contract = (request: CheckedRequest, reply: CheckedReply) => void;

/** Returns why a value does not match a schema, if so. */
type Validator = (schema: Schema, value: unknown) => string | undefined;

/** An exchange, and how to check it. */
interface Exchange {
  readonly request: CheckedRequest;
  readonly reply: CheckedReply;
  /** For messages. */
  readonly what: string;
  readonly faultOf: Validator;
}

/** Codes of errors that JSON Schema cannot express. */
const beyondSchemas = ["guessable", "unchanged", "not-unicode", "too-many-marks", "invalid-passkey"];
/** Fields of HTTP itself, of `content` in the document, and those of CORS, which the document names once. */
const generalHeaders = [
  ...["content-length", "content-type", "vary"],
  ...["access-control-allow-origin", "access-control-expose-headers"],
];

const pagePolicy = {
  description: "",
  required: true,
  schema: { type: "string", pattern: "^default-src 'none'; style-src" },
};
const pageContent = { "text/html": { schema: { type: "string", pattern: "<!DOCTYPE html>" } } };

/** The formats of the document. ajv has none, and `ajv-formats` accepts more dates than the contract. */
const formats = {
  "date-time": (text: string) => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text,
  // For forms.
  "password": true,
} as const;

const contracts = new Map<number, Contract>();

/** The contract of a service with these settings. */
export function contractOf({ passwordMinLength }: Pick<Config, "passwordMinLength">): Contract {
  const contract = contracts.get(passwordMinLength) ??
    createContract(openApiDocument(operations, { passwordMinLength }));
  contracts.set(passwordMinLength, contract);
  return contract;
}

/** The contract of a document. It compiles schemas on first use. */
export function createContract(document: OpenApiDocument): Contract {
  const faultOf = createValidator(document);
  const templates = Object.keys(document.paths);

  return (request, reply) => {
    const path = request.path.replace(/[?#].*/s, "");
    // As in the router: a path without parameters comes first.
    const template = templates.find((one) => one === path) ?? templates.find((one) => patternOf(one).test(path));
    const exchange = { request, reply, what: `${request.method} ${path} ${reply.status}`, faultOf };
    if (template === undefined) return checkNowhere(exchange);
    const operations = document.paths[template] ?? {};
    // Methods are case-sensitive (RFC 9110, 9.1): "patch" is another than "PATCH", which the document has as "patch".
    const isKnown = request.method === request.method.toUpperCase();
    const operation = isKnown
      ? operations[request.method === "HEAD" ? "get" : request.method.toLowerCase()]
      : undefined;
    if (operation === undefined) return checkOtherMethod(exchange, Object.keys(operations));
    const documented = operation.responses[reply.status];
    assert(documented !== undefined, `${exchange.what}: the document has no such status`);
    checkReply(resolveResponse(documented, document), exchange);
    checkRequest(operation, exchange);
  };
}

/** A path that the document does not have. */
function checkNowhere({ request, reply, what }: Exchange): void {
  assert([308, 400, 404].includes(reply.status), `${what}: the document has no such path`);
  // With a slash added, the path may match one with a malformed parameter.
  if (reply.status === 400) checkMalformed(request, reply, what);
  if (reply.status === 308) assert(reply.headers.has("location"), `${what}: no Location`);
  if (reply.status === 404) {
    assert(/^$|"\/problem\/not-found"|<small>404 not-found/.test(reply.text), `${what}: ${reply.text}`);
  }
}

/** A method that the document does not have at this path. */
function checkOtherMethod({ request, reply, what }: Exchange, methods: readonly string[]): void {
  // A malformed parameter comes first.
  if (reply.status === 400) return checkMalformed(request, reply, what);
  assertEquals(reply.status, request.method === "OPTIONS" ? 204 : 405, `${what}: the document has no such method`);
  const allowed = [...methods, ...methods.includes("get") ? ["head"] : [], "options"].sort().join(", ").toUpperCase();
  assertEquals(reply.headers.get("allow"), allowed, what);
}

function checkMalformed({ method }: Exchange["request"], { text }: Exchange["reply"], what: string): void {
  const expected = method === "HEAD" ? /^$/ : /("\/problem\/|<small>400 )malformed-(path|host)/;
  assert(expected.test(text), `${what}: ${text}`);
}

function checkReply(documented: DocumentedResponse, { request, reply, what, faultOf }: Exchange): void {
  const { headers, content = {} } = isErrorPage(reply) ? asPage(documented) : documented;
  for (const [name, { required, schema }] of Object.entries(headers)) {
    const value = reply.headers.get(name);
    assert(value !== null || !required, `${what}: no ${name}`);
    const fault = value === null ? undefined : faultOf(schema, value);
    assert(fault === undefined, `${what}: ${name} is ${value}: ${fault}`);
  }
  const known = [...generalHeaders, ...Object.keys(headers).map((name) => name.toLowerCase())];
  assertEquals([...reply.headers.keys()].filter((name) => !known.includes(name)), [], `${what}: undocumented headers`);
  const type = reply.headers.get("content-type")?.replace(/;.*/s, "");
  const types = Object.keys(content);
  const isKnown = type === undefined ? types.length === 0 : types.includes(type);
  assert(isKnown, `${what}: type of the body is ${type}, and in the document ${types}`);
  if (request.method === "HEAD") return assertEquals(reply.text, "", what);
  const schema = content[type ?? ""]?.schema;
  if (schema === undefined) return assertEquals(reply.text, "", what);
  const fault = faultOf(schema, type?.endsWith("json") ? JSON.parse(reply.text) : reply.text);
  assert(fault === undefined, `${what}: ${fault}: ${reply.text}`);
}

/** A browser that navigates gets a page in place of each problem, which the document says once. */
function isErrorPage({ status, headers }: CheckedReply): boolean {
  return status >= 400 && headers.get("content-type")?.startsWith("text/html") === true;
}

function asPage({ description, headers }: DocumentedResponse): DocumentedResponse {
  return { description, headers: { ...headers, "Content-Security-Policy": pagePolicy }, content: pageContent };
}

/** The document accepts the bodies that the service accepts, and no others, as far as a schema can express it. */
function checkRequest({ requestBody }: DocumentedOperation, { request, reply, what, faultOf }: Exchange): void {
  const schema = requestBody?.content["application/json"]?.schema;
  if (schema === undefined || request.json === undefined) return;
  const fault = faultOf(schema, JSON.parse(JSON.stringify(request.json)));
  if (reply.status < 300) assert(fault === undefined, `${what}: the document refuses the request: ${fault}`);
  if (reply.status !== 422 || fault !== undefined) return;
  const { errors } = JSON.parse(reply.text);
  const reasons: { pointer: string; code: string }[] = errors;
  for (const { pointer, code } of reasons) {
    // Schemas count neither the bytes nor the code points of NFC.
    const isLength = pointer === "/password" && code.startsWith("too-");
    assert(isLength || beyondSchemas.includes(code), `${what}: the document takes the request: ${pointer} ${code}`);
  }
}

function createValidator(document: OpenApiDocument): Validator {
  const ajv = new Ajv2020({ allErrors: true, formats });
  const definitions = { $defs: document.components.schemas };
  const compiled = new Map<Schema, ValidateFunction>();

  function compile(schema: Schema): ValidateFunction {
    // The references of the document are to its own components, those of a schema that stands alone to its own $defs.
    const text = JSON.stringify({ ...schema, ...definitions }).replaceAll("#/components/schemas/", "#/$defs/");
    const validate = ajv.compile(JSON.parse(text));
    compiled.set(schema, validate);
    return validate;
  }

  return (schema, value) => {
    const validate = compiled.get(schema) ?? compile(schema);
    return validate(value) ? undefined : ajv.errorsText(validate.errors);
  };
}

function patternOf(template: string): RegExp {
  // OpenAPI has no parameter of several segments.
  if (template === "/guard/{demands}") return /^\/guard\//;
  return new RegExp(`^${RegExp.escape(template).replaceAll(/\\\{\w+\\\}/g, "[^/]+")}$`);
}

/** The response itself, where `response` may be a reference to it. */
export function resolveResponse(
  response: DocumentedResponse | { readonly $ref: string },
  { components }: OpenApiDocument,
): DocumentedResponse {
  if (!("$ref" in response)) return response;
  const found = components.responses[response.$ref.slice(response.$ref.lastIndexOf("/") + 1)];
  assert(found !== undefined, `Cannot resolve ${response.$ref}: there is no such response`);
  return found;
}
