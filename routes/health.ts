/** `/health/`: whether the process lives, and whether a proxy should send it requests. */

import type { Context } from "../lib/app.ts";
import { HttpError, jsonResponse } from "../lib/http/http.ts";

/** `GET /health/live`: it answers, so it lives. */
export function live(): Response {
  return jsonResponse({ status: "live" });
}

/** `GET /health/ready`: not while it stops, nor when the store can keep no change. */
export async function ready(context: Context): Promise<Response> {
  const { stopping, readiness } = context.app;
  if (stopping.aborted) throw new HttpError("not-ready", { detail: "The service is stopping" });
  if (!await readiness.check()) throw new HttpError("not-ready", { detail: "The store cannot keep changes" });
  return jsonResponse({ status: "ready" });
}
