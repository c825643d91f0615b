/** `/health/`: probes of the process, and of whether a proxy should send requests to it. */

import type { Context } from "../lib/app.ts";
import { HttpError, jsonResponse } from "../lib/http/http.ts";
import { objectSchema, type Schema } from "../lib/http/schema.ts";
import type { Operation } from "../lib/operation.ts";

const healthSchema: Schema = { $id: "Health", ...objectSchema("Health.", { status: { enum: ["live", "ready"] } }) };
export const healthOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/health/live",
    access: "anyone",
    summary: "Check that the process responds",
    responses: { 200: { description: "It does.", schema: healthSchema } },
    isStatic: true,
    handler: showLive,
  },
  {
    method: "GET",
    path: "/health/ready",
    access: "anyone",
    summary: "Check that the service accepts requests",
    responses: { 200: { description: "It does.", schema: healthSchema } },
    problems: ["not-ready"],
    handler: showReady,
  },
];

/** `GET /health/live`: always 200. */
export function showLive(): Response {
  return jsonResponse({ status: "live" });
}

/** `GET /health/ready`: 503 while the service stops, or while the store takes no changes. */
export async function showReady({ app: { stopping, isReady } }: Context): Promise<Response> {
  if (stopping.aborted) throw new HttpError("not-ready", { detail: "The service is stopping" });
  if (!await isReady()) throw new HttpError("not-ready", { detail: "The store cannot keep changes" });
  return jsonResponse({ status: "ready" });
}
