/**
 * Operations: routes with everything that clients may know of them, each declared once.
 *
 * The router, the parsers of body and query, `/openapi.json` and `/docs/` are made from the declarations. A declaration
 * omits what follows from it, which `routes/openapi/document.ts` adds.
 */

import type { ProblemCode } from "./http/problem.ts";
import type { JsonBody, Query, Schema } from "./http/schema.ts";
import type { Route } from "./router.ts";

/** Who may use an operation. The handler checks it after it has read the body: see `routes/auth/authorization.ts`. */
export type Access = "anyone" | "session" | "session or password" | "user or admin" | "user or ticket" | "admin";

export interface Operation extends Route {
  readonly access: Access;
  /** A few words, as "Log in". */
  readonly summary: string;
  /** What the summary does not say. */
  readonly description?: string;
  /** Parameters of the path except `login`, and header fields that the handler reads. */
  readonly parameters?: Readonly<Record<string, Schema>>;
  readonly query?: Query<unknown>;
  readonly body?: Pick<JsonBody<unknown>, "schema" | "code" | "examples">;
  /** By status. */
  readonly responses: Readonly<Record<number, OperationResponse>>;
  /** Those that the rest of the declaration does not imply. */
  readonly problems?: readonly ProblemCode[];
  /** Whether it responds without the store. */
  readonly isStatic?: boolean;
}

/** A response that is not a problem. */
export interface OperationResponse {
  /** By default "Success.". */
  readonly description?: string;
  /** Of a JSON body. */
  readonly schema?: Schema;
  /** Media types of another body. */
  readonly types?: readonly string[];
  /** Header fields; a name that ends in "?" is not in every response. */
  readonly headers?: readonly string[];
  /** By default "no-store", and "no-cache" with an ETag of GET; "" is no such field. */
  readonly cacheControl?: string;
}

/** Declares an operation. @param target method and path, as "GET /user/:login" */
export function route(
  target: `${Route["method"]} /${string}`,
  declaration: Omit<Operation, "method" | "path">,
): Operation {
  const [method = "", path = ""] = target.split(" ");
  return { method: method as Route["method"], path, ...declaration };
}
