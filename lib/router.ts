/**
 * A table of routes as one function from a request to its reply.
 *
 * It always replies: what a handler throws becomes a problem. What is neither an `HttpError` nor overload is a failure
 * of the store or a fault of the service, logged as `failure_log.ts` says. Each request gets an id, which its reply and
 * its line in the log carry.
 *
 * There is one spelling of each path: a missing last slash is redirected to.
 */

import type { App, Context } from "./app.ts";
import { OverloadedError } from "./passwords/hash_queue.ts";
import { rateLimitKey } from "./http/client_address.ts";
import { HttpError, problemResponse } from "./http/http.ts";
import { noParams, type Params, pathOf, PathTable } from "./http/path_table.ts";
import { isNavigation, isSafe, problemPage } from "./http/error_page.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "./store.ts";

/** Answers one request. It throws `HttpError` for what the client may know, and catches nothing. */
export type Handler = (context: Context) => Promise<Response> | Response;

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Segments; ":name" takes any text that is not empty, as a parameter; a last ":name*" takes the rest of the path. */
  readonly path: string;
  readonly handler: Handler;
}

/** A response whose request is counted and has no line in the log: for what every request to a guarded site asks. */
export class UnloggedResponse extends Response {}

/** What is known of the connection that a request came by. */
export interface Connection {
  readonly remoteAddr: Deno.Addr;
}

/** Where a request is, and its place among all of this process. */
interface Exchange {
  readonly request: Request;
  readonly connection: Connection;
  /** What the ids of this process begin with. */
  readonly idPrefix: string;
  readonly number: number;
}

/**
 * A context that works out only what it is asked for. A class: a getter in an object literal is a hidden class of its
 * own for each request, which took a third of the time that `/guard/` has.
 */
class RequestContext implements Context {
  readonly app: App;
  readonly params: Params;
  readonly #exchange: Exchange;

  constructor(app: App, params: Params, exchange: Exchange) {
    this.app = app;
    this.params = params;
    this.#exchange = exchange;
  }

  /** Ids that do not repeat: some random text for the process, and a count. Cheaper than a random one for each. */
  get requestId(): string {
    const { idPrefix, number } = this.#exchange;
    return `${idPrefix}-${number.toString(36)}`;
  }

  get request(): Request {
    return this.#exchange.request;
  }

  get clientAddress(): string {
    const { request, connection } = this.#exchange;
    return this.app.clientAddressOf(request, connection.remoteAddr);
  }

  get rateLimitKey(): string {
    return rateLimitKey(this.clientAddress);
  }

  with(params: Params): RequestContext {
    return params === this.params ? this : new RequestContext(this.app, params, this.#exchange);
  }
}

/** Every handler of one path. */
interface Endpoint {
  readonly path: string;
  readonly handlers: ReadonlyMap<string, Handler>;
  /** For the Allow header. */
  readonly allowed: string;
}

/** What the log calls a request that no route is for: paths as sent could be anything, also a password. */
const noRoute = "(none)";
const notOfHost = /[/?#\\@]/;
/** A database that is started anew, or another in its place, is there in some seconds. */
const storeRetrySeconds = "5";

/**
 * Makes the function that serves all of `routes`.
 *
 * @throws {TypeError} two routes have the same method and path
 */
export function createRouter(
  routes: readonly Route[],
  app: App,
): (request: Request, connection: Connection) => Promise<Response> | Response {
  const paths = new PathTable(toEndpoints(routes));
  const idPrefix = crypto.randomUUID().slice(0, 8);
  let count = 0;
  return (request, connection) => {
    return serve({ request, connection, idPrefix, number: count++ }, { path: pathOf(request.url), paths, app });
  };
}

/** Answers whatever comes, and tells of it. */
async function serve(
  exchange: Exchange,
  options: { path: string; paths: PathTable<Endpoint>; app: App },
): Promise<Response> {
  // Whole milliseconds: a finer clock takes as long as finding the route.
  const startedAt = Date.now();
  const { path, paths, app } = options;
  const { request } = exchange;
  const context = new RequestContext(app, noParams, exchange);
  const { method } = request;
  let endpoint: Endpoint | undefined;
  let response: Response;
  try {
    // Deno puts it before the path: with "/" or "?" in it, it would make another path of it.
    if (notOfHost.test(request.headers.get("host") ?? "")) throw new HttpError("malformed-host");
    const match = paths.find(path);
    endpoint = match?.entry;
    response = match === undefined
      ? replyNowhere(request, { path, paths })
      : await answer(match.entry, context.with(match.params));
  } catch (error) {
    response = errorResponse(asHttpError(error, context), context);
  }
  if (method === "HEAD") response = await withoutBody(response);
  const { requestId } = context;
  response.headers.set("x-request-id", requestId);
  response.headers.set("x-content-type-options", "nosniff");
  const ms = Math.max(0, Date.now() - startedAt);
  const { status } = response;
  const route = endpoint?.path ?? noRoute;
  app.metrics.requests(method, route, status).count++;
  if (response instanceof UnloggedResponse) return response;
  const { clientAddress } = context;
  app.log.info("request", { method: loggedMethod(method), route, status, ms, clientAddress, requestId });
  return response;
}

/**
 * A path with a rest is not redirected to: `/guard?group=staff`, which old Caddyfiles ask for, fails with 404.
 *
 * @throws {HttpError} `not-found`, unless only the last slash is missing
 */
function replyNowhere(request: Request, { path, paths }: { path: string; paths: PathTable<Endpoint> }): Response {
  const slashed = paths.find(path + "/");
  if (slashed === undefined || slashed.entry.path.endsWith("*")) throw new HttpError("not-found");
  return redirectToSlash(request.url, path);
}

function answer(endpoint: Endpoint, context: Context): Promise<Response> | Response {
  const { method } = context.request;
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow: endpoint.allowed } });
  const handler = endpoint.handlers.get(method === "HEAD" ? "GET" : method);
  if (handler === undefined) {
    throw new HttpError("method-not-allowed", { headers: { allow: endpoint.allowed } });
  }
  return handler(context);
}

/** RFC 9110, 9.3.2: the same header fields as for GET, the length among them. */
async function withoutBody(response: Response): Promise<Response> {
  if (response.body === null) return response;
  const { byteLength } = await response.arrayBuffer();
  const headers = new Headers(response.headers);
  headers.set("content-length", String(byteLength));
  return new Response(null, { status: response.status, headers });
}

/** JSON, and a page for a person who navigates: with GET, as what takes a body here takes JSON alone. */
function errorResponse(error: HttpError, { request, requestId }: Context): Response {
  const isPage = isSafe(request.method) && isNavigation(request.headers);
  return isPage ? problemPage(error, request, requestId) : problemResponse(error);
}

/** The one place where a fault becomes what the client is told of it. */
function asHttpError(error: unknown, { app, requestId }: Context): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof OverloadedError) {
    return new HttpError("overloaded", { headers: { "retry-after": String(error.retryAfterSeconds) } });
  }
  app.failures.report("request-failed", { requestId, error });
  if (error instanceof StoreFullError) return new HttpError("store-full");
  if (error instanceof StoreClosedError) return new HttpError("store-closed");
  if (error instanceof StoreUnavailableError) {
    return new HttpError("store-unavailable", { headers: { "retry-after": storeRetrySeconds } });
  }
  return new HttpError("internal-error");
}

function toEndpoints(routes: readonly Route[]): Endpoint[] {
  return Array.from(Map.groupBy(routes, (route) => route.path), ([path, group]) => {
    const handlers = new Map(group.map((route) => [route.method as string, route.handler]));
    if (handlers.size < group.length) throw new TypeError(`Cannot route ${path}: a method is there twice`);
    const methods = [...handlers.keys(), ...handlers.has("GET") ? ["HEAD"] : [], "OPTIONS"];
    const allowed = methods.sort().join(", ");
    return { path, handlers, allowed };
  });
}

/** Relative, so that it is right also where the service is mounted at another path. */
function redirectToSlash(url: string, path: string): Response {
  const query = url.indexOf("?") === -1 ? "" : url.slice(url.indexOf("?"));
  // The server gives what was sent as UTF-8 as text, of which a header takes ASCII alone.
  const ascii = query.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  const location = `./${path.slice(path.lastIndexOf("/") + 1)}/${ascii}`;
  return new Response(null, { status: 308, headers: { location } });
}

/** Methods as sent could be anything too. */
function loggedMethod(method: string): string {
  return /^[A-Z]{1,10}$/.test(method) ? method : "(other)";
}
