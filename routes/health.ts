/** `/health/`: probes of the process, and of whether a proxy should send requests to it. */

import { version } from "../lib/config/version.ts";
import { jsonResponse, notReady } from "../lib/http/http_error.ts";
import { objectSchema, type Schema } from "../lib/http/schema.ts";
import { route } from "../lib/router.ts";

const liveSchema: Schema = { $id: "Live", ...objectSchema({ status: { const: "live" }, version: { type: "string" } }) };
const readySchema: Schema = { $id: "Ready", ...objectSchema({ status: { const: "ready" } }) };

export const showLive = route("GET /health/live", {
  access: "anyone",
  summary: "Check that the process responds, and get its version",
  responses: { 200: { schema: liveSchema } },
  isStatic: true,
  routineStatuses: [200],
  isOnSites: true,
  handler() {
    return jsonResponse({ status: "live", version });
  },
});

export const showReady = route("GET /health/ready", {
  access: "anyone",
  summary: "Check that the service accepts requests",
  responses: { 200: { schema: readySchema } },
  problems: ["not-ready"],
  // The log has a line when the store fails, and when it is back.
  routineStatuses: [200, 503],
  isOnSites: true,
  async handler({ app: { stopping, failures } }) {
    if (stopping.aborted) throw notReady("The service is stopping");
    if (!await failures.isStoreReady()) throw notReady("The store cannot keep changes");
    return jsonResponse({ status: "ready" });
  },
});
