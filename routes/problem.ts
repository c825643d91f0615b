/** `/problem/`: explains the types of problems. */

import { HttpError } from "../lib/http/http_error.ts";
import { isProblemCode, problems } from "../lib/http/problem.ts";
import { route } from "../lib/router.ts";

export const showProblem = route("GET /problem/:code", {
  access: "anyone",
  summary: "Get the meaning of a problem",
  parameters: { code: { enum: Object.keys(problems), description: "Its code.", examples: ["login-taken"] } },
  responses: { 200: { types: ["text/plain"], cacheControl: "max-age=3600" } },
  problems: ["not-found"],
  isStatic: true,
  handler(context) {
    const code = context.params["code"] ?? "";
    if (!isProblemCode(code)) throw new HttpError("not-found");
    const { status, title, meaning } = problems[code];
    return new Response(`${title} (${status})\n\n${meaning}\n`, {
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "max-age=3600" },
    });
  },
});
