/**
 * Checks the path to redirect to after a login: it must be a path of this host (CWE-601, open redirect).
 *
 * Browsers read "//host" and "/\host" as another host, and remove tabs and line breaks first. A later backslash is
 * percent-encoded, so that nothing reads it as a slash.
 */

/**
 * Characters of the path as a query parameter: nginx accepts request lines of 8 kB by default, and a home needs some
 * of them for the site and the state.
 */
const maxLength = 7_500;

/**
 * Returns the path and query, ready for a Location header, or `undefined` if `text` is not a path of this host. If it
 * is too long, the query is dropped.
 */
export function safeRedirectPath(text: string): string | undefined {
  const bounded = text.length <= maxLength ? text : withoutQuery(text);
  if (bounded.length > maxLength || !bounded.isWellFormed()) return undefined;
  // deno-lint-ignore no-control-regex -- it rejects control characters
  if (!/^\/(?![/\\])[^\x00-\x20\x7f]*$/.test(bounded)) return undefined;
  const path = bounded.replace(/[^\x21-\x7e]+|\\/g, encodeURIComponent);
  const kept = isShort(path) ? path : withoutQuery(path);
  // A client that resolves dots first reads "/.//host" as "//host".
  const isPlain = isShort(kept) && !URL.parse(kept, "http://localhost")?.pathname.startsWith("//");
  return isPlain ? kept : undefined;
}

function isShort(path: string): boolean {
  return encodeURIComponent(path).length <= maxLength;
}

function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, "");
}
