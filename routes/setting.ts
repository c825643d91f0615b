/** `/setting/`: the settings in force, for administrators. They are changed by the environment and a restart alone. */

import type { Context } from "../lib/app.ts";
import { jsonResponse } from "../lib/http/http.ts";
import { requireAdmin } from "./caller.ts";

/** `GET /setting/`: every setting as text, in the order of the README. */
export async function listSettings(context: Context): Promise<Response> {
  await requireAdmin(context);
  return jsonResponse({ settings: context.app.config.effective });
}
