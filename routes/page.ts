/**
 * `/` and `/page/`: the web page.
 *
 * All addresses in its files are relative, so that it works wherever a proxy mounts the service:
 * `caddy/guarded.Caddyfile` does so at `/auth/`.
 */

import { cookieToken } from "../lib/accounts/session.ts";
import type { App } from "../lib/app.ts";
import { html, type HtmlValue } from "../lib/http/html.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { query } from "../lib/http/query.ts";
import { safeRedirectPath } from "../lib/http/safe_redirect_path.ts";
import { type StaticBody, staticResponse } from "../lib/http/static_response.ts";
import { hasSecondFactor } from "../lib/factors/second_factor.ts";
import { liveSession } from "./auth/authorization.ts";
import index from "./page/index.html" with { type: "text" };
import { leadHome, leadToBegin, leadToSite, statePattern } from "./site_session.ts";
import { pageFiles } from "./page_file.ts";
import { route } from "../lib/router.ts";

/** Where to go with a session, on which site, and what the session must have. */
const nextQuery = query({
  next: {
    schema: { type: "string", description: "The path on this host to go to after login. Anything else is ignored." },
    parse: (text = "") => safeRedirectPath(String(text)),
  },
  need: {
    schema: {
      type: "string",
      description: "`second-factor` if `next` requires a session with one: the page asks for it, or sets one up.",
    },
    parse: (text) => text === "second-factor" ? text : undefined,
  },
  why: {
    schema: { type: "string", description: "`ended` if the session has ended: the page says so." },
    parse: (text) => text === "ended" ? text : undefined,
  },
  site: {
    schema: { type: "string", description: "The origin of the guarded site that has `next`, at a home." },
    parse: (text) => typeof text === "string" ? text : undefined,
  },
  state: {
    schema: { type: "string", pattern: statePattern.source, description: "What the site has given to the browser." },
    parse: (text) => typeof text === "string" && statePattern.test(text) ? text : undefined,
  },
});

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Opened by itself, an SVG is a document: it may have styles, and runs no script. */
const logoPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

const headers = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": policy,
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
};

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** A session does not load what only visitors need, and the other way round: a login loads the page again. */
const visitorParts = /^.* data-visitor>\n/gm;
const sessionParts = /^[^\n]* data-session>\n|\s*<!-- Of sessions: .*(?=\n *<\/body>)/gms;

const visitorPage = staticResponse((app: App) => pageOf(app, "none"));
const sessionPage = staticResponse((app: App) => pageOf(app, "live"));
const logoFile = staticResponse(({ logo }: App) => {
  if (logo === undefined) throw new HttpError("not-found");
  return { content: logo.bytes, headers: { "content-type": logo.type, "content-security-policy": logoPolicy } };
});

const files = new Map([
  ...Array.from(pageFiles, ([name, content]) => {
    const type = types[name.slice(name.lastIndexOf(".") + 1)] ?? "";
    return [name, staticResponse((_: App) => ({ content, headers: { "content-type": type } }))] as const;
  }),
  ["logo", logoFile],
]);

export const showPage = route("GET /", {
  access: "anyone",
  summary: "Open the web page",
  query: nextQuery,
  responses: {
    200: {
      types: ["text/html"],
      headers: ["ETag", "Content-Security-Policy", "Permissions-Policy", "Referrer-Policy"],
    },
    302: { description: "To `next`, as the browser has a session.", headers: ["Location"] },
    303: {
      description: "Between a guarded site and its home.",
      headers: ["Location", "Set-Cookie?", "Referrer-Policy"],
    },
  },
  problems: ["unknown-site", "cross-origin"],
  isOnSites: true,
  async handler(context) {
    const { request, app, app: { sites } } = context;
    const origin = sites?.originOf(request);
    const { site, state, ...wanted } = nextQuery.parse(request);
    if (origin !== undefined) return leadHome({ ...wanted, site: origin }, context);
    const isForSite = sites !== undefined && site !== undefined;
    if (isForSite && !sites.origins.includes(site)) throw new HttpError("unknown-site");
    const { next, need } = wanted;
    if (isForSite && state === undefined) return leadToBegin({ site, next });
    const token = cookieToken(request.headers);
    const found = token === undefined ? undefined : await liveSession(token, context);
    const isReady = found !== undefined && (need === undefined || hasSecondFactor(found.session));
    if (isForSite && state !== undefined && isReady) {
      const response = await leadToSite({ origin: site, state, next: next ?? "/" }, found, context);
      return response ?? visitorPage(request, app);
    }
    if (next !== undefined && isReady) {
      return new Response(null, { status: 302, headers: { location: next, "cache-control": "no-store" } });
    }
    return (found === undefined ? visitorPage : sessionPage)(request, app);
  },
});

export const showPageFile = route("GET /page/:file", {
  access: "anyone",
  summary: "Get a file of the web page",
  parameters: { file: { type: "string", description: "The name of the file, or `logo`.", examples: ["main.js"] } },
  responses: {
    200: {
      types: ["text/javascript", "text/css", "image/svg+xml", "image/png"],
      headers: ["ETag", "Content-Security-Policy?"],
    },
  },
  problems: ["not-found"],
  isStatic: true,
  handler({ request, params, app }) {
    const file = files.get(params["file"] ?? "");
    if (file === undefined) throw new HttpError("not-found");
    return file(request, app);
  },
});

/** The page says whether there is a session, so that a visitor's does not ask. */
function pageOf({ config, logo }: App, session: "none" | "live"): StaticBody {
  const [icon, iconType] = logo === undefined ? ["page/mark.svg", types["svg"]] : ["page/logo", logo.type];
  const { title, registration, passwordMinLength, home } = config;
  const values: Record<string, HtmlValue> = { title, registration, passwordMinLength, home, session, icon, iconType };
  const lines = index.replaceAll(session === "none" ? sessionParts : visitorParts, "");
  const content = lines.replaceAll(/\{\{ (\w+) \}\}/g, (_, name) => html`${values[name]}`.toString());
  return { content, headers };
}
