/**
 * Cookies with the prefix `__Host-`: only this host can set them, over HTTPS, for all paths (RFC 6265bis, 4.1.3.2).
 *
 * Names are not trimmed: with Unicode trimming "\u00a0__Host-name", which a sibling host can set, would be the cookie.
 * A browser has at most one cookie of a `__Host-` name: if there are two, one was added on the way, and neither counts.
 */

/** A scheme, the longest host and a port, in characters. */
const maxOriginLength = 300;

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

/** The Set-Cookie of such a cookie. @param cookie `pair` is `name=value`; `maxAgeSeconds` 0 deletes it */
export function hostCookie({ pair, maxAgeSeconds }: { readonly pair: string; readonly maxAgeSeconds: number }): string {
  return `${pair}; Max-Age=${maxAgeSeconds}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}

/**
 * Whether a page of this origin sent the request, as browsers also send cookies for other sites: by `Sec-Fetch-Site`,
 * which pages cannot forge, else by `Origin`. A request with neither counts as cross-origin.
 */
export function isSameOrigin({ headers, url }: Pick<Request, "headers" | "url">): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = headers.get("origin");
  if (origin === null || origin.length > maxOriginLength) return false;
  // Without the scheme, which only the proxy knows: the browser sends the cookie over HTTPS only.
  const host = URL.parse(origin)?.host ?? "";
  // HTTP/2 and the absolute form of HTTP/1.1 have no Host header, but an authority in the URL (RFC 9113, 8.3.1).
  return host !== "" && host === (headers.get("host") ?? /^[^/]*\/\/([^/?#]*)/.exec(url)?.[1]);
}
