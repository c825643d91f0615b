/**
 * One cookie of a request, read as strictly as it was set.
 *
 * Whoever trims names by Unicode takes "\u00a0__Host-name", which a sibling host can set, for the cookie. A browser
 * holds at most one cookie of a name with the prefix `__Host-`: of two, somebody has added one on the way, and neither
 * counts.
 */

/** Makes the function that reads the value of the only cookie of that name. @param name has no special characters */
export function cookieReader(name: string): (headers: Headers) => string | undefined {
  const pattern = new RegExp(`(?:^|; ?)${name}=([^;]*)`);
  return (headers) => {
    const text = headers.get("cookie") ?? "";
    const found = pattern.exec(text);
    if (found === null) return undefined;
    // What follows it begins with ";", or is nothing.
    return pattern.test(text.slice(found.index + found[0].length)) ? undefined : found[1];
  };
}
