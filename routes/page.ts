/**
 * `/` and `/page/`: the web page, for people.
 *
 * Its files are read with the program, so that serving them needs no permission. All addresses in them are relative:
 * the page works as well where a proxy has mounted the service, as `caddy/guarded.Caddyfile` does at `/auth/`.
 */

import type { Context } from "../lib/app.ts";
import { ConstantReply } from "../lib/constant_reply.ts";
import { HttpError } from "../lib/http.ts";
import { nextPath } from "../lib/next_path.ts";
import { cookieToken } from "../lib/session.ts";
import { liveSession } from "./caller.ts";
import index from "./page/index.html" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const page = new ConstantReply(() => ({
  text: index,
  headers: {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
    "referrer-policy": "no-referrer",
  },
}));

const files: ReadonlyMap<string, ConstantReply> = new Map([
  ["main.js", file(main, "text/javascript; charset=utf-8")],
  ["style.css", file(style, "text/css; charset=utf-8")],
]);

/** `GET /`: the page; with a session and `?next=<path>`, on to there. */
export async function showPage(request: Request, context: Context): Promise<Response> {
  const next = nextPath(new URL(request.url).searchParams.get("next") ?? "");
  const token = cookieToken(request.headers);
  if (next !== undefined && token !== undefined && await liveSession(token, context) !== undefined) {
    return new Response(null, { status: 302, headers: { location: next, "cache-control": "no-store" } });
  }
  return await page.to(request, context.app.config);
}

/** `GET /page/:file`: what the page is made of. */
export function showPageFile(request: Request, context: Context): Promise<Response> {
  const reply = files.get(context.params["file"] ?? "");
  if (reply === undefined) throw new HttpError("not-found");
  return reply.to(request, context.app.config);
}

function file(text: string, type: string): ConstantReply {
  return new ConstantReply(() => ({ text, headers: { "content-type": type } }));
}
