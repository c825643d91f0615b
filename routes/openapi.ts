/**
 * `/openapi.json` and `/docs/`: all operations of the service under its settings, for programs and for people; and
 * `/problem/`, which explains the types of problems.
 *
 * The page of `/docs/` is self-contained. Its policy allows no script, no other host, and only its own style sheet, by
 * the hash.
 */

import { hash } from "node:crypto";
import type { Config } from "../lib/config/config.ts";
import { HttpError } from "../lib/http/http_error.ts";
import { isProblemCode, problems } from "../lib/http/problem.ts";
import { staticResponse } from "../lib/http/static_response.ts";
import { route } from "../lib/router.ts";
import { docsPage } from "./docs/page.ts";
import style from "./docs/style.css" with { type: "text" };
import { openApiDocument, type Operations } from "./openapi/document.ts";

const documentSchema = { type: "object", required: ["openapi"], properties: { openapi: { const: "3.1.0" } } };

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${hash("sha256", style, "base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The operations that describe all operations, themselves included. */
export function descriptionOf(all: () => Operations): Operations {
  const json = staticResponse((config: Config) => ({
    content: JSON.stringify(openApiDocument(all(), config)),
    headers: { "content-type": "application/json" },
  }));
  const page = staticResponse((config: Config) => ({
    content: docsPage(openApiDocument(all(), config), style).toString(),
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "referrer-policy": "no-referrer",
    },
  }));
  const showOpenApi = route("GET /openapi.json", {
    access: "anyone",
    summary: "Get this document",
    responses: { 200: { schema: documentSchema, headers: ["ETag"] } },
    isStatic: true,
    handler: ({ request, app }) => json(request, app.config),
  });
  const showDocs = route("GET /docs/", {
    access: "anyone",
    summary: "Read this document as a page",
    responses: { 200: { types: ["text/html"], headers: ["ETag", "Content-Security-Policy", "Referrer-Policy"] } },
    isStatic: true,
    handler: ({ request, app }) => page(request, app.config),
  });
  return { showOpenApi, showDocs };
}

export const showProblem = route("GET /problem/:code", {
  access: "anyone",
  summary: "Get the meaning of a problem",
  parameters: { code: { enum: Object.keys(problems), description: "Its code.", examples: ["login-taken"] } },
  responses: { 200: { types: ["text/plain"], cacheControl: "max-age=3600" } },
  problems: ["not-found"],
  isStatic: true,
  handler(context) {
    const code = context.params["code"] ?? "";
    if (!isProblemCode(code)) throw new HttpError("not-found");
    const { status, title, meaning } = problems[code];
    return new Response(`${title} (${status})\n\n${meaning}\n`, {
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "max-age=3600" },
    });
  },
});
