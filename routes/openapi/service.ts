/** The operations that tell of the service itself: health, problems, and this document. */

import type { Operation } from "./operation.ts";
import { example } from "./examples.ts";
import { codeParameter, ifNoneMatchParameter } from "./parameters.ts";
import { schemaNamed } from "./schemas.ts";

const tag = "Service";
const who = "anyone";
const unchanged = {
  description: "It is as If-None-Match says.",
  headers: { ETag: "always" },
  cacheControl: "no-cache",
} as const;

/** The rest of it is for the specification to say. */
const documentSchema = {
  type: "object",
  required: ["openapi", "info", "paths", "components"],
  properties: {
    openapi: { const: "3.1.0" },
    info: { type: "object" },
    paths: { type: "object" },
    components: { type: "object" },
  },
};

export const serviceOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/health/live",
    id: "showLive",
    tag,
    summary: "See whether the process lives",
    who,
    replies: {
      200: {
        description: "It lives.",
        type: "application/json",
        schema: schemaNamed("Health"),
        examples: example("Live", { status: "live" }),
      },
    },
    isStatic: true,
  },
  {
    method: "GET",
    path: "/health/ready",
    id: "showReady",
    tag,
    summary: "See whether a proxy should send it requests",
    who,
    replies: {
      200: {
        description: "It should.",
        type: "application/json",
        schema: schemaNamed("Health"),
        examples: example("Ready", { status: "ready" }),
      },
    },
    problems: ["not-ready"],
  },
  {
    method: "GET",
    path: "/problem/:code",
    id: "showProblem",
    tag,
    summary: "Read what a problem means",
    who,
    parameters: [codeParameter],
    replies: {
      200: {
        description: "Title, status and meaning.",
        type: "text/plain",
        schema: { type: "string" },
        examples: example("Login taken", "Login taken (409)\n\nSomebody is registered with this login.\n"),
        cacheControl: "max-age=3600",
      },
    },
    problems: ["not-found"],
    isStatic: true,
  },
  {
    method: "GET",
    path: "/openapi.json",
    id: "showOpenApi",
    tag,
    summary: "Get this document",
    who,
    parameters: [ifNoneMatchParameter],
    replies: {
      200: {
        description: "OpenAPI 3.1.",
        type: "application/json",
        schema: documentSchema,
        examples: example("Its beginning", { openapi: "3.1.0", info: {}, paths: {}, components: {} }),
        headers: { ETag: "always" },
        cacheControl: "no-cache",
      },
      304: unchanged,
    },
    isStatic: true,
  },
  {
    method: "GET",
    path: "/docs/",
    id: "showDocs",
    tag,
    summary: "Read this document as a page",
    who,
    parameters: [ifNoneMatchParameter],
    replies: {
      200: {
        description: "HTML that needs nothing else: no script, no other host.",
        type: "text/html",
        schema: { type: "string" },
        examples: example("Its beginning", "<!DOCTYPE html>"),
        headers: { ETag: "always", "Content-Security-Policy": "always", "Referrer-Policy": "always" },
        cacheControl: "no-cache",
      },
      304: unchanged,
    },
    isStatic: true,
  },
];
