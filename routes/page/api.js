/**
 * Requests to the service. Addresses are relative to the page, so that it works wherever the service is mounted.
 *
 * Whatever goes wrong is thrown as a `Problem`: what the service answered (RFC 9457), a proxy, or nobody.
 */

/** What went wrong. */
export class Problem extends Error {
  constructor({ code, title = "", errors = [], retrySeconds = 0 }) {
    super(title || code);
    /** As in `/problem/<code>`; "" when it is not the service's own. */
    this.code = code;
    this.title = title;
    /** Every bad field: pointer, code, detail. */
    this.errors = errors;
    /** After which to come again; 0 is unknown. */
    this.retrySeconds = retrySeconds;
  }
}

/** Sends a request. @returns the body, and the ETag for a later If-Match @throws {Problem} */
export async function send(method, path, { body, etag } = {}) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (etag !== undefined) headers["if-match"] = etag;
  const reply = await reach(path, { method, headers, body: JSON.stringify(body) });
  const value = await readJson(reply);
  if (!reply.ok) throw problemOf(reply, value ?? {});
  // Later versions of Caddy mark the ETag of what they compress, and take the mark off If-None-Match alone.
  return { value, etag: reply.headers.get("etag")?.replace(/-(gzip|zstd|br)"$/, '"') };
}

/** Who is logged in: login and groups; `undefined` when nobody is. @throws {Problem} when that cannot be said */
export async function findSession() {
  try {
    return (await send("GET", "session/")).value;
  } catch (error) {
    if (error.code === "not-authenticated") return undefined;
    throw error;
  }
}

/** Loads a part of the page that is not there from the beginning. @throws {Problem} when it cannot be had now */
export async function loadPart(load) {
  try {
    return await load();
  } catch (error) {
    // As for a request; what is wrong inside of a part is another error.
    if (!(error instanceof TypeError)) throw error;
    throw new Problem({ code: "unreachable" });
  }
}

/** The path of a user, and what is below it. */
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

async function readJson(reply) {
  try {
    return await reply.json();
  } catch {
    // Nothing, or the page of some proxy.
    return undefined;
  }
}

function problemOf(reply, { type = "", title, errors }) {
  const code = type.startsWith("/problem/") ? type.slice("/problem/".length) : "";
  const isAway = code === "" && [502, 503, 504].includes(reply.status);
  return new Problem({
    code: isAway ? "unreachable" : code,
    title: title ?? `${reply.status}`,
    errors,
    retrySeconds: Number(reply.headers.get("retry-after") ?? 0),
  });
}
