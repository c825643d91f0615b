/**
 * `/guard/`: decides whether a request to another site may pass, for Caddy's `forward_auth` and the like.
 *
 * The segments of the path are the groups that the user must be in. The query is ignored: proxies append the query of
 * the page, which the client chooses. No identity header is ever empty, because some versions of Caddy then pass the
 * header that the client forged (CVE-2026-30851). A browser that navigates is redirected to the login page of its own
 * host; other clients get a problem. At debug level the log explains each decision.
 */

import type { Context } from "../lib/app.ts";
import { bearerToken, cookieToken, forgetPages } from "../lib/accounts/session.ts";
import { maxHostLength } from "../lib/accounts/sites.ts";
import { hasSecondFactor, requiresSecondFactor } from "../lib/factors/second_factor.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { safeRedirectPath } from "../lib/http/safe_redirect_path.ts";
import { decodeSegment } from "../lib/http/path_table.ts";
import { isNavigation, isSafe, methodOf, notInGroupPage, notSentPage } from "../lib/http/error_page.ts";
import { otherAccountAddress, pageAddress } from "../lib/http/page_address.ts";
import { basicChallenge, challenge } from "./auth/authorization.ts";
import { loginProblems } from "./auth/login_password.ts";
import { everyone, findVisitor, type Visitor } from "./auth/visitor.ts";
import { route } from "../lib/router.ts";

/** Demands a session with a second factor. It is not a group. */
const secondFactor = "second-factor";
const maxDemands = 32;

export const guard = route("GET /guard/:demands*", {
  access: "session or Basic",
  summary: "Authorize a request to a guarded site",
  description:
    "For `forward_auth` of Caddy and the like: on 200 the proxy passes the request on with the Remote fields, " +
    "otherwise it sends this response to the client. HTTP Basic takes app passwords, and of users without a second " +
    "factor the account's password, which is cached for a minute.",
  parameters: {
    demands: {
      type: "string",
      description:
        "Groups that the user must all be in, at most 32: `/guard/staff/night`. All users are in `users`, the " +
        "default. `second-factor` demands a session with a second factor. The query is ignored, as proxies append " +
        "their own.",
      examples: ["users"],
    },
    "X-Forwarded-Uri": { type: "string", description: "The path and query that the client requested." },
    "X-Forwarded-Method": { type: "string", default: "GET", description: "The method of the client." },
    "Gatehouse-Subrequest": {
      type: "string",
      description: "With any value, each refusal is a 403, as it must be for `auth_request` of nginx.",
    },
  },
  responses: {
    200: { headers: ["Remote-User", "Remote-Id", "Remote-Groups"], cacheControl: "" },
    302: {
      description: "To the page that asks for a login or a second factor, for a browser.",
      headers: ["Location", "Clear-Site-Data?"],
    },
  },
  problems: [...loginProblems, "not-in-group", "unknown-site"],
  routineStatuses: [200],
  isOnSites: true,
  handler(context) {
    return context.request.headers.has("gatehouse-subrequest") ? decideBriefly(context) : decide(context);
  },
});

/**
 * Decides for `auth_request` of nginx, which takes 200, 401 and 403. nginx then requests the response for its client
 * itself, and would add the challenge of a 401 to it.
 *
 * @throws {HttpError} `not-in-group`, whatever the refusal
 */
async function decideBriefly(context: Context): Promise<Response> {
  try {
    const response = await decide(context);
    if (response.ok) return response;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
  }
  throw new HttpError("not-in-group");
}

async function decide(context: Context): Promise<Response> {
  const { app: { log, config }, request, requestId } = context;
  const demands = demandsOf(context.params["demands"] ?? "");
  const explain = (decision: Readonly<Record<string, unknown>>) =>
    log.debug?.("guard-decided", {
      ...decision,
      host: request.headers.get("x-forwarded-host")?.slice(0, maxHostLength),
      demands,
      requestId,
    });
  const visitor = await findVisitor(context).catch((error) => {
    explain({ isAllowed: false, reason: error instanceof HttpError ? error.code : "failed" });
    throw error;
  });
  const { user, groups, session } = visitor ?? {};
  const isInGroups = groups !== undefined && meets(groups, demands);
  // HTTP Basic is one factor, and has met the policy.
  const isRequired = demands.includes(secondFactor) || visitor?.session && requiresSecondFactor(visitor.user, config);
  const lacksFactor = isRequired && !(session && hasSecondFactor(session));
  const isAllowed = isInGroups && !lacksFactor;
  const factorReason = isAllowed ? undefined : "second-factor-required";
  const reason = visitor === undefined ? whyNoVisitor(request) : isInGroups ? factorReason : "not-in-group";
  explain({ isAllowed, reason, user: user?.login, groups });
  if (visitor === undefined) return leadToPage(request);
  if (!isInGroups) return rejectUser({ ...visitor, demands }, context);
  if (lacksFactor) return leadToPage(request, secondFactor);
  const { login, id } = visitor.user;
  const headers = { "remote-user": login, "remote-id": id, "remote-groups": visitor.groups.join() };
  return new Response(null, { headers });
}

/** The reason in the log, where no problem says more than that there is no session. */
function whyNoVisitor({ headers }: Request): string {
  return (cookieToken(headers) ?? bearerToken(headers)) === undefined ? "no-session" : "session-ended";
}

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
function meets(groups: readonly string[], demands: readonly string[]): boolean {
  return demands.length <= maxDemands &&
    demands.every((demand) => demand === secondFactor || groups.includes(demand));
}

/**
 * Redirects a navigation to the page, which leads back after a login; rejects other requests.
 *
 * @param need what the user lacks, which the page asks for or sets up; by default a session
 */
function leadToPage(request: Request, need?: typeof secondFactor): Response {
  const { headers } = request;
  if (!isPageWanted(request)) {
    if (need !== undefined) throw new HttpError("second-factor-required", { headers: challenge });
    // A browser would show its own form for Basic over the page that sent the request.
    const isBrowser = headers.has("sec-fetch-mode");
    throw new HttpError("not-authenticated", { headers: isBrowser ? challenge : basicChallenge });
  }
  // A redirect would lose a submitted form.
  if (!isSafe(methodOf(request))) return notSentPage(request, { headers: challenge, need });
  const hadSession = need === undefined && cookieToken(headers) !== undefined;
  const why = hadSession ? "ended" : undefined;
  const location = pageAddress({ why, need, next: safeRedirectPath(headers.get("x-forwarded-uri") ?? "") });
  // The Back button must not show pages that the browser cached.
  const forget = hadSession ? forgetPages : {};
  return new Response(null, { status: 302, headers: { location, "cache-control": "no-store", ...forget } });
}

function rejectUser(
  { user, groups, demands }: Visitor & { readonly demands: readonly string[] },
  { request, app: { sites } }: Context,
): Response {
  if (!isPageWanted(request)) throw new HttpError("not-in-group");
  const missing = demands.filter((demand) => demand !== secondFactor && !groups.includes(demand));
  const wanted = safeRedirectPath(request.headers.get("x-forwarded-uri") ?? "") ?? "/";
  const site = sites?.originOf(request);
  const otherAccount = sites === undefined || site === undefined
    ? otherAccountAddress(wanted)
    : otherAccountAddress(pageAddress({ site, next: wanted }, "/"), `${sites.home}/`);
  return notInGroupPage(request, { login: user.login, missing, otherAccount });
}

/** Whether a browser navigates. Browsers without `Sec-Fetch-Mode` are recognized by Accept. */
function isPageWanted(request: Request): boolean {
  const { headers } = request;
  if (headers.has("sec-fetch-mode")) return isNavigation(headers);
  return isSafe(methodOf(request)) && (headers.get("accept") ?? "").includes("text/html");
}
