/**
 * A refusal as a page, for a person whose browser navigates: what happened, in English or Russian, and the way on.
 *
 * Programs never get one: only browsers say `Sec-Fetch-Mode: navigate`. The page is whole in itself, as it is shown at
 * addresses of guarded sites and while the store is away: no script, and one style, which the policy names by its hash.
 */

import { hash } from "node:crypto";
import { type Html, html, trustedStyle } from "./html.ts";
import type { HttpError } from "./http.ts";
import { safeRedirectPath } from "./safe_redirect_path.ts";
import { pathOf } from "./path_table.ts";
import { languageOf, problemText, texts } from "./error_page_text.ts";

/** Where `caddy/guarded.Caddyfile` mounts the service on a guarded host. */
export const mount = "/auth/";

const style = `
:root { color-scheme: light dark; --ground: #f5f4ef; --card: #fff; --text: #1c2320; --muted: #58615c; --accent: #1f6b53 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14181a; --card: #1d2325; --text: #e7ebe8; --muted: #a6b0ab; --accent: #82cdb0 }
}
body { margin: 0; padding: 12vh 1rem 1rem; background: var(--ground); color: var(--text);
  font: 100%/1.55 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem; border-radius: .75rem; background: var(--card) }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25 }
a { display: inline-block; padding: .25rem 0; color: var(--accent); font-weight: 600 }
small { color: var(--muted) }
`;

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${hash("sha256", style, "base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** What an address of a site begins with. The host is bounded: to parse 64 kB of labels takes 6 ms. */
const originPattern = /^https?:\/\/[^/?#\\]{1,300}(?:[/?#]|$)/;

/** Whether a browser asks for a page to show, by any method, of this service or of a site that it guards. */
export function isNavigation(headers: Headers): boolean {
  return headers.get("sec-fetch-mode") === "navigate";
}

/** Of a problem that the service answers with. */
export function problemPage(error: HttpError, request: Request, requestId: string): Response {
  const language = languageOf(request.headers);
  const { title, text } = problemText(error, language);
  const seconds = Number(error.headers["retry-after"] ?? 0);
  // Sent to a guarded site: nothing has come there.
  const isForm = isAskedByProxy(request) && !isSafe(methodOf(request));
  return page(request, {
    ...error,
    title,
    body: html`
      <p>${text} ${seconds > 0 && texts[language].comeAgain(seconds)} ${isForm && texts[language].goBack}</p>
      <p><a href="${homeOf(request)}">${texts[language].home}</a></p>
      <p><small>${error.status} ${error.code}, ${requestId}</small></p>
    `,
  });
}

/** Of a form that was sent to a guarded site when the session had ended: the browser has kept what was typed. */
export function notSentPage(request: Request, headers: Readonly<Record<string, string>>): Response {
  const { notSent, notSentWhy, logIn } = texts[languageOf(request.headers)];
  const link = `${mount}?next=${encodeURIComponent(formPath(request.headers))}`;
  return page(request, {
    status: 401,
    headers,
    title: notSent,
    body: html`
      <p>${notSentWhy}</p>
      <p><a href="${link}" target="_blank" rel="noopener">${logIn}</a></p>
    `,
  });
}

/** Of a page of a guarded site that is for members of a group. @param login who is none */
export function notInGroupPage(request: Request, login: string): Response {
  const { notInGroup, loggedInAs, notInGroupWhy, account } = texts[languageOf(request.headers)];
  return page(request, {
    status: 403,
    headers: {},
    title: notInGroup,
    body: html`
      <p>${loggedInAs} <b>${login}</b>. ${notInGroupWhy}</p>
      <p><a href="${mount}">${account}</a></p>
    `,
  });
}

/** The method of what the browser asked for. */
export function methodOf({ headers, method }: Request): string {
  return headers.get("x-forwarded-method") ?? method;
}

/** Whether asking again does no harm. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

interface PageOptions {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly title: string;
  readonly body: Html;
}

function page(request: Request, { status, headers, title, body }: PageOptions): Response {
  const text = html`
    <!DOCTYPE html>
    <html lang="${languageOf(request.headers)}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>${title}</title>
        ${trustedStyle(style)}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>
  `;
  return new Response(text.toString(), {
    status,
    headers: {
      ...headers,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cache-control": "no-store",
    },
  });
}

/** The page that the form was on, if it was of the same site; else its first. */
function formPath(headers: Headers): string {
  const text = headers.get("referer") ?? "";
  if (!originPattern.test(text)) return "/";
  const referer = URL.parse(text);
  const host = headers.get("x-forwarded-host") ?? headers.get("host");
  return referer?.host === host && safeRedirectPath(referer.pathname + referer.search) || "/";
}

/** The page of the service: relative, as nobody knows where it is mounted, but on a guarded site. */
function homeOf(request: Request): string {
  return isAskedByProxy(request) ? mount : "./" + "../".repeat(pathOf(request.url).split("/", 20).length - 2);
}

function isAskedByProxy({ url }: Request): boolean {
  return pathOf(url).startsWith("/guard/");
}
