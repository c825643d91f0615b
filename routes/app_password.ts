/** `POST /user/:login/app-password/`: makes a password for a program. The routes of credentials list and delete it. */

import { audit } from "../lib/audit.ts";
import { appPasswordBody } from "../lib/accounts/request_bodies.ts";
import { groupsSchema } from "../lib/accounts/request_schemas.ts";
import { appPasswordPattern, createAppPassword } from "../lib/factors/random_secret.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { dateSchema, idSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { route } from "../lib/router.ts";
import { refuseActor, requireFresh, requireSelf } from "./auth/authorization.ts";

const appPasswordSchema: Schema = {
  $id: "AppPassword",
  ...objectSchema({
    id: idSchema,
    name: { type: "string" },
    created_at: dateSchema,
    password: { type: "string", pattern: appPasswordPattern.source, description: "Shown once." },
  }, { groups: groupsSchema }),
};

export const makeAppPassword = route("POST /user/:login/app-password/", {
  access: "user",
  summary: "Make an app password",
  description: "For a program that sends login and password by HTTP Basic to guarded sites; it opens nothing else. " +
    "Requires a session with a login or step-up in the last 10 minutes.",
  body: appPasswordBody,
  responses: { 201: { schema: appPasswordSchema } },
  problems: ["login-again", "too-many-credentials"],
  async handler(context) {
    const { store, stopping, now } = context.app;
    const body = await readJson(context.request, { stopping });
    while (true) {
      // Reads the user again in each round: another request may have changed it.
      const found = await requireSelf(context);
      await requireFresh(found, context);
      const { session, user, user: { login } } = found;
      const { name, groups } = appPasswordBody.parse(body);
      const { credential, password } = createAppPassword({ login, name, groups, now: now() });
      const outcome = await store.insertCredentials(user, [credential], { actor: { session, asAdmin: false } });
      if (outcome === "forbidden") return await refuseActor(context);
      if (outcome === "full") throw new HttpError("too-many-credentials");
      if (outcome !== "done") continue;
      const { id, kind, createdAt } = credential;
      audit(context, "credential-added", { by: login, user: login, credential: id, kind });
      return jsonResponse({ id, name, groups, created_at: new Date(createdAt), password }, { status: 201 });
    }
  },
});
