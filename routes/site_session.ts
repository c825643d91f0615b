/**
 * Logins at guarded sites where there is a home, see `lib/accounts/sites.ts`. The browser goes to the home for a code:
 *
 *     the page wanted → /auth/?next= → HOME/?site=&state=&next= → /auth/site-session/?code=&state=&next= → the page
 *
 * The state is a challenge that is bound to the browser and the page wanted: nobody can log a browser in with a code of
 * their own (RFC 6749, 10.12). A code is a ticket: good once, for a minute, for this site, state and page. A redirect
 * leads only to the home, to a listed site, and there to a path.
 */

import { Buffer } from "node:buffer";
import { hash, randomBytes } from "node:crypto";
import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { cookieToken, expiresAt, sessionCookie, tokenPattern } from "../lib/accounts/session.ts";
import { boundCode, type CodeScope, siteCodeMs, withoutFragment } from "../lib/accounts/sites.ts";
import { createTicket, findGoodTicket } from "../lib/accounts/ticket.ts";
import { ceremonyBinding, ceremonyCookie, type ChallengeScope, presentedBinding } from "../lib/factors/challenge.ts";
import { isNavigation, notCompletedPage } from "../lib/http/error_page.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { mount, pageAddress, type PageParameters } from "../lib/http/page_address.ts";
import { query } from "../lib/http/query.ts";
import { safeRedirectPath } from "../lib/http/safe_redirect_path.ts";
import { route } from "../lib/router.ts";
import type { UserSession } from "../lib/store.ts";
import { liveSession } from "./auth/authorization.ts";

/** Of the cookie that binds a login to a browser: the login page may stay open for so long. */
const bindingMs = 24 * 60 * 60 * 1_000;
export const statePattern = /^[\w-]{1,200}$/;
/** A login that fails is begun again so often, then a page explains it. */
const maxAttempts = 2;

/** Leads a browser from a site to the page of the home. @param parameters without `next` it is only the account */
export function leadHome(
  parameters: PageParameters & { readonly site: string; readonly attempt?: number },
  { request, app: { sites, challenges } }: Context,
): Response {
  const { site, next, need, why, attempt = 1 } = parameters;
  const page = `${sites?.home}/`;
  if (next === undefined) return redirectTo(page);
  const binding = ceremonyBinding(request.headers);
  const state = challenges.issue(scopeOf(site, binding), Buffer.from([attempt, ...digestOf(next)]));
  return redirectTo(pageAddress({ why, site, state, need, next }, page), ceremonyCookie(binding, bindingMs));
}

/**
 * Leads a browser with a session of the home to the site, with a code.
 *
 * @returns `undefined` if the user cannot log in any more
 * @throws {HttpError} `cross-origin`: a page loads it, instead of a user who opens it
 */
export async function leadToSite(scope: CodeScope, { session, user }: UserSession, context: Context) {
  const { app: { store, now }, request: { headers } } = context;
  if ((headers.get("sec-fetch-dest") ?? "document") !== "document") throw new HttpError("cross-origin");
  const code = `${session.id}.${randomBytes(32).toString("base64url")}`;
  const options = { login: user.login, maker: "", now: now(), ttlMs: siteCodeMs, code: boundCode(code, scope) };
  const { ticket } = createTicket("site", options);
  if (await store.insertTicket(ticket, { target: user }) !== "done") return undefined;
  const { origin, state, next } = scope;
  return redirectTo(pageAddress({ code, state, next }, `${origin}${mount}site-session/`));
}

/** Leads a browser to the site, where the login begins. */
export function leadToBegin({ site, next = "/" }: { readonly site: string; readonly next?: string | undefined }) {
  return redirectTo(pageAddress({ next }, site + mount));
}

const codeQuery = query({
  code: { schema: { type: "string", pattern: tokenPattern.source }, parse: (text) => textOf(text, tokenPattern) },
  state: { schema: { type: "string" }, parse: (text) => textOf(text, statePattern) },
  next: {
    schema: { type: "string", description: "The path on this host to go to." },
    parse: (text = "") => safeRedirectPath(String(text)) ?? "/",
  },
});

export const openSiteSession = route("GET /site-session/", {
  access: "anyone",
  summary: "Log a browser in at a guarded site",
  description: "The home redirects to it, with a code that is good once, for a minute, and in one browser.",
  query: codeQuery,
  responses: {
    303: { description: "To `next`, or to begin again.", headers: ["Location", "Set-Cookie?", "Referrer-Policy"] },
  },
  problems: ["not-found", "unknown-site", "site-login-invalid"],
  isOnSites: true,
  async handler(context) {
    const { app: { sites, challenges }, request } = context;
    const origin = sites?.originOf(request);
    if (origin === undefined) throw new HttpError("not-found");
    const { code, state = "", next } = codeQuery.parse(request);
    const binding = presentedBinding(request.headers);
    const opened = binding === undefined ? undefined : challenges.open(state, scopeOf(origin, binding));
    const [attempt = 1, ...digest] = opened?.payload ?? [];
    const isBound = digestOf(next).equals(Buffer.from(digest));
    const scope = { origin, state, next, binding: isBound ? binding : undefined };
    const cookie = code === undefined ? undefined : await exchange(code, scope, context);
    if (cookie !== undefined) return redirectTo(next, cookie);
    // Another tab has completed it, or the browser has gone back.
    const token = cookieToken(request.headers);
    if (token !== undefined && await liveSession(token, context, origin)) return redirectTo(next);
    // Without the cookie, which it may not store, the browser would be led in circles.
    const isLast = binding === undefined || attempt >= maxAttempts;
    if (!isLast) return leadHome({ site: origin, next, attempt: attempt + 1 }, context);
    if (isNavigation(request.headers)) return notCompletedPage(request, next);
    throw new HttpError("site-login-invalid");
  },
});

/**
 * Uses a code up, even if the wrong browser presents it: a reader of the proxy's log could present it in the right one.
 *
 * @returns the cookie with the token of the site; `undefined` if the code is not good, or without `binding`
 */
async function exchange(
  code: string,
  { binding, ...scope }: CodeScope & { readonly binding: string | undefined },
  context: Context,
): Promise<string | undefined> {
  const { app: { store, sites, config, now } } = context;
  const ticket = await findGoodTicket(boundCode(code, scope), { store, purposes: ["site"], now: now() });
  const found = ticket && await store.findSession(code.slice(0, code.indexOf(".")));
  if (sites === undefined || found === undefined || now() >= expiresAt(found.session, config)) return undefined;
  const { session, user } = found;
  const made = binding === undefined ? undefined : sites.logInAt(scope.origin, { session, binding });
  const update = { ...made && { site: made.site, knownOrigins: sites.origins }, ticketHash: ticket?.secretHash };
  if (!await store.updateSession(session.id, user, update) || made === undefined) return undefined;
  audit(context, "site-login", { by: user.login, user: user.login, site: scope.origin });
  return sessionCookie(made.token, Math.floor((session.createdAt + config.sessionMaxMs - now()) / 1_000));
}

function redirectTo(location: string, cookie?: string): Response {
  const fields = { location, "cache-control": "no-store", "referrer-policy": "no-referrer" };
  return new Response(null, {
    status: 303,
    headers: { ...fields, ...cookie !== undefined && { "set-cookie": cookie } },
  });
}

function scopeOf(origin: string, binding: string): ChallengeScope {
  return { purpose: "site-login", login: "", binding: `${binding} ${origin}` };
}

function digestOf(next: string): Buffer {
  return hash("sha256", withoutFragment(next), "buffer");
}

function textOf(text: unknown, pattern: RegExp): string | undefined {
  return typeof text === "string" && pattern.test(text) ? text : undefined;
}
