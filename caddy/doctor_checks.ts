/**
 * The doctor's checks without a session, in the order of the table in `doctor.ts`, which says what each of them
 * ensures.
 */

import type { Place } from "./doctor_account.ts";

/** Why a check fails (a text), or why it cannot tell; `undefined` when it passes. */
export type Failure = string | { readonly unknown: string } | undefined;

/** Tries one property of a guarded site. */
export type Check<Subject> = (subject: Subject) => Failure | Promise<Failure>;

/** What a check without a session works with. */
export interface Visitor extends Place {
  /** Path and query of a guarded page. */
  readonly path: string;
  /** A random text that only the doctor's requests contain. */
  readonly marker: string;
}

/** Browsers take these for another host where a path is expected. */
export const elsewhere = ["//evil.example/", "///evil.example/", "/\\evil.example/"];
/** A session token of the right form. */
const forgedToken = `01ARZ3NDEKTSV4RRFFQ69G5FAV.${"A".repeat(43)}`;
/** Checks without a session: nothing of the site is available. The most serious failures come first. */
export const visitorChecks: Readonly<Record<string, Check<Visitor>>> = {
  async "no-session"({ site, path }) {
    const page = await site.navigate(path);
    if (!page.isLoginRedirect) return `a browser that navigates gets ${page.status}`;
    const next = page.redirect?.searchParams.get("next");
    if (next !== path) return `after login the browser goes to ${next} instead of ${path}`;
    const program = await site.get(path);
    if (program.status !== 401) return `a program gets ${program.status}`;
    return program.headers.has("www-authenticate") ? undefined : "the 401 lacks WWW-Authenticate";
  },
  async page({ site, home }) {
    const page = await site.navigate("/auth/");
    const isHtml = page.status === 200 && page.headers.get("content-type")?.startsWith("text/html");
    const [, shown = site.url.origin] = /\sdata-home="([^"]+)"/.exec(page.body) ?? [];
    const isPage = home === undefined ? isHtml : page.redirect?.origin === home.url.origin;
    if (shown !== site.url.origin) return `/auth/ asks for passwords, which belong to ${shown} only`;
    if (!isPage) return `the response to /auth/ is ${page.status}`;
    const bare = await site.get("/auth");
    return bare.isLoginRedirect ? undefined : `the response to /auth is ${bare.status}`;
  },
  methods(visitor) {
    const methods = ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "TRACE", "DOCTOR"];
    return findAdmitted(visitor, methods.map((method) => [`${method} ${missingPath(visitor)}`]));
  },
  paths(visitor) {
    const roots = ["/auth/..", "/auth/%2e%2e", "//auth/..", "/%61uth/..", "/AUTH/..", "/auth/x/../..", "/%2e", "/"];
    const paths = ["/authx", "/auth..", "/auth../", "/auth%2f..%2f", "/auth;/", "/auth%00/"];
    const targets = [...roots.map((root) => root + visitor.path), ...paths];
    return findAdmitted(visitor, targets.map((target) => [`GET ${target}`]));
  },
  forged(visitor) {
    const identity = ["User: admin", "Id: 01ARZ3NDEKTSV4RRFFQ69G5FAV", "Groups: users,admin"];
    const forgeries = [
      identity.map((line) => `Remote-${line}`),
      identity.map((line) => `Remote_${line}`),
      [`Cookie: __Host-gatehouse=${forgedToken}`],
      [`Authorization: Bearer ${forgedToken}`],
    ];
    return findAdmitted(visitor, forgeries.map((headers) => [`GET ${visitor.path}`, headers]));
  },
  async decision(visitor) {
    const { site, home, path, marker } = visitor;
    const uri = await site.navigate(path, [`X-Forwarded-Uri: /${marker}`]);
    if (uri.redirect?.search.includes(marker)) return "the guard trusts a forged X-Forwarded-Uri";
    const headers = ["Sec-Fetch-Mode: navigate", "Accept: text/html"];
    const post = `POST ${missingPath(visitor)}`;
    const honest = await site.send(post, { headers });
    const forged = await site.send(post, { headers: [...headers, "X-Forwarded-Method: GET"] });
    if (forged.status !== honest.status) return "the guard trusts a forged X-Forwarded-Method";
    const atHome = await site.get("/auth/", [`X-Forwarded-Host: ${home?.url.host ?? site.url.host}`]);
    // Where there is no home, the host changes no response.
    return home === undefined || atHome.otherHost === home.url.host
      ? undefined
      : "Gatehouse trusts a forged X-Forwarded-Host, as if the site were its home";
  },
  async redirect({ site }) {
    // The last two only where a redirect decodes or shortens the path.
    for (const target of [...elsewhere, "/%2fevil.example/", "//evil.example/%2e%2e"]) {
      const { otherHost } = await site.navigate(target);
      if (otherHost !== undefined) return `${target} redirects to ${otherHost}`;
    }
    return undefined;
  },
  async metrics({ site }) {
    for (const spelling of ["metrics", "metrics/", "/metrics", "./metrics", "METRICS", "%6detrics", "x/../metrics"]) {
      const { status } = await site.get(`/auth/${spelling}`);
      if (status < 400) return `the response to /auth/${spelling} is ${status}`;
    }
    return undefined;
  },
  async guard({ site }) {
    for (const spelling of ["guard/", "guard/users", "/guard/", "./guard/", "%67uard/", "x/../guard/"]) {
      const response = await site.navigate(`/auth/${spelling}`);
      // For a page that a proxy asks about, the guard would set `next`.
      const isAnswered = response.isLoginRedirect && !response.redirect?.searchParams.has("next");
      if (isAnswered || response.headers.has("remote-user")) return `the guard responds to /auth/${spelling}`;
    }
    return undefined;
  },
};

/** The first request that is admitted without a session. */
async function findAdmitted(
  { site }: Visitor,
  requests: readonly (readonly [request: string, headers?: readonly string[]])[],
): Promise<Failure> {
  for (const [request, headers = []] of requests) {
    const { isRefused, status } = await site.send(request, { headers });
    if (isRefused || request.startsWith("TRACE ") && status === 405) continue;
    const [forged = ""] = headers.map((line) => ` with a forged ${line.split(":", 1).join()}`);
    return `the response to ${request}${forged} is ${status}`;
  }
  return undefined;
}

/** A path next to the page that does not exist, so a DELETE harms nothing if the site is not guarded. */
function missingPath({ site, path, marker }: Visitor): string {
  return new URL(marker, new URL(path, site.url)).pathname;
}
