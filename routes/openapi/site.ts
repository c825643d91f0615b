/** The operations of `/guard/` and of the page, as the document tells of them. */

import type { Operation } from "./operation.ts";
import { example } from "./examples.ts";
import { ifNoneMatchParameter } from "./parameters.ts";

const html = {
  type: "text/html",
  schema: { type: "string" },
  examples: example("Its beginning", "<!DOCTYPE html>"),
} as const;
const unchanged = {
  description: "It is as If-None-Match says.",
  headers: { ETag: "always" },
  cacheControl: "no-cache",
} as const;

export const siteOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/guard/:demands*",
    id: "guard",
    tag: "Guard",
    summary: "Ask whether a request to a guarded site may pass",
    description:
      "For the `forward_auth` of Caddy, which passes a request on when the answer is 2xx, with the headers of " +
      "the answer, and else gives the answer to the client. `X-Forwarded-Method` and `X-Forwarded-Uri` say what the " +
      "client asked for. HTTP Basic is verified once and then remembered for a minute.",
    who: "session or password",
    parameters: [
      {
        name: "demands",
        in: "path",
        required: true,
        description: "Groups that the user must be in, all of them, as segments: `/guard/staff/night`, at most 32. " +
          "Everybody is in `users`, which `/guard/` alone means. `second-factor` is reserved and never met. The query " +
          "is ignored, as proxies append that of the page.",
        schema: { type: "string" },
        example: "users",
      },
      {
        name: "X-Forwarded-Uri",
        in: "header",
        required: false,
        description: "Path and query that the client asked for.",
        schema: { type: "string" },
      },
      {
        name: "X-Forwarded-Method",
        in: "header",
        required: false,
        description: "The method of the client's request.",
        schema: { type: "string", default: "GET" },
      },
    ],
    replies: {
      200: {
        description: "It may pass, and this is who asks.",
        headers: { "Remote-User": "always", "Remote-Id": "always", "Remote-Groups": "always" },
        cacheControl: "",
      },
      302: {
        description: "To the login page of the same host: the client is a browser that wants to show a page.",
        headers: { Location: "always", "Clear-Site-Data": "sometimes" },
      },
    },
    problems: [
      "wrong-credentials",
      "wrong-password",
      "unknown-login",
      "too-many-attempts",
      "not-in-group",
      "overloaded",
    ],
  },
  {
    method: "GET",
    path: "/",
    id: "showPage",
    tag: "Page",
    summary: "Open the page for people",
    who: "anyone",
    parameters: [
      {
        name: "next",
        in: "query",
        required: false,
        description: "The path of this host to go to when logged in; anything else is ignored.",
        schema: { type: "string" },
      },
      ifNoneMatchParameter,
    ],
    replies: {
      200: {
        description: "HTML.",
        headers: {
          ETag: "always",
          "Content-Security-Policy": "always",
          "Permissions-Policy": "always",
          "Referrer-Policy": "always",
        },
        cacheControl: "no-cache",
        ...html,
      },
      302: { description: "To `next`, as the cookie is that of a session.", headers: { Location: "always" } },
      304: unchanged,
    },
  },
  {
    method: "GET",
    path: "/page/:file",
    id: "showPageFile",
    tag: "Page",
    summary: "Get a file of the page",
    who: "anyone",
    parameters: [
      {
        name: "file",
        in: "path",
        required: true,
        description: "The name of the file; `logo` is that of the settings.",
        schema: { type: "string" },
        example: "main.js",
      },
      ifNoneMatchParameter,
    ],
    replies: {
      200: {
        description: "The file.",
        type: ["text/javascript", "text/css", "image/svg+xml", "image/png"],
        schema: { type: "string" },
        examples: example("Its beginning", "/**"),
        headers: { ETag: "always", "Content-Security-Policy": "sometimes" },
        cacheControl: "no-cache",
      },
      304: unchanged,
    },
    problems: ["not-found"],
    isStatic: true,
  },
];
