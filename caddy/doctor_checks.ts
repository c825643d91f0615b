/**
 * What a check of the doctor is, and the table of the checks without a session.
 *
 * A check states a property of a guarded site, and names the lines of `caddy/guarded.Caddyfile` that ensure it.
 */

import type { Account, AccountSession, Message, SiteClient, SiteResponse } from "./doctor_client.ts";

/**
 * Why a check fails (a text), or why it cannot tell; `undefined` when it passes. With `needsHeadersPage` it could tell
 * on a page that prints its request headers.
 */
export type Failure = string | { readonly unknown: string; readonly needsHeadersPage?: true } | undefined;

/** One property of a guarded site. */
export interface Check<Subject> {
  readonly holds: string;
  readonly fixes: readonly Fix[];
  run(subject: Subject): Failure | Promise<Failure>;
}

/** Lines of `caddy/guarded.Caddyfile`, from the first that begins with `from` to the next that begins with `to`. */
export interface Fix {
  readonly from: string;
  /** By default there is only one line. */
  readonly to?: string;
  readonly where: string;
}

/** What a check without a session works with. */
export interface Visitor {
  readonly site: SiteClient;
  /** Path and query of a guarded page. */
  readonly path: string;
  /** A random text that only the doctor's requests contain. */
  readonly marker: string;
}

/** What a check with a session works with. */
export interface Member extends Visitor {
  readonly account: Account;
  readonly session: AccountSession;
  readonly observation: Observation;
}

/** What the page shows of a request. */
export interface Observation {
  readonly response: SiteResponse;
  readonly showsHeaders: boolean;
  readonly showsLogin: boolean;
}

interface ForgedRequest extends Message {
  readonly method?: string;
  readonly target?: string;
}

const first = "in route, before everything else";

/** What is written into the Caddyfile. */
export const fixes = {
  askGuard: { from: "forward_auth ", to: "}", where: "in route, with no matcher before the address" },
  loginPage: { from: "redir /auth ", to: "}", where: "in route, before forward_auth" },
  credentials: { from: "request_header -Auth", to: "request_header @guard-no-cookie", where: "after forward_auth" },
  underscores: { from: "request_header -*_*", to: "request_header -*.*", where: first },
  remote: { from: "request_header -*Remote*", where: first },
  forwarded: { from: "request_header -*Forwarded*", where: `${first}; no trusted_proxies in handle_path /auth/*` },
  names: { from: "request_header -*Proxy*", to: "request_header -X-Rewrite-URL", where: first },
  websocket: { from: "@guard-not-websocket", to: "request_header -HTTP2-Settings", where: first },
} satisfies Readonly<Record<string, Fix>>;

/** Browsers take these for another host where a path is expected. */
export const elsewhere = ["//evil.example/", "///evil.example/", "/\\evil.example/"];
/** A session token of the right form. */
const forgedToken = `01ARZ3NDEKTSV4RRFFQ69G5FAV.${"A".repeat(43)}`;

/** Checks without a session: nothing of the site is available. The most serious failures come first. */
export const visitorChecks: Readonly<Record<string, Check<Visitor>>> = {
  "no-session": {
    holds: "without a session browsers are redirected to the login page, and programs get 401",
    fixes: [fixes.askGuard],
    async run({ site, path }) {
      const page = await site.navigate(path);
      if (!page.isLoginRedirect) return `a browser that navigates gets ${page.status}`;
      const next = page.redirect?.searchParams.get("next");
      if (next !== path) return `after login the browser goes to ${next} instead of ${path}`;
      const program = await site.get(path);
      if (program.status !== 401) return `a program gets ${program.status}`;
      return program.headers.has("www-authenticate") ? undefined : "the 401 lacks WWW-Authenticate";
    },
  },
  page: {
    holds: "the login page is at /auth/, and /auth redirects to it",
    fixes: [fixes.loginPage],
    async run({ site }) {
      const page = await site.navigate("/auth/");
      const isPage = page.status === 200 && page.headers.get("content-type")?.startsWith("text/html");
      if (!isPage) return `the response to /auth/ is ${page.status}`;
      const bare = await site.get("/auth");
      return bare.isLoginRedirect ? undefined : `the response to /auth is ${bare.status}`;
    },
  },
  methods: {
    holds: "no method passes without a session",
    fixes: [fixes.askGuard],
    run: (visitor) => {
      const methods = ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "TRACE", "DOCTOR"];
      return findAdmitted(visitor, methods.map((method) => ({ method, target: missingPath(visitor) })));
    },
  },
  paths: {
    holds: "no path that resembles /auth/ passes without a session",
    fixes: [fixes.askGuard],
    run: (visitor) => {
      const roots = ["/auth/..", "/auth/%2e%2e", "//auth/..", "/%61uth/..", "/AUTH/..", "/auth/x/../..", "/%2e", "/"];
      const paths = ["/authx", "/auth..", "/auth../", "/auth%2f..%2f", "/auth;/", "/auth%00/"];
      const targets = [...roots.map((root) => root + visitor.path), ...paths];
      return findAdmitted(visitor, targets.map((target) => ({ target })));
    },
  },
  forged: {
    holds: "forged Remote-* headers and a made-up session are refused",
    fixes: [fixes.askGuard],
    run: (visitor) => {
      const identity = ["User: admin", "Id: 01ARZ3NDEKTSV4RRFFQ69G5FAV", "Groups: users,admin"];
      return findAdmitted(visitor, [
        { headers: identity.map((line) => `Remote-${line}`) },
        { headers: identity.map((line) => `Remote_${line}`) },
        { headers: [`Cookie: __Host-gatehouse=${forgedToken}`] },
        { headers: [`Authorization: Bearer ${forgedToken}`] },
      ]);
    },
  },
  decision: {
    holds: "forged X-Forwarded-* headers do not change the guard's decision",
    fixes: [fixes.forwarded],
    async run(visitor) {
      const { site, path, marker } = visitor;
      const uri = await site.navigate(path, [`X-Forwarded-Uri: /${marker}`]);
      if (uri.redirect?.search.includes(marker)) return "the guard trusts a forged X-Forwarded-Uri";
      const headers = ["Sec-Fetch-Mode: navigate", "Accept: text/html"];
      const post = `POST ${missingPath(visitor)}`;
      const honest = await site.send(post, { headers });
      const forged = await site.send(post, { headers: [...headers, "X-Forwarded-Method: GET"] });
      return forged.status === honest.status ? undefined : "the guard trusts a forged X-Forwarded-Method";
    },
  },
  redirect: {
    holds: "without a session no path redirects to another host",
    fixes: [fixes.askGuard],
    async run({ site }) {
      // The last two only where a redirect decodes or shortens the path.
      for (const target of [...elsewhere, "/%2fevil.example/", "//evil.example/%2e%2e"]) {
        const { otherHost } = await site.navigate(target);
        if (otherHost !== undefined) return `${target} redirects to ${otherHost}`;
      }
      return undefined;
    },
  },
  metrics: {
    holds: "/auth/metrics is not served",
    fixes: [fixes.loginPage],
    async run({ site }) {
      for (const spelling of ["metrics", "metrics/", "/metrics", "./metrics", "METRICS", "%6detrics", "x/../metrics"]) {
        const { status } = await site.get(`/auth/${spelling}`);
        if (status < 400) return `the response to /auth/${spelling} is ${status}`;
      }
      return undefined;
    },
  },
  guard: {
    holds: "/auth/guard/ is not served: only the proxy asks the guard",
    fixes: [fixes.loginPage],
    async run({ site }) {
      for (const spelling of ["guard/", "guard/users", "/guard/", "./guard/", "%67uard/", "x/../guard/"]) {
        const response = await site.navigate(`/auth/${spelling}`);
        // For a page that a proxy asks about, the guard would set `next`.
        const isAnswered = response.isLoginRedirect && !response.redirect?.searchParams.has("next");
        if (isAnswered || response.headers.has("remote-user")) return `the guard responds to /auth/${spelling}`;
      }
      return undefined;
    },
  },
};

/** The first request that is admitted without a session. */
async function findAdmitted({ site, path }: Visitor, requests: readonly ForgedRequest[]): Promise<Failure> {
  for (const { method = "GET", target = path, headers = [] } of requests) {
    const { isRefused, status } = await site.send(`${method} ${target}`, { headers });
    const [forged] = headers.map((line) => ` with a forged ${line.split(":", 1).join()}`);
    if (!isRefused) return `the response to ${method} ${target}${forged ?? ""} is ${status}`;
  }
  return undefined;
}

/** A path next to the page that does not exist, so a DELETE harms nothing if the site is not guarded. */
function missingPath({ site, path, marker }: Visitor): string {
  return new URL(marker, new URL(path, site.url)).pathname;
}
