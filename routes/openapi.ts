/**
 * `/openapi.json` and `/docs/`: all operations of the service under its settings, for programs and for people.
 *
 * The page is self-contained, and its policy allows no script, no other host, and only the one style sheet, by its hash.
 */

import { hash } from "node:crypto";
import { cookieName } from "../lib/accounts/session.ts";
import type { Config } from "../lib/config/config.ts";
import { maxBodyBytes } from "../lib/http/request_body.ts";
import { StaticResponse } from "../lib/http/static_response.ts";
import { route } from "../lib/operation.ts";
import { docsPage } from "./docs/page.ts";
import style from "./docs/style.css" with { type: "text" };
import { createDocument, type DocumentFrame, type OpenApiDocument, type Operations } from "./openapi/document.ts";

const frame: DocumentFrame = {
  info: {
    title: "Gatehouse",
    version: "1.0.0",
    summary: "Registration, login and accounts over HTTP.",
    description:
      `Requests and responses are JSON in UTF-8, dates RFC 3339. A body has at most ${maxBodyBytes / 1_024} KiB.

Every error is a problem (RFC 9457), and its \`type\` is the address of its meaning. Unknown paths get 404 \`not-found\`, ` +
      "unsupported methods 405 `method-not-allowed` with `Allow`, and a path without its final slash 308. HEAD is GET " +
      "without the body, and OPTIONS gets 204 with `Allow`.",
  },
  tags: [
    { name: "Users", description: "Registration and accounts.", segments: ["user"] },
    { name: "Sessions", description: "Login and logout.", segments: ["session"] },
    { name: "Tickets", description: "Invitations and password resets by administrators.", segments: ["ticket"] },
    { name: "Guard", description: "Access to other sites.", segments: ["guard"] },
    { name: "Page", description: "The web page for people.", segments: ["", "page"] },
    { name: "Status", description: "Figures and settings.", segments: ["status", "setting", "metrics"] },
    { name: "Service", description: "Health and documents.", segments: ["health", "problem", "openapi.json", "docs"] },
  ],
  securitySchemes: {
    bearer: {
      type: "http",
      scheme: "bearer",
      description: "The token of a session, from POST /session/: `Authorization: Bearer <token>`.",
    },
    cookie: {
      type: "apiKey",
      in: "cookie",
      name: cookieName,
      description:
        'The token in a cookie, from POST /session/ with `"cookie": true`. A request that changes something must ' +
        "come from a page of the same origin, as `Sec-Fetch-Site` or `Origin` shows. A token in `Authorization` takes " +
        "precedence. If two cookies have this name, both are ignored.",
    },
    basic: { type: "http", scheme: "basic", description: "Login and password (RFC 7617)." },
  },
};

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${hash("sha256", style, "base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The document of a service with these settings. */
export function openApiDocument(
  operations: Operations,
  settings: Pick<Config, "passwordMinLength">,
): OpenApiDocument {
  return createDocument(operations, frame, settings);
}

/** The operations that describe all operations, themselves included. */
export function descriptionOf(all: () => Operations): Operations {
  const json = new StaticResponse((config: Config) => ({
    content: JSON.stringify(openApiDocument(all(), config)),
    headers: { "content-type": "application/json" },
  }));
  const page = new StaticResponse((config: Config) => ({
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
    responses: {
      200: {
        description: "OpenAPI 3.1.",
        schema: { type: "object", required: ["openapi"], properties: { openapi: { const: "3.1.0" } } },
        headers: ["ETag"],
        cacheControl: "no-cache",
      },
    },
    isStatic: true,
    handler: ({ request, app }) => json.to(request, app.config),
  });
  const showDocs = route("GET /docs/", {
    access: "anyone",
    summary: "Read this document as a page",
    responses: {
      200: {
        description: "A page without scripts.",
        types: ["text/html"],
        headers: ["ETag", "Content-Security-Policy", "Referrer-Policy"],
        cacheControl: "no-cache",
      },
    },
    isStatic: true,
    handler: ({ request, app }) => page.to(request, app.config),
  });
  return { showOpenApi, showDocs };
}
