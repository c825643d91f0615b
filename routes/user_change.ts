/** `PATCH /user/:login`: groups, and whether the account is disabled; by administrators. */

import { audit } from "../lib/audit.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { etagOf, publicUser } from "../lib/accounts/user.ts";
import { userChangeBody, userSchema } from "../lib/accounts/request_schemas.ts";
import { changeCounts } from "./authenticate.ts";
import { refuseActor, requireAdminFor, requireMatch } from "./caller.ts";
import { route } from "../lib/operation.ts";

export const changeUser = route("PATCH /user/:login", {
  access: "admin",
  summary: "Set groups, disable or enable a user",
  description:
    "Disabling a user ends their sessions. Disabling or demoting an administrator deletes their tickets, and " +
    "promoting a user deletes the tickets that reset their password.",
  body: userChangeBody,
  responses: { 200: { schema: userSchema, headers: ["ETag"] } },
  problems: ["not-found", "last-admin", "precondition-failed"],
  async handler(context) {
    const { store, throttle, stopping } = context.app;
    const body = await readJson(context.request, { stopping });
    const { session, user, target } = await requireAdminFor(context);
    const change = userChangeBody.parse(body);
    while (true) {
      // Read anew in each round: another change may have come in between.
      const current = await store.findUser(target.login);
      if (current?.id !== target.id) throw new HttpError("not-found");
      await requireMatch(current, context);
      const next = { ...current, ...change };
      const outcome = await store.replaceUser(current, next, { actor: { session, asAdmin: true } });
      if (outcome === "forbidden") return await refuseActor(context);
      if (outcome === "last-admin") throw new HttpError("last-admin");
      if (outcome !== "done") continue;
      audit(context, "user-changed", { by: user.login, user: next.login, ...change });
      if (change.disabled === false) await changeCounts(context, () => throttle.forget(next.login));
      return jsonResponse(publicUser(next), { headers: { etag: await etagOf(next) } });
    }
  },
});
