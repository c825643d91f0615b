/**
 * Requests from the OpenAPI document: every operation, with parameters and bodies from their schemas, most of them
 * valid; and requests that the document does not describe.
 *
 * A request is plain data, so that fast-check can cut one that fails down and print it. What only a running service has
 * stands in it by a name, as `~token~`; test/support/fuzz/scene.ts puts in what it is when the request is sent.
 */

// fast-check: see odd.ts.
import fc from "npm:fast-check@4.10.2";
import type { Schema } from "../../../lib/http/schema.ts";
import type { DocumentedOperation, OpenApiDocument } from "../../../routes/openapi/document.ts";
import { type LongHeader, longHeader, withLongHeader } from "./long.ts";
import {
  type Headers,
  oddBody,
  oddHeaders,
  oddHeaderText,
  oddLocation,
  oddMethod,
  oddPath,
  oddQuery,
  oddSpelling,
  oddSpoiling,
  oddText,
  weighted,
} from "./odd.ts";
import type { FuzzRequest } from "./names.ts";

type DocumentedParameter = DocumentedOperation["parameters"][number];

/** What the document's schemas use of JSON Schema. */
interface Keywords {
  readonly $ref?: string;
  /** Alternative members. */
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

type Payload = Pick<FuzzRequest, "json" | "body">;

/** In every good password, so that one is seen wherever it should not be. */
export const passwordMark = "sésame ";
const goodPassword = fc.uuid().map((uuid) => passwordMark + uuid);

/** By the name of a field or parameter: what most handlers go on with. */
const fitting: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "login": fc.constantFrom("~login~", "~login~", "~login~", "~free~"),
  "password": fc.constantFrom("~password~", "~password~", "~password~", "~login~"),
  "current_password": fc.constantFrom("~password~", "~password~", "~login~"),
  "ticket": fc.constantFrom("~ticket~", "~ticket~", "~ticket~", "~register~", "~reset~"),
  "id": fc.constant("~id~"),
  "next": oddLocation,
  "X-Forwarded-Uri": oddLocation,
  "If-Match": fc.constantFrom("~etag~", "*", '"x", ~etag~'),
  "If-None-Match": fc.constantFrom("~etag~", "*", '"x", ~etag~'),
};

const minuteMs = 60_000;
const laterMs = weighted(
  [200, fc.constant(0)],
  // Beyond what counts as a fresh login, and beyond the life of a session.
  [3, fc.constant(11 * minuteMs)],
  [1, fc.constant(8 * 24 * 60 * minuteMs)],
);
/** One more than a client can try of one login. */
/** One more than a client can try of one login. */
const guesses = weighted([150, fc.constant(0)], [1, fc.constant(11)]);
const client = weighted(
  [4, fc.nat(9).map((number) => `192.0.2.${number}`)],
  [1, fc.nat(3).map((number) => `2001:db8:${number}::1`)],
  [3, fc.constant("127.0.0.1")],
);

const caller: fc.Arbitrary<Headers> = weighted<Headers>(
  [12, fc.constantFrom("~admin~", "~admin~", "~token~").map((token) => ({ authorization: `Bearer ${token}` }))],
  [
    3,
    fc.constantFrom("same-origin", "same-origin", "cross-site").map((site) => {
      return { "cookie": "__Host-gatehouse-device=~device~; __Host-gatehouse=~token~", "sec-fetch-site": site };
    }),
  ],
  [
    2,
    fc.constantFrom("Basic ~basic~", "Basic ~wrong~", "basic  ~wrong~", "Bearer ~ended~", "bearer ~other~").map(
      authorization,
    ),
  ],
  [1, oddHeaderText.map((text) => authorization(`Basic ${btoa(text)}`))],
  [
    1,
    fc.tuple(fc.constantFrom("Basic ", "Bearer ", "Digest ", ""), oddHeaderText).map((texts) =>
      authorization(texts.join(""))
    ),
  ],
  [1, oddHeaderText.map((text) => ({ cookie: `__Host-gatehouse=${text}; ${text}` }))],
  [1, fc.constant({})],
);
const navigation = { "sec-fetch-mode": "navigate", "accept": "text/html,*/*;q=0.8" };
const moreHeaders = weighted<Headers>([6, fc.constant({})], [2, fc.constant(navigation)], [4, oddHeaders]);

function authorization(text: string): Headers {
  return { authorization: text };
}

/** Any request to the service that the document is of. */
export function fuzzRequests(document: OpenApiDocument): fc.Arbitrary<FuzzRequest> {
  const requests = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => {
      const arbitrary = requestsOf(operation, { method: method.toUpperCase(), path, document });
      // There is more to find behind a session and a body.
      return { weight: 2 + operation.security.length + (operation.requestBody === undefined ? 0 : 2), arbitrary };
    })
  );
  const anywhere = requestOf(oddMethod, oddPath, fc.constant({}), payloadOf(fc.constant({})));
  return fc.oneof(...requests, anywhere);
}

function requestsOf(
  { parameters, requestBody }: DocumentedOperation,
  at: { method: string; path: string; document: OpenApiDocument },
): fc.Arbitrary<FuzzRequest> {
  const { document } = at;
  const texts = (place: string) =>
    Object.fromEntries(
      parameters.filter((one) => one.in === place).map((one) => [one.name, parameterText(one, document)]),
    );
  const query = fc.record(texts("query"), { requiredKeys: [] })
    .map((all) => new URLSearchParams(Object.entries(all).map(([name, text]) => [name, String(text)])).toString());
  const path = fc.tuple(fc.record(texts("path")), query).map(([params, query]) => {
    // A name must stay one also in a query.
    const filled = at.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name]).toWellFormed()));
    return query === "" ? filled : `${filled}?${query.replaceAll("%7E", "~")}`;
  });
  const spelt = fc.tuple(path, oddSpelling).map(([path, respell]) => respell(path));
  const queried = fc.tuple(path, oddQuery).map((parts) => parts.join(""));
  const schema = requestBody?.content["application/json"]?.schema;
  return requestOf(
    weighted([20, fc.constant(at.method)], [1, oddMethod]),
    weighted([20, path], [1, spelt], [1, queried], [1, oddPath]),
    fc.record(texts("header"), { requiredKeys: [] }),
    schema === undefined
      ? weighted<Payload>([9, fc.constant({})], [1, payloadOf(fc.constant({}))])
      : payloadOf(valueOf(schema, { name: "", document })),
  );
}

function requestOf(
  method: fc.Arbitrary<string>,
  path: fc.Arbitrary<string>,
  conditions: fc.Arbitrary<Partial<Headers>>,
  payload: fc.Arbitrary<Payload>,
): fc.Arbitrary<FuzzRequest> {
  const headers = fc.tuple(caller, conditions, moreHeaders).map((all): Headers => Object.assign({}, ...all));
  const long = weighted<LongHeader | undefined>([40, fc.constant(undefined)], [1, longHeader]);
  return fc.record({ subject: fc.nat(9), method, path, headers, long, payload, client, laterMs, guesses })
    .map(({ payload, long, ...rest }) => ({
      ...rest,
      ...payload,
      headers: withLongHeader(rest.headers, rest.path, long),
    }));
}

function payloadOf(good: fc.Arbitrary<unknown>): fc.Arbitrary<Payload> {
  return weighted<Payload>(
    [7, good.map((json) => ({ json }))],
    [2, fc.tuple(good, oddSpoiling).map(([json, spoil]) => ({ json: spoil(json) }))],
    [1, oddBody(good).map((body) => ({ body }))],
  );
}

/** Header values are bytes, and their names mean more to the service than their schemas say. */
function parameterText(
  { name, schema, in: place, example }: DocumentedParameter,
  document: OpenApiDocument,
): fc.Arbitrary<string> {
  // In percent-encoding a character has up to 12 bytes, and Deno takes 64 KiB for all that stands before the body.
  const any = valueOf(schema, { name, document }).map((value) => String(value).slice(0, 1_000));
  const usual = example ?? schema["default"];
  const isOpen = usual !== undefined && fitting[name] === undefined;
  const good = isOpen ? weighted([2, any], [3, fc.constant(String(usual))]) : any;
  if (place === "header") return good.filter(isHeaderText);
  return weighted([6, good], [1, oddText.map((text) => text.slice(0, 1_000))]);
}

function isHeaderText(text: string): boolean {
  return /^[\x20-\x7e\xa0-\xff]*$/.test(text);
}

/** What a schema takes, or what of the scene fits its name. */
function valueOf(
  schema: Schema,
  { name, document }: { name: string; document: OpenApiDocument },
): fc.Arbitrary<unknown> {
  // Every keyword that the document uses is among them.
  const { $ref, oneOf, enum: choices, const: only, type, ...rest } = schema as Keywords;
  const go = (inner: Schema, innerName = name) => valueOf(inner, { name: innerName, document });
  if ($ref !== undefined) return go(document.components.schemas[$ref.slice($ref.lastIndexOf("/") + 1)] ?? {});
  if (oneOf !== undefined) return fc.oneof(...oneOf.map(({ required }) => go(alternativeOf(schema, required))));
  if (choices !== undefined) return fc.constantFrom(...choices);
  if (only !== undefined) return fc.constant(only);
  if (type === "object") {
    const { properties = {}, required = [] } = rest;
    const fields = Object.entries(properties).map(([field, inner]) => [field, go(inner, field)] as const);
    return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
  }
  if (type === "array") {
    return fc.uniqueArray(go(rest.items ?? {}, "group"), { maxLength: Math.min(rest.maxItems ?? 3, 3) });
  }
  if (type === "boolean") return fc.boolean();
  if (type === "integer") return fc.integer({ min: rest.minimum ?? 0, max: rest.maximum ?? 1_000 });
  return textOf(rest, name);
}

/** The schema with these of its alternative members, and no others of them. */
function alternativeOf(schema: Keywords, chosen: readonly string[]): Schema {
  const { oneOf = [], properties = {}, required = [], ...rest } = schema;
  const others = oneOf.flatMap((one) => one.required).filter((name) => !chosen.includes(name));
  const kept = Object.entries(properties).filter(([name]) => !others.includes(name));
  return { ...rest, properties: Object.fromEntries(kept), required: [...required, ...chosen] };
}

function textOf({ pattern, format, minLength = 0, maxLength = 300 }: Keywords, name: string): fc.Arbitrary<string> {
  if (format === "password" && minLength > 0) {
    return weighted([8, goodPassword], [1, fc.string({ minLength, maxLength: 40 })]);
  }
  const any = pattern === undefined
    ? fc.oneof(fc.string({ minLength, maxLength: Math.min(maxLength, 40) }), oddText)
    : fc.stringMatching(new RegExp(pattern), { maxLength });
  const known = fitting[name];
  if (name === "group") return weighted([2, fc.constantFrom("admin", "staff")], [1, any]);
  return known === undefined ? any : weighted([7, known], [1, any]);
}
