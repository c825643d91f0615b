/**
 * CORS (https://fetch.spec.whatwg.org/#http-cors-protocol): pages of the origins in `GATEHOUSE_ORIGINS` may send
 * requests with a bearer token and read the responses.
 *
 * Never with the cookie: no response allows credentials, so a browser neither sends such a request after its preflight
 * nor shows its response to the page. The guard and the metrics are not for pages.
 */

import { pathOf } from "./path_table.ts";

const requestFields = "Authorization, Content-Type, If-Match, If-None-Match";
const responseFields = "ETag, Link, Location, Retry-After, X-Request-Id";
/** The most that Chromium keeps a preflight. Browsers send one before each request with a token. */
const maxAgeSeconds = 2 * 60 * 60;
const notForPages = /^\/(guard|metrics)(\/|$)/;

/** Returns the function that adds the header fields of CORS to a response, or `undefined` if there are no origins. */
export function corsOf(origins: readonly string[]): ((request: Request, response: Response) => void) | undefined {
  if (origins.length === 0) return undefined;
  const allowed = new Set(origins);
  return (request, { headers }) => {
    if (notForPages.test(pathOf(request.url))) return;
    // Without an allowed origin too: a cache must not give that response to a page of one.
    headers.append("vary", "Origin");
    const origin = request.headers.get("origin");
    if (origin === null || !allowed.has(origin)) return;
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", responseFields);
    const methods = headers.get("allow");
    if (request.method !== "OPTIONS" || methods === null) return;
    headers.set("access-control-allow-methods", methods);
    headers.set("access-control-allow-headers", requestFields);
    headers.set("access-control-max-age", String(maxAgeSeconds));
  };
}
