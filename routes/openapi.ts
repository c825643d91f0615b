/**
 * `/openapi.json` and `/docs/`: all operations of the service under its settings, for programs and for people.
 *
 * The page is self-contained, and its policy allows no script, no other host, and only the one style sheet, by its
 * hash.
 */

import { hash } from "node:crypto";
import type { Config } from "../lib/config/config.ts";
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
