/** Query parameters, each declared once, as `schema.ts` does it for bodies. */

import { type FieldError, HttpError } from "./http_error.ts";
import { type Fields, parseFields, type Schema, schemasOf, type Values } from "./schema.ts";

/** Query parameters of an operation. */
export interface Query<T> {
  readonly schemas: Readonly<Record<string, Schema>>;
  /** Ignores other parameters. @throws {HttpError} `invalid-query`, with every bad parameter */
  parse(request: Request): T;
}

/** Declares query parameters. @param check finds errors across them */
export function query<F extends Fields>(
  fields: F,
  check: (values: Partial<Values<F>>) => readonly FieldError[] = () => [],
): Query<Values<F>> {
  return {
    schemas: schemasOf(fields),
    parse(request) {
      const errors: FieldError[] = [];
      const members = Object.fromEntries(queryOf(request, Object.keys(fields)));
      const values = parseFields(fields, { members, errors }) as Values<F>;
      errors.push(...check(values));
      if (errors.length > 0) throw new HttpError("invalid-query", { errors });
      return values;
    },
  };
}

/**
 * The first parameter of each name in the query. Others are not decoded: a query can have 32,000, which took 13 ms. Not
 * by `URL`, which rejects some addresses that clients send.
 */
function queryOf(request: Request, names: readonly string[]): URLSearchParams {
  const query = /^[^?#]*\?([^#]*)/.exec(request.url)?.[1] ?? "";
  const found = names.map((name) => new RegExp(`(?:^|&)${name}=[^&]*`).exec(query)?.[0] ?? "");
  return new URLSearchParams(found.join("&"));
}
