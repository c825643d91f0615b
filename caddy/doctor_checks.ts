/**
 * The doctor's checks, in the order of the table in `doctor.ts`, which says what each of them ensures.
 * Forged values contain a marker: to see it anywhere is a failure, not to see it counts on a page that shows headers.
 */

import type { Account, SiteClient, SiteResponse } from "./doctor_client.ts";

/** Why a check fails (a text), or why it cannot tell; `undefined` when it passes. */
export type Failure = string | { readonly unknown: string } | undefined;

/** Tries one property of a guarded site. */
export type Check<Subject> = (subject: Subject) => Failure | Promise<Failure>;

/** What a check without a session works with. */
export interface Visitor {
  readonly site: SiteClient;
  /** Path and query of a guarded page. */
  readonly path: string;
  /** A random text that only the doctor's requests contain. */
  readonly marker: string;
}

/** A visitor who has logged in. */
export interface Entered extends Visitor {
  readonly account: Account;
  /** The cookie of the session, as `name=value`. */
  readonly cookie: string;
}

/** What a check with a session works with. */
export interface Member extends Entered {
  readonly observation: Awaited<ReturnType<typeof observe>>;
}

/** Checks that need a page that prints its request headers cannot tell. */
export const pageShowsNothing: Failure = { unknown: "the page shows no headers" };

/** Browsers take these for another host where a path is expected. */
const elsewhere = ["//evil.example/", "///evil.example/", "/\\evil.example/"];
/** A session token of the right form. */
const forgedToken = `01ARZ3NDEKTSV4RRFFQ69G5FAV.${"A".repeat(43)}`;
/** An address that is reserved for documentation (RFC 5737). */
const forgedAddress = "203.0.113.77";

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
  async page({ site }) {
    const page = await site.navigate("/auth/");
    const isPage = page.status === 200 && page.headers.get("content-type")?.startsWith("text/html");
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
    const { site, path, marker } = visitor;
    const uri = await site.navigate(path, [`X-Forwarded-Uri: /${marker}`]);
    if (uri.redirect?.search.includes(marker)) return "the guard trusts a forged X-Forwarded-Uri";
    const headers = ["Sec-Fetch-Mode: navigate", "Accept: text/html"];
    const post = `POST ${missingPath(visitor)}`;
    const honest = await site.send(post, { headers });
    const forged = await site.send(post, { headers: [...headers, "X-Forwarded-Method: GET"] });
    return forged.status === honest.status ? undefined : "the guard trusts a forged X-Forwarded-Method";
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

/** Checks with a session, in this order. Without the first, the others cannot tell. */
export const memberChecks: Readonly<Record<string, Check<Member>>> = {
  session({ path, observation: { response } }) {
    if (response.isAdmitted) return undefined;
    const text = `with a session the response to ${path} is ${response.status}`;
    // A guard may require a group that the account is not in.
    return response.status === 403 ? { unknown: `${text}; set DOCTOR_LOGIN to a user that may see it` } : text;
  },
  async ended(member) {
    const cookie = await member.account.logIn();
    // Requested before, in case something caches the guard's responses.
    const { isAdmitted, headers } = await visit({ ...member, cookie });
    await member.account.logOut(cookie);
    const { isRefused, status } = await visit({ ...member, cookie });
    if (!isRefused) return `the response is ${status}`;
    return isAdmitted && !headers.has("cache-control") ? "browsers keep pages, without Cache-Control" : undefined;
  },
  async identity(member) {
    const { showsHeaders, showsLogin } = member.observation;
    if (!showsLogin) return showsHeaders ? "the login does not arrive" : pageShowsNothing;
    // Caddy drops the headers that Connection names, including its own.
    const dropping = await observe(member, ["Connection: close, Remote-User"]);
    return dropping.showsLogin ? undefined : "`Connection: Remote-User` removes the login";
  },
  remote: neverArrive("Remote-User Remote-Email Remote-Name Remote-Groups Remote-Id"),
  underscores: neverArrive(
    "Remote_User REMOTE_EMAIL remote_groups Remote.User X_Real_IP X_WebAuth_User X_Original_URL X.Real.IP",
  ),
  forwarded: neverArrive(
    "X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Uri X-Forwarded-User X-Forwarded-Email " +
      "X-Forwarded-Groups X-Forwarded-Preferred-Username X_Forwarded_For X_Forwarded_User Forwarded",
  ),
  names: neverArrive(
    "X-Remote-User X-WebAuth-User X-Auth-Request-User X-Authenticated-User X-User X-authentik-username " +
      "X-Auth-User X-Proxy-User X-Token-User-Name SSL-Client-Cert X-Real-IP True-Client-IP CF-Connecting-IP " +
      "X-Client-IP X-Original-URL X-Rewrite-URL",
  ),
  async upgrade(member) {
    const { marker, observation } = member;
    // Removing "h2c" leaves it in `hh2c2c`. Of two lines Caddy passes on the first.
    const values = [["h2c"], ["hh2c2c"], [marker], [`h2c, ${marker}`], [`websocket, ${marker}`]];
    for (const lines of [...values, [marker, "websocket"]]) {
      const headers = ["Connection: close, Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"];
      const response = await visit(member, [...headers, ...lines.map((value) => `Upgrade: ${value}`)]);
      const isSwitched = response.status === 101 && !lines.includes("websocket");
      if (isSwitched || response.includes(marker)) return `\`Upgrade: ${lines.join()}\` arrives`;
    }
    if ((await visit(member, [`HTTP2-Settings: ${marker}`])).includes(marker)) return "HTTP2-Settings arrives";
    return observation.showsHeaders ? undefined : pageShowsNothing;
  },
  async address({ site, account }) {
    const cookie = await account.logIn([`X-Forwarded-For: ${forgedAddress}`, `Forwarded: for=${forgedAddress}`]);
    const path = `/auth/user/${encodeURIComponent(account.user.login)}/session/`;
    const sessions = await site.get(path, [`Cookie: ${cookie}`]);
    if (sessions.status !== 200) return { unknown: "the sessions of the account are not shown" };
    return sessions.includes(forgedAddress) ? "a forged X-Forwarded-For is trusted" : undefined;
  },
  async credentials(member) {
    const { site, path, cookie, marker, observation } = member;
    const cookies = await site.get(path, [`Cookie: a=${marker}; ${cookie}; b=c`]);
    // The secret half of the token.
    if (cookies.includes(cookie.slice(cookie.indexOf(".") + 1))) return "the session's cookie arrives";
    // The cookie is admitted, so no password need be sent to a site that may receive it.
    for (const scheme of ["Bearer", "Basic"]) {
      const header = `Authorization: ${scheme}`;
      if ((await visit(member, [`${header} ${marker}`])).includes(marker)) return `${header} arrives`;
    }
    return observation.showsHeaders && cookies.includes(marker) ? undefined : pageShowsNothing;
  },
  async next({ site, cookie }) {
    const urls = [...elsewhere, "https://evil.example/", "/\t/evil.example/", "\\\\evil.example/"];
    const values = urls.flatMap((url) => [encodeURIComponent(url), url.replace(/[\t\\]/g, encodeURIComponent)]);
    for (const next of values) {
      const { otherHost } = await site.navigate(`/auth/?next=${next}`, [`Cookie: ${cookie}`]);
      if (otherHost !== undefined) return `/auth/?next=${next} redirects to ${otherHost}`;
    }
    return undefined;
  },
  async query(member) {
    const { path, marker } = member;
    // A valid group without members; the others belong to the guard and to the page.
    for (const query of [`group=${marker.slice(0, 32)}`, "next=//evil.example/", "second-factor"]) {
      const target = `${path}${path.includes("?") ? "&" : "?"}${query}`;
      const { isAdmitted, status } = await visit({ ...member, path: target });
      if (!isAdmitted) return `the response with ?${query} is ${status}`;
    }
    return undefined;
  },
};

/** What the page shows of a request with these headers. */
export async function observe(member: Entered, headers: readonly string[] = []) {
  const { marker, account } = member;
  const response = await visit(member, [`Doctor-Probe: ${marker}`, ...headers]);
  const login = new RegExp(`(?<![a-z0-9])${RegExp.escape(account.user.login.toLowerCase())}(?![a-z0-9])`);
  return { response, showsHeaders: response.includes(marker), showsLogin: login.test(response.body) };
}

/** Requests the page with the session. */
function visit({ site, path, cookie }: Entered, headers: readonly string[] = []): Promise<SiteResponse> {
  return site.get(path, [`Cookie: ${cookie}`, ...headers]);
}

/** Checks that forged headers of these names do not arrive at the site. @param names separated by spaces */
function neverArrive(names: string): (member: Member) => Promise<Failure> {
  return async (member) => {
    const { marker, observation } = member;
    for (const name of names.split(" ")) {
      if ((await visit(member, [`${name}: ${marker}`])).includes(marker)) return `${name} arrives`;
    }
    return observation.showsHeaders ? undefined : pageShowsNothing;
  };
}

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
