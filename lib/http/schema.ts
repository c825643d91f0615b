/**
 * JSON bodies, each declared once: a declaration holds the JSON Schema that clients read and the parser that the
 * service runs, so the two cannot differ. `query.ts` has the same for query parameters.
 *
 * Input is accepted or rejected as a whole, never corrected, and one error lists every bad field.
 */

import { type FieldError, HttpError, maxErrors } from "./http_error.ts";
import type { FieldCode, ProblemCode } from "./problem.ts";

/** Unknown fields that one response lists. Of `maxErrors` this leaves four for the known fields. */
const maxUnknownFields = maxErrors - 4;

/**
 * JSON Schema, draft 2020-12, with three additions that the OpenAPI document resolves: a schema with `$id` is a
 * component of that name, `$ref` may hold the schema itself, and a value may be a function of the settings.
 */
export interface Schema {
  readonly [keyword: string]: unknown;
}

/** A ULID. */
export const idPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;
export const idSchema: Schema = { type: "string", pattern: idPattern.source };
export const dateSchema: Schema = { type: "string", format: "date-time" };

/** Adds an error of the field that is being parsed. */
export type Report = (error: Omit<FieldError, "pointer">) => undefined;

/** A member of a body, or a query parameter. */
export interface Field<T> {
  readonly schema: Schema;
  /** Returns the value, and reports what is wrong with it. `undefined` is an absent field. */
  readonly parse: (value: unknown, report: Report) => T | undefined;
}

/** What a client has sent, by name. */
export type Members = Readonly<Record<string, unknown>>;
/** By name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;
type NoFields = Readonly<Record<never, never>>;
/** The values of fields. */
export type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** A body of JSON: an object with the declared members and no others. */
export interface JsonBody<T, Rules = void> {
  readonly schema: Schema;
  /** The problem of a body that does not match. */
  readonly code: ProblemCode;
  /** Bodies that match, by what each is for. */
  readonly examples: Readonly<Record<string, { readonly value: unknown }>>;
  /** @throws {HttpError} `code`, with every bad field */
  parse(body: unknown, rules: Rules): T;
}

interface JsonBodyOptions<R extends Fields, O extends Fields, Rules>
  extends Pick<JsonBody<unknown>, "code">, Partial<Pick<JsonBody<unknown>, "examples">> {
  /** In the OpenAPI document. */
  readonly name: string;
  readonly required?: R;
  /** If absent, they are absent in the value. */
  readonly optional?: O;
  /** Names of optional members: a body has exactly one of them. */
  readonly exactlyOne?: readonly string[];
  /** For the schema: the rules across members that `check` enforces. */
  readonly keywords?: Schema;
  /** Finds errors across members. Values of bad members may be missing. */
  readonly check?: (
    values: Partial<Values<R> & Values<O>>,
    options: { readonly body: Members; readonly rules: Rules },
  ) => readonly FieldError[];
}

/** Text. Lone surrogates are rejected: UTF-8 cannot carry them, so all of them would hash alike. */
export const text: Field<string> = {
  schema: { type: "string" },
  parse(value, report) {
    if (value === undefined) return report({ code: "missing", detail: "Required." });
    if (typeof value !== "string") return report({ code: "not-text", detail: "Must be text." });
    return value.isWellFormed() ? value : report({ code: "not-unicode", detail: "Must be valid Unicode." });
  },
};

/** True or false. */
export const flag: Field<boolean> = {
  schema: { type: "boolean" },
  parse(value, report) {
    return typeof value === "boolean" ? value : report({ code: "not-boolean", detail: "Must be true or false." });
  },
};

/** Text that matches a pattern. @param options the error of other text, and more keywords of the schema */
export function textOf(
  pattern: RegExp,
  { code, detail, ...keywords }: { readonly code: FieldCode; readonly detail: string; readonly description?: string },
): Field<string> {
  return {
    schema: { type: "string", pattern: pattern.source, ...keywords },
    parse(value, report) {
      const result = text.parse(value, report);
      return result === undefined || pattern.test(result) ? result : report({ code, detail });
    },
  };
}

/** Declares a body of JSON. */
export function jsonBody<R extends Fields = NoFields, O extends Fields = NoFields, Rules = void>(
  options: JsonBodyOptions<R, O, Rules>,
): JsonBody<Values<R> & Partial<Values<O>>, Rules> {
  const { name, code, required = {}, optional = {}, exactlyOne = [], check, examples = {} } = options;
  const fields: Fields = { ...required, ...optional };
  const oneOf = exactlyOne.map((name) => ({ required: [name] }));
  const keywords = { ...oneOf.length > 0 && { oneOf }, ...options.keywords };
  return {
    code,
    examples,
    schema: { $id: name, ...objectSchema(schemasOf(required), schemasOf(optional)), ...keywords },
    parse(body, rules) {
      if (typeof body !== "object" || body === null || Array.isArray(body)) {
        const errors: FieldError[] = [{ pointer: "", code: "not-object", detail: "The body must be an object." }];
        throw new HttpError(code, { errors });
      }
      const members: Members = { ...body };
      const errors = unknownFieldErrors(members, Object.keys(fields));
      const parsed = Object.entries(fields).filter(([name]) => name in required || members[name] !== undefined);
      const values = parseFields(Object.fromEntries(parsed), { members, errors });
      errors.push(...choiceErrors(exactlyOne, members));
      errors.push(...check?.(values as Partial<Values<R> & Values<O>>, { body: members, rules }) ?? []);
      if (errors.length > 0) throw new HttpError(code, { errors });
      // Without errors every value has the type of its field.
      return values as Values<R> & Partial<Values<O>>;
    },
  };
}

/** The schema of an object that has all of `required`, may have `optional`, and has nothing else. */
export function objectSchema(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  const properties = { ...required, ...optional };
  return { type: "object", required: Object.keys(required), additionalProperties: false, properties };
}

/** Parses all fields, and adds what is wrong with them to `errors`. */
export function parseFields(fields: Fields, { members, errors }: { members: Members; errors: FieldError[] }): Members {
  return mapFields(fields, ({ parse }, name) => {
    return parse(members[name], (error) => void errors.push({ pointer: `/${name}`, ...error }));
  });
}

/** Returns the schema of each field. */
export function schemasOf(fields: Fields): Readonly<Record<string, Schema>> {
  return mapFields(fields, ({ schema }) => schema);
}

function mapFields<T>(fields: Fields, map: (field: Field<unknown>, name: string) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, map(field, name)]));
}

/** Finds whether a body has not exactly one of these members. */
function choiceErrors(names: readonly string[], members: Members): FieldError[] {
  const given = names.filter((name) => members[name] !== undefined);
  if (names.length === 0 || given.length === 1) return [];
  const code = given.length === 0 ? "missing" : "unknown-field";
  return [{ pointer: `/${given[0] ?? names[0]}`, code, detail: `Requires exactly one of ${names.join(", ")}.` }];
}

function unknownFieldErrors(members: Members, known: readonly string[]): FieldError[] {
  const unknown = Object.keys(members).filter((name) => !known.includes(name)).slice(0, maxUnknownFields);
  return unknown.map((name) => ({
    pointer: `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    code: "unknown-field",
    detail: `Unknown field. Known fields: ${known.join(", ")}.`,
  }));
}
