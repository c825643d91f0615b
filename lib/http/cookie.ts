/**
 * Reads one cookie of a request.
 *
 * Names are not trimmed: with Unicode trimming "\u00a0__Host-name", which a sibling host can set, would be the cookie.
 * A browser has at most one cookie of a `__Host-` name: if there are two, one was added on the way, and neither counts.
 */

/** Returns a function that reads the value of the cookie. @param name without special characters of patterns */
export function cookieReader(name: string): (headers: Headers) => string | undefined {
  const pattern = new RegExp(`(?:^|; ?)${name}=([^;]*)`);
  return (headers) => {
    const text = headers.get("cookie") ?? "";
    const found = pattern.exec(text);
    if (found === null) return undefined;
    return pattern.test(text.slice(found.index + found[0].length)) ? undefined : found[1];
  };
}
