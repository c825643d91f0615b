/**
 * Where to go after logging in: a path of this very host, whatever was asked for.
 *
 * An address elsewhere would make the login page a helper of whoever wants people to end up there (CWE-601, open
 * redirect). Browsers take "//host" and "/\host" for another host, and leave out tabs and line breaks before they look.
 */

/** Longer ones are given up: a Location of more breaks proxies. */
const maxLength = 2_000;

/** The path and query, as a Location can carry it, or `undefined` when `text` is not a path of this host. */
export function nextPath(text: string): string | undefined {
  if (text.length > maxLength) return undefined;
  // deno-lint-ignore no-control-regex -- control characters are what it refuses
  if (!/^\/(?!\/)[^\x00-\x20\x7f\\]*$/.test(text) || !text.isWellFormed()) return undefined;
  const path = text.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  // "/.//host" is "//host" to whoever resolves the dots first.
  const isPlain = path.length <= maxLength && !URL.parse(path, "http://localhost")?.pathname.startsWith("//");
  return isPlain ? path : undefined;
}
