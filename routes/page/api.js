/**
 * Requests to the service. Addresses are relative to the page, so that it works wherever the service is mounted.
 *
 * Every failure is thrown as a `Problem`: the service's own (RFC 9457), a proxy's error, or no response at all.
 */

/** A failed request. */
export class Problem extends Error {
  constructor({ code, title = "", errors = [], retrySeconds = 0, needs = [] }) {
    super(title || code);
    /** As in `/problem/<code>`; "" if the response is not the service's own. */
    this.code = code;
    this.title = title;
    /** The bad fields: pointer, code, detail. */
    this.errors = errors;
    /** When to try again; 0 is unknown. */
    this.retrySeconds = retrySeconds;
    /** The ways by which the user can log in again, if that is needed. */
    this.needs = needs;
  }
}

/** Sends a request. @returns the body, and the ETag for a later If-Match @throws {Problem} if the status is not 2xx */
export async function send(method, path, { body, etag } = {}) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (etag !== undefined) headers["if-match"] = etag;
  const response = await reach(path, { method, headers, body: JSON.stringify(body) });
  const value = await readJson(response);
  if (!response.ok) throw problemOf(response, value ?? {});
  // Newer versions of Caddy add a suffix to the ETag of what they compress, and remove it from If-None-Match only.
  return { value, etag: response.headers.get("etag")?.replace(/-(gzip|zstd|br)"$/, '"') };
}

/** Gets the current session: login and groups; `undefined` without one. @throws {Problem} if the request fails */
export async function findSession() {
  try {
    return (await send("GET", "session/")).value;
  } catch (error) {
    if (error.code === "not-authenticated") return undefined;
    throw error;
  }
}

/** Loads a part of the page on demand. @throws {Problem} if it cannot be loaded */
export async function loadPart(load) {
  try {
    return await load();
  } catch (error) {
    // A failed download is a TypeError; an error inside the part is another one.
    if (!(error instanceof TypeError)) throw error;
    throw new Problem({ code: "unreachable" });
  }
}

/** Returns the path of a user, or a path below it. */
export function userPath(login, below = "") {
  return `user/${encodeURIComponent(login)}${below}`;
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Problem({ code: "unreachable" });
  }
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    // An empty body, or a page of a proxy.
    return undefined;
  }
}

function problemOf(response, { type = "", title, errors, needs }) {
  const code = type.startsWith("/problem/") ? type.slice("/problem/".length) : "";
  const isAway = code === "" && [502, 503, 504].includes(response.status);
  return new Problem({
    code: isAway ? "unreachable" : code,
    title: title ?? `${response.status}`,
    errors,
    needs,
    retrySeconds: Number(response.headers.get("retry-after") ?? 0),
  });
}
