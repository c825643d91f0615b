/**
 * Operations, each declared once, and the dispatch of each request to the handler of its operation.
 *
 * The parsers of body and query, `/openapi.json` and `/docs/` are made from the declarations too. A declaration omits
 * what follows from it, which `routes/openapi/document.ts` adds.
 *
 * A router always responds: what a handler throws becomes a problem, see `App.toHttpError`. Each path has one
 * spelling: one without its last slash is redirected. The response and its log line carry the same id.
 */

import type { App, Context } from "./app.ts";
import { rateLimitKey } from "./http/client_address.ts";
import { corsOf } from "./http/cors.ts";
import { isNavigation, isSafe, problemPage } from "./http/error_page.ts";
import { HttpError, problemResponse } from "./http/http_error.ts";
import type { ProblemCode } from "./http/problem.ts";
import type { Query } from "./http/query.ts";
import type { JsonBody, Schema } from "./http/schema.ts";
import { type Match, noParams, type Params, pathOf, PathTable } from "./http/path_table.ts";

/** Responds to one request. Throws an `HttpError` for what the client may know, and catches nothing. */
export type Handler = (context: Context) => Promise<Response> | Response;

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Segments. ":name" matches any text but "" and is a parameter; a last ":name*" matches the rest of the path. */
  readonly path: string;
  readonly handler: Handler;
  /** Statuses that are logged at level debug only, as 200 of the guard: every request to a guarded site asks it. */
  readonly routineStatuses?: readonly number[];
  /** Whether guarded sites serve it too where there is a home, see `lib/accounts/sites.ts`. */
  readonly isOnSites?: boolean;
}

/** Who may use an operation. The handler checks it after it has read the body: see `routes/auth/authorization.ts`. */
export type Access =
  | "anyone"
  | "session"
  | "session or Basic"
  | "user"
  | "user without second factor"
  | "user or admin"
  | "user or ticket"
  | "admin";

export interface Operation extends Route {
  readonly access: Access;
  /** A few words, as "Log in". */
  readonly summary: string;
  /** Details that the summary omits. */
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

export type ConnectionInfo = Pick<Deno.ServeHandlerInfo<Deno.Addr>, "remoteAddr">;

/** Every route of one path. */
interface Endpoint {
  readonly path: string;
  readonly routes: ReadonlyMap<string, Route>;
  /** The value of the Allow header. */
  readonly allow: string;
}

type ContextOptions = Omit<Context, "clientAddress" | "rateLimitKey"> & { readonly connection: ConnectionInfo };

/**
 * A context that computes the client's address only if a handler asks for it. It is a class because a getter in an
 * object literal makes a hidden class for each request, which took a third of the time of `/guard/`.
 */
class RequestContext implements Context {
  readonly app: App;
  readonly request: Request;
  readonly params: Params;
  readonly requestId: string;
  readonly #connection: ConnectionInfo;

  constructor({ app, request, connection, params, requestId }: ContextOptions) {
    this.app = app;
    this.request = request;
    this.params = params;
    this.requestId = requestId;
    this.#connection = connection;
  }

  get clientAddress(): string {
    return this.app.clientAddressOf(this.request, this.#connection.remoteAddr);
  }

  get rateLimitKey(): string {
    return rateLimitKey(this.clientAddress);
  }
}

/** Declares an operation. @param target method and path, as "GET /user/:login" */
export function route(
  target: `${Route["method"]} /${string}`,
  declaration: Omit<Operation, "method" | "path">,
): Operation {
  const [method = "", path = ""] = target.split(" ");
  return { method: method as Route["method"], path, ...declaration };
}

/** The log's name for a path without a route: a path as sent may contain anything, a password too. */
const noRoute = "(none)";
/** Deno puts the Host header before the path: with one of these in it, the path would be another. */
const notOfHost = /[/?#\\@]/;

/**
 * Makes the function that serves `routes`.
 *
 * @throws {TypeError} two routes have the same method and path
 */
export function createRouter(
  routes: readonly Route[],
  app: App,
): (request: Request, connection: ConnectionInfo) => Promise<Response> {
  const paths = new PathTable(toEndpoints(routes));
  const addCorsFields = corsOf(app.config.origins);
  // Ids are a random text per process and a count: unique after a restart, and cheaper than a random one per request.
  const idPrefix = crypto.randomUUID().slice(0, 8);
  let requestCount = 0;

  return async (request, connection) => {
    // Whole milliseconds: reading a finer clock takes as long as finding the route.
    const startedAt = Date.now();
    const requestId = `${idPrefix}-${(requestCount++).toString(36)}`;
    const match = paths.find(pathOf(request.url));
    const context = new RequestContext({ app, request, connection, params: match?.params ?? noParams, requestId });
    let response: Response;
    try {
      if (notOfHost.test(request.headers.get("host") ?? "")) throw new HttpError("malformed-host");
      response = match === undefined ? redirectToSlash(request.url, paths) : await dispatch(match, context);
    } catch (error) {
      response = errorResponse(app.toHttpError(error, context), context);
    }
    if (request.method === "HEAD") response = await withoutBody(response);
    response.headers.set("x-request-id", requestId);
    response.headers.set("x-content-type-options", "nosniff");
    addCorsFields?.(request, response);
    const endpoint = match?.params && match.entry;
    const operation = endpoint && routeOf(endpoint, request);
    app.onResponse(context, {
      path: endpoint?.path ?? noRoute,
      operation,
      status: response.status,
      ms: Math.max(0, Date.now() - startedAt),
      isRoutine: operation?.routineStatuses?.includes(response.status) === true,
    });
    return response;
  };
}

/** @throws {HttpError} `malformed-path`, `method-not-allowed`, `only-at-home`, and what the handler throws */
function dispatch({ entry, params }: Match<Endpoint>, context: Context): Promise<Response> | Response {
  if (params === undefined) throw new HttpError("malformed-path");
  const headers = { allow: entry.allow };
  if (context.request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  const route = routeOf(entry, context.request);
  if (route === undefined) throw new HttpError("method-not-allowed", { headers });
  const isAtSite = !route.isOnSites && context.app.sites?.originOf(context.request) !== undefined;
  if (isAtSite) throw new HttpError("only-at-home");
  return route.handler(context);
}

function routeOf({ routes }: Endpoint, { method }: Request): Route | undefined {
  return routes.get(method === "HEAD" ? "GET" : method);
}

/**
 * Redirects a path that lacks only its last slash. A path of a route with a rest is not redirected: old Caddyfiles ask
 * for `/guard?group=staff`, which must fail.
 *
 * @throws {HttpError} `not-found`, `malformed-path`
 */
function redirectToSlash(url: string, paths: PathTable<Endpoint>): Response {
  const path = pathOf(url);
  const match = paths.find(`${path}/`);
  if (match === undefined || match.entry.path.endsWith("*")) throw new HttpError("not-found");
  if (match.params === undefined) throw new HttpError("malformed-path");
  // Deno decodes the query as UTF-8, and a header takes ASCII only.
  const query = (/\?.*/s.exec(url)?.[0] ?? "").replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  // Relative, because a proxy may mount the service at any path.
  const location = `./${path.slice(path.lastIndexOf("/") + 1)}/${query}`;
  return new Response(null, { status: 308, headers: { location } });
}

/** Removes the body. The header fields stay those of GET, Content-Length included (RFC 9110, 9.3.2). */
async function withoutBody(response: Response): Promise<Response> {
  if (response.body === null) return response;
  const headers = new Headers(response.headers);
  headers.set("content-length", String((await response.arrayBuffer()).byteLength));
  return new Response(null, { status: response.status, headers });
}

/** JSON, or a page if a browser navigates. Only for GET: what takes a body here takes JSON. */
function errorResponse(error: HttpError, { request, requestId }: Context): Response {
  const isPage = isSafe(request.method) && isNavigation(request.headers);
  return isPage ? problemPage(error, request, requestId) : problemResponse(error);
}

function toEndpoints(routes: readonly Route[]): Endpoint[] {
  return Array.from(Map.groupBy(routes, (route) => route.path), ([path, group]) => {
    const byMethod = new Map(group.map((route) => [route.method as string, route]));
    if (byMethod.size < group.length) throw new TypeError(`Cannot route ${path}: it has two routes of one method`);
    const methods = [...byMethod.keys(), ...byMethod.has("GET") ? ["HEAD"] : [], "OPTIONS"];
    return { path, routes: byMethod, allow: methods.sort().join(", ") };
  });
}
