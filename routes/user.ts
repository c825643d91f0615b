/** `/user/`: lists, shows, changes and deletes users. For registration see `registration.ts`. */

import { audit } from "../lib/audit.ts";
import { ifNoneMatch } from "../lib/http/entity_tag.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import type { User } from "../lib/store.ts";
import { etagOf, maxLoginLength, publicUser } from "../lib/accounts/user.ts";
import { userChangeBody } from "../lib/accounts/request_bodies.ts";
import { userSchema } from "../lib/accounts/request_schemas.ts";
import {
  refuseActor,
  requireAdmin,
  requireAdminFor,
  requireMatch,
  requireRecentLogin,
  requireSelfOrAdmin,
  sessionEndedHeaders,
  sessionsEnded,
} from "./auth/authorization.ts";
import { changeCounts } from "./auth/login_password.ts";
import { pageResponse, pageSchema, userPageQuery } from "./page_query.ts";
import { route } from "../lib/router.ts";

const userPageSchema = pageSchema("UserPage", { items: ["users", userSchema], cursor: { maxLength: maxLoginLength } });

export const listUsers = route("GET /user/", {
  access: "admin",
  summary: "List users",
  description: "Users that match all parameters; each is on exactly one page, even if others register meanwhile.",
  query: userPageQuery,
  responses: { 200: { schema: userPageSchema } },
  problems: ["invalid-query"],
  async handler(context) {
    await requireAdmin(context);
    const query = userPageQuery.parse(context.request);
    const { items: users, total, next } = await context.app.store.listUsers(query);
    return pageResponse(query, { users: users.map(publicUser), total, next });
  },
});

export const showUser = route("GET /user/:login", {
  access: "user or admin",
  summary: "Get a user",
  responses: { 200: { schema: userSchema, headers: ["ETag"], cacheControl: "private, no-cache" } },
  problems: ["not-found"],
  async handler(context) {
    const { target } = await requireSelfOrAdmin(context);
    const etag = etagOf(target);
    const headers = { etag, "cache-control": "private, no-cache" };
    if (!ifNoneMatch(context.request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers });
    }
    return jsonResponse(publicUser(target), { headers });
  },
});

export const changeUser = route("PATCH /user/:login", {
  access: "admin",
  summary: "Set groups, disable or enable a user",
  description:
    "Disabling a user ends their sessions. Disabling or demoting an administrator deletes their tickets, and " +
    "promoting a user deletes the tickets that reset their password.",
  body: userChangeBody,
  responses: { 200: { schema: userSchema, headers: ["ETag"] } },
  problems: ["not-found", "login-again", "last-admin", "precondition-failed"],
  async handler(context) {
    const { store, throttle, stopping } = context.app;
    const body = await readJson(context.request, { stopping });
    const { session, user, target } = await requireRecentLogin(await requireAdminFor(context), context);
    const change = userChangeBody.parse(body);
    while (true) {
      // Reads again in each round: another request may have changed the user.
      const current = await store.findUser(target.login);
      if (current?.id !== target.id) throw new HttpError("not-found");
      requireMatch(current, context);
      const next = { ...current, ...change };
      const outcome = await store.replaceUser(current, next, { actor: { session, asAdmin: true } });
      if (outcome === "forbidden") return await refuseActor(context);
      if (outcome === "last-admin") throw new HttpError("last-admin");
      if (outcome !== "done") continue;
      audit(context, "user-changed", { by: user.login, user: next.login, ...change });
      if (change.disabled === false) await changeCounts(context, () => throttle.forget(next.login));
      return jsonResponse(publicUser(next), { headers: { etag: etagOf(next) } });
    }
  },
});

export const deleteUser = route("DELETE /user/:login", {
  access: "user or admin",
  summary: "Delete a user",
  responses: { 204: { headers: sessionEndedHeaders } },
  problems: ["not-found", "login-again", "last-admin", "precondition-failed"],
  async handler(context) {
    // Users may leave without the second factor that they must have.
    const found = await requireSelfOrAdmin(context, { withoutSecondFactor: true });
    const { session, user, target } = await requireRecentLogin(found, context);
    const { store } = context.app;
    const actor = { session, asAdmin: target.id !== user.id };
    let current: User | undefined = target;
    while (current !== undefined) {
      requireMatch(current, context);
      // Another request has deleted the user, and a new user has the login.
      if (current.id !== target.id) break;
      const outcome = await store.deleteUser(current, { actor });
      if (outcome === "forbidden") return await refuseActor(context);
      if (outcome === "last-admin") throw new HttpError("last-admin");
      if (outcome === "done") audit(context, "user-deleted", { by: user.login, user: target.login });
      current = outcome === "done" ? undefined : await store.findUser(target.login);
    }
    return sessionsEnded(context, { isOwnEnded: user.id === target.id });
  },
});
