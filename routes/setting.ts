/** `/setting/`: the effective settings, for administrators. They change only with a restart. */

import { jsonResponse } from "../lib/http/http_error.ts";
import { objectSchema, type Schema } from "../lib/http/schema.ts";
import { requireAdmin } from "./auth/authorization.ts";
import { route } from "../lib/router.ts";

const settingsSchema: Schema = {
  $id: "SettingList",
  ...objectSchema({
    settings: {
      type: "array",
      items: objectSchema({
        name: { type: "string", description: "The environment variable." },
        value: { type: "string", description: "Of a URL only the scheme, as it may have a password." },
        default: { type: "string", description: "The value if it is not set." },
        meaning: { type: "string", description: "What it does, with unit and range, in Markdown." },
      }),
    },
  }),
};

export const listSettings = route("GET /setting/", {
  access: "admin",
  summary: "List the effective settings",
  responses: { 200: { schema: settingsSchema } },
  async handler(context) {
    await requireAdmin(context);
    return jsonResponse({ settings: context.app.config.effective });
  },
});
