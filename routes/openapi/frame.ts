/** The parts of the OpenAPI document that are not made from operations. */

import { cookieName } from "../../lib/accounts/session.ts";
import { version } from "../../lib/config/version.ts";

/** Each tag has the paths with one of its first segments. */
export const tags = [
  { name: "Users", description: "Registration and accounts.", segments: ["user"] },
  { name: "Sessions", description: "Login and logout.", segments: ["session"] },
  { name: "Tickets", description: "Invitations and password resets by administrators.", segments: ["ticket"] },
  { name: "Guard", description: "Access to other sites.", segments: ["guard", "exit-worker.js", "site-session"] },
  { name: "Page", description: "The web page for people.", segments: ["", "page"] },
  { name: "Status", description: "Figures and settings.", segments: ["status", "setting", "metrics"] },
  { name: "Service", description: "Health and documents.", segments: ["health", "problem", "openapi.json", "docs"] },
];

const description =
  `Requests and responses are JSON in UTF-8, dates RFC 3339. Every error is a problem (RFC 9457), whose
\`type\` is the address of its meaning.

Unknown paths get 404 \`not-found\`, unsupported methods 405 \`method-not-allowed\` with \`Allow\`, and a path
without its final slash 308. HEAD is GET without the body, and OPTIONS gets 204 with \`Allow\`. A browser that navigates
(\`Sec-Fetch-Mode: navigate\`) gets a page instead of a problem. Pages of the origins in \`GATEHOUSE_ORIGINS\` may send
requests with a bearer token, never with the cookie (CORS).`;

const cookieDescription = `The token in a cookie, from POST /session/ with \`"cookie": true\`. A request that changes
something must come from a page of the same origin, as \`Sec-Fetch-Site\` or \`Origin\` shows. A token in
\`Authorization\` takes precedence. If two cookies have this name, both are ignored.`;

export const frame = {
  openapi: "3.1.0",
  info: {
    title: "Gatehouse",
    version,
    summary: "Registration, login and accounts over HTTP.",
    description,
    license: { name: "MIT", identifier: "MIT" },
  },
  // Relative to the document, as a proxy may mount the service at another path.
  servers: [{ url: ".", description: "The folder of this document" }],
  tags: tags.map(({ name, description }) => ({ name, description })),
  components: {
    securitySchemes: {
      bearer: { type: "http", scheme: "bearer", description: "The token of a session, from POST /session/." },
      cookie: { type: "apiKey", in: "cookie", name: cookieName, description: cookieDescription },
      basic: { type: "http", scheme: "basic", description: "Login and password (RFC 7617)." },
    },
  },
};
