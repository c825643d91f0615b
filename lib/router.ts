/**
 * A table of routes as one function from a request to its reply.
 *
 * It always replies: what a handler throws becomes a problem. What is neither an `HttpError` nor overload is a fault of
 * the service, logged with its cause. Each request gets an id, which its reply and its line in the log carry.
 *
 * Paths are matched as they were sent, a segment at a time; "%2F" in a segment is a character of it. There is one
 * spelling of each path: a missing last slash is redirected to.
 */

import type { App, Context } from "./app.ts";
import { OverloadedError } from "./gate.ts";
import { HttpError, problemReply } from "./http.ts";
import { StoreClosedError, StoreFullError } from "./store.ts";

/** Answers one request. It throws `HttpError` for what the client may know, and catches nothing. */
export type Handler = (request: Request, context: Context) => Promise<Response> | Response;

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Segments; one that begins with ":" takes any text that is not empty, as a parameter of that name. */
  readonly path: string;
  readonly handler: Handler;
}

/** What is known of the connection that a request came by. */
export interface Connection {
  readonly remoteAddr: Deno.Addr;
}

/** Every handler of one path. */
interface Endpoint {
  readonly path: string;
  readonly segments: readonly string[];
  readonly handlers: ReadonlyMap<string, Handler>;
  /** For the Allow header. */
  readonly allowed: string;
}

interface Match {
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
}

/** What the log calls a request that no route is for: paths as sent could be anything, also a password. */
const noRoute = "(none)";

/**
 * Makes the function that serves all of `routes`.
 *
 * @throws {TypeError} two routes have the same method and path
 */
export function createRouter(
  routes: readonly Route[],
  app: App,
): (request: Request, connection: Connection) => Promise<Response> {
  const { fixed = [], withParams = [] } = Object.groupBy(
    toEndpoints(routes),
    (endpoint) => endpoint.path.includes("/:") ? "withParams" : "fixed",
  );
  const fixedByPath = new Map(fixed.map((endpoint) => [endpoint.path, endpoint]));

  function find(path: string): Match | undefined {
    const endpoint = fixedByPath.get(path);
    if (endpoint !== undefined) return { endpoint, params: {} };
    const segments = path.split("/");
    for (const candidate of withParams) {
      if (fits(candidate.segments, segments)) return matchOf(candidate, segments);
    }
    return undefined;
  }

  async function reply(request: Request, path: string, context: Omit<Context, "params">): Promise<Replied> {
    let route = noRoute;
    try {
      const match = find(path);
      if (match === undefined) {
        if (find(path + "/") !== undefined) return { response: redirectToSlash(request.url, path), route };
        throw new HttpError("not-found");
      }
      route = match.endpoint.path;
      const response = await answer(match.endpoint, request, { ...context, params: match.params });
      return { response, route };
    } catch (error) {
      return { response: problemReply(asHttpError(error, app, context.requestId)), route };
    }
  }

  const nextRequestId = createRequestIds();
  return async (request, connection) => {
    const startedAt = performance.now();
    const requestId = nextRequestId();
    const client = app.clientOf(request, connection.remoteAddr);
    const { response: whole, route } = await reply(request, pathOf(request.url), { app, requestId, client });
    const response = request.method === "HEAD" ? await withoutBody(whole) : whole;
    response.headers.set("x-request-id", requestId);
    response.headers.set("x-content-type-options", "nosniff");
    const ms = Math.round((performance.now() - startedAt) * 1_000) / 1_000;
    app.log.info("request", {
      method: methodOf(request),
      route,
      status: response.status,
      ms,
      client,
      requestId,
    });
    return response;
  };
}

interface Replied {
  readonly response: Response;
  readonly route: string;
}

async function answer(endpoint: Endpoint, request: Request, context: Context): Promise<Response> {
  const { method } = request;
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow: endpoint.allowed } });
  const handler = endpoint.handlers.get(method === "HEAD" ? "GET" : method);
  if (handler === undefined) {
    throw new HttpError("method-not-allowed", { headers: { allow: endpoint.allowed } });
  }
  return await handler(request, context);
}

/** RFC 9110, 9.3.2: the same header fields as for GET, the length among them. */
async function withoutBody(response: Response): Promise<Response> {
  if (response.body === null) return response;
  const { byteLength } = await response.arrayBuffer();
  const headers = new Headers(response.headers);
  headers.set("content-length", String(byteLength));
  return new Response(null, { status: response.status, headers });
}

/** The one place where a fault becomes what the client is told of it. */
function asHttpError(error: unknown, app: App, requestId: string): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof OverloadedError) {
    return new HttpError("overloaded", { headers: { "retry-after": String(error.retryAfterSeconds) } });
  }
  app.log.error("request-failed", { requestId, error });
  if (error instanceof StoreFullError) return new HttpError("store-full");
  if (error instanceof StoreClosedError) return new HttpError("store-closed");
  return new HttpError("internal-error");
}

function toEndpoints(routes: readonly Route[]): Endpoint[] {
  return Array.from(Map.groupBy(routes, (route) => route.path), ([path, group]) => {
    const handlers = new Map(group.map((route) => [route.method as string, route.handler]));
    if (handlers.size < group.length) throw new TypeError(`Cannot route ${path}: a method is there twice`);
    const methods = [...handlers.keys(), ...handlers.has("GET") ? ["HEAD"] : [], "OPTIONS"];
    return { path, segments: path.split("/"), handlers, allowed: methods.sort().join(", ") };
  });
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.length === segments.length &&
    pattern.every((part, index) => part.startsWith(":") ? segments[index] !== "" : part === segments[index]);
}

function matchOf(endpoint: Endpoint, segments: readonly string[]): Match {
  const params: Record<string, string> = {};
  endpoint.segments.forEach((part, index) => {
    if (part.startsWith(":")) params[part.slice(1)] = decodeSegment(segments[index] ?? "");
  });
  return { endpoint, params };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw new HttpError("malformed-path", { cause: error });
  }
}

/** Found by hand: parsing the URL would take longer than all else that the router does, and would change the path. */
function pathOf(url: string): string {
  return /^[^/]*\/\/[^/?#]*(\/[^?#]*)?/.exec(url)?.[1] ?? "/";
}

/** Relative, so that it is right also where the service is mounted at another path. */
function redirectToSlash(url: string, path: string): Response {
  const query = url.indexOf("?") === -1 ? "" : url.slice(url.indexOf("?"));
  const location = `./${path.slice(path.lastIndexOf("/") + 1)}/${query}`;
  return new Response(null, { status: 308, headers: { location } });
}

/** Methods as sent could be anything too. */
function methodOf(request: Request): string {
  return /^[A-Z]{1,10}$/.test(request.method) ? request.method : "(other)";
}

/** Ids that do not repeat: some random text for this process, and a count. Cheaper than a random one for each. */
function createRequestIds(): () => string {
  const process = crypto.randomUUID().slice(0, 8);
  let count = 0;
  return () => `${process}-${(count++).toString(36)}`;
}
