/** `/openapi.json`: every operation of the service as one OpenAPI document, under the settings that it runs with. */

import type { Context } from "../lib/app.ts";
import type { Config } from "../lib/config/config.ts";
import { StaticResponse } from "../lib/http/static_response.ts";
import { maxBodyBytes } from "../lib/http/http.ts";
import { createDocument } from "./openapi/operation.ts";
import type { OpenApiDocument } from "./openapi/document.ts";
import { cookieName } from "../lib/accounts/session.ts";
import { schemasOf } from "./openapi/schemas.ts";
import { serviceOperations } from "./openapi/service.ts";
import { siteOperations } from "./openapi/site.ts";
import { sessionOperations, ticketOperations } from "./openapi/session.ts";
import { statusOperations } from "./openapi/status.ts";
import { userOperations } from "./openapi/user.ts";

const description =
  `Gatehouse keeps the register of users: they register, log in and out, and look after their account, and
administrators look after all.

JSON in UTF-8 both ways, dates in RFC 3339. Every error is a problem as RFC 9457 has it, whose \`type\` is the address of what it
means.

A path that is not listed here is answered 404 \`not-found\`, a method that is not 405 \`method-not-allowed\` with \`Allow\`, and a
path without its last slash 308. HEAD is GET without the body, and OPTIONS is 204 with \`Allow\`. A body has at most
${maxBodyBytes / 1_024} KiB.`;

const tags = [
  { name: "Users", description: "Registering, and the life of an account." },
  { name: "Sessions", description: "Logging in and out." },
  { name: "Tickets", description: "Invitations and resets, made by administrators." },
  { name: "Guard", description: "Who may see another site." },
  { name: "Page", description: "For people." },
  { name: "Status", description: "Figures and settings, for administrators and for Prometheus." },
  { name: "Service", description: "How the service is, and what it can do." },
];

const securitySchemes = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "The token of a session, from POST /session/: `Authorization: Bearer <token>`.",
  },
  cookie: {
    type: "apiKey",
    in: "cookie",
    name: cookieName,
    description: 'The token as a cookie, from POST /session/ with `"cookie": true`. A request that changes something ' +
      "must come from a page of the same origin, as `Sec-Fetch-Site` or `Origin` shows. It counts unless `Authorization` " +
      "carries a token of this service; of two cookies of the name neither counts.",
  },
  basic: { type: "http", scheme: "basic", description: "Login and password, RFC 7617." },
};

/** Every operation. */
const operations = [
  ...userOperations,
  ...sessionOperations,
  ...ticketOperations,
  ...siteOperations,
  ...statusOperations,
  ...serviceOperations,
];

/** The document of a service with these settings. */
export function openApiDocument(config: Pick<Config, "passwordMinLength">): OpenApiDocument {
  return createDocument(operations, {
    info: {
      title: "Gatehouse",
      version: "1.0.0",
      summary: "Registration, login and accounts over HTTP.",
      description,
      license: { name: "MIT", identifier: "MIT" },
    },
    tags,
    components: { schemas: schemasOf(config), securitySchemes },
  });
}

const reply = new StaticResponse((config: Config) => ({
  content: JSON.stringify(openApiDocument(config)),
  headers: { "content-type": "application/json" },
}));

/** `GET /openapi.json`: the document. */
export function showOpenApi(context: Context): Promise<Response> {
  return reply.to(context.request, context.app.config);
}
