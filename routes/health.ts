/** `/health/`: whether the process lives, and whether a proxy should send it requests. */

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

/** `GET /health/live`: it answers, so it lives. */
export function showLive(): Response {
  return jsonResponse({ status: "live" });
}

/** `GET /health/ready`: not while it stops, nor when the store can keep no change. */
export async function showReady(context: Context): Promise<Response> {
  const { stopping, readiness } = context.app;
  if (stopping.aborted) throw new HttpError("not-ready", { detail: "The service is stopping" });
  if (!await readiness.check()) throw new HttpError("not-ready", { detail: "The store cannot keep changes" });
  return jsonResponse({ status: "ready" });
}
