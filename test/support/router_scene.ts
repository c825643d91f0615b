/** A router of a few routes, and requests to it without a socket. */
import type { App } from "../../lib/app.ts";
import { jsonResponse } from "../../lib/http/http_error.ts";
import { createRouter, type Handler, type Route } from "../../lib/router.ts";
import { openTestApp } from "./app.ts";

/** A line of the log, parsed. */
export type LogLine = Readonly<Record<string, unknown>>;
type Serve = (method: string, url: string, headers?: Readonly<Record<string, string>>) => Promise<Response>;

/** Where the service is. */
export const origin = "http://gatehouse.test";

/** Where requests come from. */
export const connection = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 } } as const;

/** A router of these routes. The address of a request may be relative. */
export async function openScene(routes: readonly Route[]): Promise<{ app: App; serve: Serve; log: () => LogLine[] }> {
  const { app, lines } = await openTestApp();
  const router = createRouter(routes, app);
  const serve: Serve = async (method, url, headers = {}) => {
    const request = new Request(origin, { method, headers });
    // As the server gives it: a request made by hand would tidy its path.
    Object.defineProperty(request, "url", { value: url.startsWith("/") ? origin + url : url });
    return await router(request, connection);
  };
  return { app, serve, log: () => lines.map((line) => JSON.parse(line)) };
}

/** Makes a handler that responds with its name and the parameters. */
export function echo(name: string): Handler {
  return ({ params }) => jsonResponse([name, params]);
}

/** A route for GET. */
export const get = (path: string, handler = echo(path)): Route => ({ method: "GET", path, handler });

/** Routes with parameters of every kind. */
export const table: readonly Route[] = [
  get("/"),
  get("/user/"),
  { method: "POST", path: "/user/", handler: echo("POST /user/") },
  get("/user/me"),
  get("/user/:login"),
  { method: "DELETE", path: "/user/:login", handler: echo("DELETE /user/:login") },
  get("/user/:login/session/"),
  get("/user/:login/session/:id"),
  get("/file/:name.txt"),
  get("/rest/:id/:names*"),
];
