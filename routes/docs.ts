/**
 * `/docs/`: the OpenAPI document as a page to read.
 *
 * The page is whole in itself: no script, no other host, and the one style is named to the browser by its hash, so that
 * nothing that got in would run or load. Its links are relative, and right also where a proxy has mounted the service.
 */

import { hash } from "node:crypto";
import type { Context } from "../lib/app.ts";
import type { Config } from "../lib/config/config.ts";
import { StaticResponse } from "../lib/http/static_response.ts";
import { docsPage } from "./docs/page.ts";
import style from "./docs/style.css" with { type: "text" };
import { openApiDocument } from "./openapi.ts";

const reply = new StaticResponse((config: Config) => ({
  content: docsPage(openApiDocument(config), style).toString(),
  headers: { "content-type": "text/html; charset=utf-8", ...securityHeaders() },
}));

/** `GET /docs/`: the page. */
export function showDocs(context: Context): Promise<Response> {
  return reply.to(context.request, context.app.config);
}

function securityHeaders(): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${hash("sha256", style, "base64")}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { "content-security-policy": policy.join("; "), "referrer-policy": "no-referrer" };
}
