/**
 * Where to go after logging in: a path of this very host, whatever was asked for.
 *
 * An address elsewhere would make the login page a helper of whoever wants people to end up there (CWE-601, open
 * redirect). Browsers take "//host" and "/\host" for another host, and leave out tabs and line breaks before they look.
 * A backslash further on is kept, in percent-encoding, which nothing takes for a slash.
 */

/** Of the path as a parameter of a query, characters: proxies such as nginx take request lines of 8 kB by default. */
const maxLength = 7_900;

/**
 * The path and query, as a Location can carry it, or `undefined` when `text` is not a path of this host. Of one that is
 * too long the path alone is kept.
 */
export function safeRedirectPath(text: string): string | undefined {
  const bounded = text.length <= maxLength ? text : withoutQuery(text);
  if (bounded.length > maxLength || !bounded.isWellFormed()) return undefined;
  // deno-lint-ignore no-control-regex -- control characters are what it refuses
  if (!/^\/(?![/\\])[^\x00-\x20\x7f]*$/.test(bounded)) return undefined;
  const path = bounded.replace(/[^\x21-\x7e]+|\\/g, encodeURIComponent);
  const kept = isShort(path) ? path : withoutQuery(path);
  // "/.//host" is "//host" to whoever resolves the dots first.
  const isPlain = isShort(kept) && !URL.parse(kept, "http://localhost")?.pathname.startsWith("//");
  return isPlain ? kept : undefined;
}

function isShort(path: string): boolean {
  return encodeURIComponent(path).length <= maxLength;
}

function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, "");
}
