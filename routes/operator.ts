/**
 * `POST /operator` on the socket in the data folder: what `deno task ticket` requests while the service has the store
 * open. No other address serves it, and only root and the user of the service can connect.
 */

import { audit } from "../lib/audit.ts";
import { jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { jsonBody, text } from "../lib/http/schema.ts";
import { serveOperator } from "../lib/accounts/operator_ticket.ts";
import type { Route } from "../lib/router.ts";

const requestBody = jsonBody({
  name: "OperatorRequest",
  code: "invalid-ticket",
  required: { action: text, login: text },
});

export const operatorRoute: Route = {
  method: "POST",
  path: "/operator",
  async handler(context) {
    const { config, store, now, stopping } = context.app;
    const request = requestBody.parse(await readJson(context.request, { stopping }));
    const { text, audit: done } = await serveOperator(request, { config, store, now: now() });
    if (done !== undefined) audit(context, done.event, { onMachine: true, ...done.fields });
    return jsonResponse({ text }, { status: done === undefined ? 409 : 200 });
  },
};
