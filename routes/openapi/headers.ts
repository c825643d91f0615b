/** Header fields of responses, as the OpenAPI document describes them. */

import { idPattern } from "../../lib/http/schema.ts";
import { loginPattern } from "../../lib/accounts/user.ts";

/** Fields that only some responses have. */
const headers: Readonly<Record<string, readonly [description: string, schema: Readonly<Record<string, string>>]>> = {
  "Accept": ["The media type that the body must have.", { const: "application/json" }],
  "Accept-Encoding": ["Content codings of a body are not supported.", { const: "identity" }],
  "Clear-Site-Data": ["Browsers delete cached pages that the session gave access to.", { const: '"cache"' }],
  "Connection": ["The rest of the body is not read.", { const: "close" }],
  "Content-Security-Policy": ["Restricts what the page may load and run.", { type: "string" }],
  "ETag": ["For If-Match and If-None-Match.", { type: "string", pattern: '^(W/)?"[^"]+"$' }],
  "Link": ["The next page (RFC 8288); absent on the last.", { type: "string", pattern: '^<\\?[^>]+>; rel="next"$' }],
  "Location": ["A path, relative to that of the request.", { type: "string", pattern: "^\\.?/" }],
  "Permissions-Policy": ["Features of the browser that the page never uses.", { type: "string" }],
  "Referrer-Policy": ["Links do not tell where they were.", { const: "no-referrer" }],
  "Remote-Groups": [
    "`users` and the groups of the user, separated by commas.",
    { type: "string", pattern: "^users(,[a-z0-9._-]{1,32})*$" },
  ],
  "Remote-Id": ["The id of the user.", { type: "string", pattern: idPattern.source }],
  "Remote-User": ["The login of the user.", { type: "string", pattern: loginPattern.source }],
  "Retry-After": ["Seconds to wait before the next request.", { type: "string", pattern: "^[1-9][0-9]*$" }],
  "Set-Cookie": [
    "Sets or deletes the cookie of the session, or of a known browser.",
    { type: "string", pattern: "^__Host-gatehouse(-device)?=" },
  ],
  "WWW-Authenticate": [
    "How to authenticate.",
    { type: "string", pattern: '^(Basic realm="gatehouse", charset="UTF-8", )?Bearer realm="gatehouse"$' },
  ],
};

/** A header field of one response. */
export interface DocumentedHeader {
  readonly description: string;
  /** Whether every response of the status has it. */
  readonly required: boolean;
  readonly schema: Readonly<Record<string, string>>;
}

/** Fields of every response. */
const commonHeaders: Readonly<Record<string, DocumentedHeader>> = {
  "X-Request-Id": {
    description: "The id of the request, which is also in the log.",
    required: true,
    schema: { type: "string", pattern: "^[0-9a-f]{8}-[0-9a-z]+$" },
  },
  "X-Content-Type-Options": {
    description: "Browsers do not guess the media type.",
    required: true,
    schema: { const: "nosniff" },
  },
};

/**
 * The header fields of a response.
 *
 * @param names a name that ends in "?" is not in every response
 * @param cacheControl "" is no such field
 * @throws {TypeError} a name is not described here
 */
export function describeHeaders(names: readonly string[], cacheControl: string): Record<string, DocumentedHeader> {
  const own = names.map((mark): [string, DocumentedHeader] => {
    const name = mark.replace("?", "");
    const found = headers[name];
    if (found === undefined) throw new TypeError(`Cannot describe header ${name}: it is not in the table`);
    const [description, schema] = found;
    return [name, { description, required: mark === name, schema }];
  });
  const caching = { description: "Whether caches may store it.", required: true, schema: { const: cacheControl } };
  return { ...Object.fromEntries(own), ...cacheControl !== "" && { "Cache-Control": caching }, ...commonHeaders };
}
