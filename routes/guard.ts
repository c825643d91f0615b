/**
 * `/guard/`: decides whether a request to another site may pass, for Caddy's `forward_auth` and the like.
 *
 * The segments of the path are the groups that the user must be in. The query is ignored: proxies append the query of
 * the page, which the client chooses. No identity header is ever empty, because some versions of Caddy then pass the
 * header that the client forged (CVE-2026-30851). A browser that navigates is redirected to the login page of its own
 * host; other clients get a problem. At debug level the log explains each decision.
 */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { basicCredentials } from "../lib/accounts/basic_auth.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { safeRedirectPath } from "../lib/http/safe_redirect_path.ts";
import { decodeSegment } from "../lib/http/path_table.ts";
import { isNavigation, isSafe, methodOf, mount, notInGroupPage, notSentPage } from "../lib/http/error_page.ts";
import { bearerToken, cookieToken, forgetPages } from "../lib/accounts/session.ts";
import type { User } from "../lib/store.ts";
import { authenticate, loginProblems, tooManyAttempts, wrongCredentials } from "./auth/login_password.ts";
import { basicChallenge, challenge, liveSession } from "./auth/authorization.ts";
import { route } from "../lib/router.ts";

/** The group that every user is in. */
const everyone = "users";
/** Reserved for a session with two factors, which no session has yet. It is not a group. */
const secondFactor = "second-factor";
const maxDemands = 32;

export const guard = route("GET /guard/:demands*", {
  access: "session or password",
  summary: "Authorize a request to a guarded site",
  description:
    "For `forward_auth` of Caddy and the like: on 200 the proxy passes the request on with the Remote fields, " +
    "otherwise it sends this response to the client. A verified password of HTTP Basic is cached for a minute.",
  parameters: {
    demands: {
      type: "string",
      description:
        "Groups that the user must all be in, at most 32: `/guard/staff/night`. All users are in `users`, the " +
        "default. `second-factor` is reserved and has no members. The query is ignored, as proxies append their own.",
      examples: ["users"],
    },
    "X-Forwarded-Uri": { type: "string", description: "The path and query that the client requested." },
    "X-Forwarded-Method": { type: "string", default: "GET", description: "The method of the client." },
  },
  responses: {
    200: { headers: ["Remote-User", "Remote-Id", "Remote-Groups"], cacheControl: "" },
    302: { description: "To the login page, for a browser.", headers: ["Location", "Clear-Site-Data?"] },
  },
  problems: [...loginProblems, "not-in-group"],
  routineStatuses: [200],
  async handler(context) {
    const { request } = context;
    const demands = demandsOf(context.params["demands"] ?? "");
    // The cookie first: the guarded site may use `Authorization` for its own purpose.
    const token = cookieToken(request.headers);
    const found = token === undefined ? undefined : await liveSession(token, context);
    const user = found?.user ?? await userOfAuthorization(context);
    const isAllowed = user !== undefined && meets(user, demands);
    const { app, requestId } = context;
    app.log.debug?.("guard-decided", { isAllowed, user: user?.login, groups: user?.groups, demands, requestId });
    if (user === undefined) return requireLogin(request);
    if (!isAllowed) return rejectUser(request, user);
    const headers = { "remote-user": user.login, "remote-id": user.id, "remote-groups": groupsOf(user) };
    return new Response(null, { headers });
  },
});

/** @throws {HttpError} `malformed-path` */
function demandsOf(path: string): readonly string[] {
  if (path === "") return [everyone];
  // One more than allowed, so that `meets` rejects a longer path.
  return path.split("/", maxDemands + 1).map((segment) => {
    const demand = decodeSegment(segment);
    if (demand === undefined) throw new HttpError("malformed-path");
    return demand;
  });
}

/** An unknown demand is a group without members, so that a misspelt one rejects everyone. */
function meets({ groups }: User, demands: readonly string[]): boolean {
  return demands.length <= maxDemands &&
    demands.every((demand) => demand === everyone || demand !== secondFactor && groups.includes(demand));
}

/**
 * Returns the user of `Authorization`, if it has a session or right credentials.
 *
 * @throws {HttpError} `wrong-credentials`, `too-many-attempts`
 */
async function userOfAuthorization(context: Context): Promise<User | undefined> {
  const { app: { store, throttle, basicAuthCache }, request } = context;
  const { headers } = request;
  const token = bearerToken(headers);
  const found = token === undefined ? undefined : await liveSession(token, context);
  if (found !== undefined) return found.user;
  const credentials = basicCredentials(headers);
  if (credentials === undefined) return undefined;
  const { login } = credentials;
  const client = context.rateLimitKey;
  // First, so that a throttled client cannot test passwords against the cache.
  const waitSeconds = await throttle.waitSecondsOf(login, client);
  if (waitSeconds > 0) throw tooManyAttempts({ waitSeconds, user: await store.findUser(login) }, context);
  // Whether this request verified the password, and not another one with the same credentials.
  let isVerified = false;
  const user = await basicAuthCache.userOf(credentials, {
    client,
    find: (login) => store.findUser(login),
    hungUp: request.signal,
    verify: async (hungUp) => {
      const verified = await authenticate({ ...credentials, hungUp }, context);
      isVerified = true;
      return verified;
    },
  });
  if (user === undefined) {
    // The user was changed while the password was verified.
    if (isVerified) audit(context, "login-failed", { user: login });
    throw wrongCredentials(headers);
  }
  if (isVerified) audit(context, "login", { by: login, user: login, scheme: "basic" });
  return user;
}

function groupsOf({ groups }: User): string {
  return groups.length === 0 ? everyone : [everyone, ...groups.filter((group) => group !== everyone)].join(",");
}

/** Redirects a navigation to the login page; rejects other requests. */
function requireLogin(request: Request): Response {
  const { headers } = request;
  if (!isPageWanted(request)) {
    // A browser would show its own form for Basic over the page that sent the request.
    const isBrowser = headers.has("sec-fetch-mode");
    throw new HttpError("not-authenticated", { headers: isBrowser ? challenge : basicChallenge });
  }
  // A redirect would lose a submitted form.
  if (!isSafe(methodOf(request))) return notSentPage(request, challenge);
  const next = safeRedirectPath(headers.get("x-forwarded-uri") ?? "");
  const location = next === undefined ? mount : `${mount}?next=${encodeURIComponent(next)}`;
  // The browser had a session: the Back button must not show pages that it cached.
  const kept = cookieToken(headers) === undefined ? {} : forgetPages;
  return new Response(null, { status: 302, headers: { location, "cache-control": "no-store", ...kept } });
}

function rejectUser(request: Request, { login }: User): Response {
  if (!isPageWanted(request)) throw new HttpError("not-in-group");
  return notInGroupPage(request, login);
}

/** Whether a browser navigates. Browsers without `Sec-Fetch-Mode` are recognized by Accept. */
function isPageWanted(request: Request): boolean {
  const { headers } = request;
  if (headers.has("sec-fetch-mode")) return isNavigation(headers);
  return isSafe(methodOf(request)) && (headers.get("accept") ?? "").includes("text/html");
}
