/**
 * `/` and `/page/`: the web page, for people.
 *
 * All addresses in its files are relative: the page works as well where a proxy has mounted the service, as
 * `caddy/guarded.Caddyfile` does at `/auth/`.
 */

import type { Context } from "../lib/app.ts";
import type { Config } from "../lib/config/config.ts";
import { type ConstantBody, StaticResponse } from "../lib/http/static_response.ts";
import { HttpError, queryOf } from "../lib/http/http.ts";
import { safeRedirectPath } from "../lib/http/safe_redirect_path.ts";
import { cookieToken } from "../lib/accounts/session.ts";
import { liveSession } from "./caller.ts";
import index from "./page/index.html" with { type: "text" };
import { pageFiles } from "./page_file.ts";

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

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

/** What the page is told with itself, as the attributes of its body in index.html. */
const bodyTag = '<body data-registration="open" data-password-min-length="15" data-session="none">';

/** What only visitors need is not loaded with a session. */
const visitorLine = /^.* data-visitor>\n/gm;

const visitorPage = new StaticResponse((config) => pageFor(config, "none"));
const sessionPage = new StaticResponse((config) => pageFor(config, "live"));

const files: ReadonlyMap<string, StaticResponse> = new Map(
  Array.from(pageFiles, ([name, text]) => [name, fileReply(name, text)]),
);

/** `GET /`: the page; with a session and `?next=<path>`, on to there. */
export async function showPage(context: Context): Promise<Response> {
  const { request } = context;
  const token = cookieToken(request.headers);
  const session = token === undefined ? undefined : await liveSession(token, context);
  const next = safeRedirectPath(queryOf(request, ["next"]).get("next") ?? "");
  if (next !== undefined && session !== undefined) {
    return new Response(null, { status: 302, headers: { location: next, "cache-control": "no-store" } });
  }
  const page = session === undefined ? visitorPage : sessionPage;
  return await page.to(request, context.app.config);
}

/** `GET /page/:file`: what the page is made of. */
export function showPageFile(context: Context): Promise<Response> {
  const reply = files.get(context.params["file"] ?? "");
  if (reply === undefined) throw new HttpError("not-found");
  return reply.to(context.request, context.app.config);
}

/** It knows whether there is a session, so that for a visitor it need not ask. */
function pageFor({ registration, passwordMinLength }: Config, session: "none" | "live"): ConstantBody {
  if (!index.includes(bodyTag)) throw new TypeError(`Cannot make the page: index.html lacks ${bodyTag}`);
  const attributes = `data-registration="${registration}" data-password-min-length="${passwordMinLength}"`;
  const text = index.replace(bodyTag, `<body ${attributes} data-session="${session}">`);
  return { text: session === "none" ? text : text.replaceAll(visitorLine, ""), headers };
}

function fileReply(name: string, text: string): StaticResponse {
  const type = types[name.slice(name.lastIndexOf(".") + 1)] ?? "";
  return new StaticResponse(() => ({ text, headers: { "content-type": type } }));
}
