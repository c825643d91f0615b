/** Header fields of responses, as the OpenAPI document describes them. */

import { idPattern } from "../../lib/http/schema.ts";
import { loginPattern } from "../../lib/accounts/user.ts";

/** What a field is for, and the pattern of its value. */
const headers: Readonly<Record<string, readonly [description: string, pattern: string]>> = {
  "Accept": ["The media type that a body must have.", "^application/json$"],
  "Accept-Encoding": ["Bodies must not have a content coding.", "^identity$"],
  "Clear-Site-Data": ["Browsers delete cached pages that the session gave access to.", '^"cache"$'],
  "Connection": ["The rest of the body is not read.", "^close$"],
  "Content-Security-Policy": ["Restricts what the page may load and run.", "^default-src 'none'"],
  "ETag": ["The version, for If-Match and If-None-Match.", '^(W/)?"[^"]+"$'],
  "Link": ["The next page (RFC 8288); absent on the last.", '^<\\?[^>]+>; rel="next"$'],
  "Location": ["A path, relative to that of the request.", "^\\.?/"],
  "Permissions-Policy": ["Features of the browser that the page does not use.", "="],
  "Referrer-Policy": ["Links do not send the address of the page.", "^no-referrer$"],
  "Remote-Groups": ["`users` and the groups of the user, with commas.", "^users(,[a-z0-9._-]{1,32})*$"],
  "Remote-Id": ["The id of the user.", idPattern.source],
  "Remote-User": ["The login of the user.", loginPattern.source],
  "Retry-After": ["Seconds to wait.", "^[1-9][0-9]*$"],
  "Set-Cookie": ["Sets or deletes the cookie of the session or of a known browser.", "^__Host-gatehouse(-device)?="],
  "WWW-Authenticate": ["How to log in.", '^(Basic realm="gatehouse", charset="UTF-8", )?Bearer realm="gatehouse"$'],
  "X-Content-Type-Options": ["Browsers do not guess the media type.", "^nosniff$"],
  "X-Request-Id": ["The id of the request in the log.", "^[0-9a-f]{8}-[0-9a-z]+$"],
};

/** A header field of one response. */
export interface DocumentedHeader {
  readonly description: string;
  /** Whether every response of the status has it. */
  readonly required: boolean;
  readonly schema: { readonly type: string; readonly pattern: string } | { readonly const: string };
}

/**
 * The header fields of a response, with those of all responses.
 *
 * @param names a name that ends in "?" is not in every response @param cacheControl "" is no such field
 * @throws {TypeError} a name is not in the table
 */
export function describeHeaders(names: readonly string[], cacheControl: string): Record<string, DocumentedHeader> {
  const all = [...names, "X-Request-Id", "X-Content-Type-Options"].map((mark): [string, DocumentedHeader] => {
    const name = mark.replace("?", "");
    const row = headers[name];
    if (row === undefined) throw new TypeError(`Cannot describe header ${name}: it is not in the table`);
    return [name, { description: row[0], required: mark === name, schema: { type: "string", pattern: row[1] } }];
  });
  const caching = { description: "Whether caches may store it.", required: true, schema: { const: cacheControl } };
  return { ...Object.fromEntries(all), ...cacheControl !== "" && { "Cache-Control": caching } };
}
