/** `/user/:login/credential/`: lists, renames and deletes what a user can prove its identity with. */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { credentialChangeBody } from "../lib/factors/factor_bodies.ts";
import { requiresSecondFactor } from "../lib/factors/second_factor.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { dateSchema, idSchema, objectSchema, type Schema } from "../lib/http/schema.ts";
import { route } from "../lib/router.ts";
import type { Credential } from "../lib/store.ts";
import {
  refuseActor,
  requireFresh,
  requireSelf,
  requireSelfOrAdmin,
  type SessionAndTarget,
} from "./auth/authorization.ts";

/** Example for the OpenAPI document. */
export const exampleCredentialId = "01M81Q8RANGD8P1CTT3CQ3DXQK";
const parameters = { id: { ...idSchema, description: "The id of a credential.", examples: [exampleCredentialId] } };
const noContent = { status: 204, headers: { "cache-control": "no-store" } };

/** The members of `publicCredential`. */
export const credentialMembers = {
  id: idSchema,
  kind: { enum: ["passkey", "totp", "app-password"] },
  name: { type: "string", description: 'The name that the user gave it; "" for TOTP.' },
  created_at: dateSchema,
  last_used_at: { ...dateSchema, type: ["string", "null"], description: "Null if it was never used." },
};
const credentialSchema: Schema = { $id: "Credential", ...objectSchema(credentialMembers) };
const credentialListSchema: Schema = {
  $id: "CredentialList",
  ...objectSchema({
    credentials: { type: "array", items: credentialSchema },
    recovery_codes_left: { type: "integer", minimum: 0 },
  }),
};

export const listCredentials = route("GET /user/:login/credential/", {
  access: "user or admin",
  summary: "List the credentials of a user",
  description: "The oldest is first. Recovery codes are counted only.",
  responses: { 200: { schema: credentialListSchema } },
  problems: ["not-found"],
  async handler(context) {
    const { target } = await requireSelfOrAdmin(context, { withoutSecondFactor: true });
    const all = await context.app.store.listCredentials(target.login);
    const credentials = all.filter(isListed);
    return jsonResponse({
      credentials: credentials.map(publicCredential),
      recovery_codes_left: all.length - credentials.length,
    });
  },
});

export const renameCredential = route("PATCH /user/:login/credential/:id", {
  access: "user",
  summary: "Rename a credential",
  parameters,
  body: credentialChangeBody,
  responses: { 200: { schema: credentialSchema } },
  problems: ["not-found"],
  async handler(context) {
    const { store, stopping } = context.app;
    const body = await readJson(context.request, { stopping });
    const { session, user: { login } } = await requireSelf(context);
    const { name } = credentialChangeBody.parse(body);
    while (true) {
      // Reads again in each round: it may have been used meanwhile.
      const current = await findCredential(login, context);
      const next = { ...current, name };
      const outcome = await store.useCredential({ current, next }, { actor: { session, asAdmin: false } });
      if (outcome === "forbidden") return await refuseActor(context);
      if (outcome !== "done") continue;
      audit(context, "credential-changed", { by: login, user: login, credential: current.id });
      return jsonResponse(publicCredential(next));
    }
  },
});

export const deleteCredential = route("DELETE /user/:login/credential/:id", {
  access: "user or admin",
  summary: "Delete a credential",
  parameters,
  responses: { 204: {} },
  problems: ["not-found", "login-again", "last-second-factor"],
  async handler(context) {
    const { store } = context.app;
    const found = await requireSelfOrAdmin(context);
    await requireFresh(found, context);
    const { login } = found.target;
    const credential = await findCredential(login, context);
    const options = { actor: actorOf(found), keepsFactor: keepsFactor(found, context) };
    const outcome = await store.deleteCredential(credential, options);
    if (outcome === "forbidden") return await refuseActor(context);
    if (outcome === "last") throw new HttpError("last-second-factor");
    if (outcome === "missing") throw new HttpError("not-found");
    const { id, kind } = credential;
    audit(context, "credential-deleted", { by: found.user.login, user: login, credential: id, kind });
    return new Response(null, noContent);
  },
});

export const deleteCredentials = route("DELETE /user/:login/credential/", {
  access: "user or admin",
  summary: "Delete all credentials of a user",
  description: "Recovery codes and app passwords too: the user logs in with the password alone. For a user who has " +
    "lost the second factor.",
  responses: { 204: {} },
  problems: ["not-found", "login-again", "last-second-factor"],
  async handler(context) {
    const found = await requireSelfOrAdmin(context);
    await requireFresh(found, context);
    if (keepsFactor(found, context)) throw new HttpError("last-second-factor");
    const { login } = found.target;
    const count = await context.app.store.deleteCredentials(login, { actor: actorOf(found) });
    if (count === "forbidden") return await refuseActor(context);
    audit(context, "credential-deleted", { by: found.user.login, user: login, count });
    return new Response(null, noContent);
  },
});

/** The public fields of a credential, one by one, so that a new field does not become public by accident. */
export function publicCredential({ id, kind, name, createdAt, lastUsedAt }: Credential) {
  const last_used_at = lastUsedAt === 0 ? null : new Date(lastUsedAt).toISOString();
  return { id, kind, name, created_at: new Date(createdAt).toISOString(), last_used_at };
}

/** Returns the credential that the path names. @throws {HttpError} `not-found` */
async function findCredential(login: string, { app: { store }, params }: Context): Promise<Credential> {
  const credential = (await store.listCredentials(login)).find(({ id }) => id === params["id"]);
  if (credential === undefined || !isListed(credential)) throw new HttpError("not-found");
  return credential;
}

function isListed({ kind }: Credential): boolean {
  return kind !== "recovery";
}

function actorOf({ session, user, target }: SessionAndTarget) {
  return { session, asAdmin: target.id !== user.id };
}

/**
 * Whether the user must keep a second factor. An administrator may delete another user's: the next session of that user
 * can only set up a new one.
 */
function keepsFactor({ user, target }: SessionAndTarget, { app: { config } }: Context): boolean {
  return target.id === user.id && requiresSecondFactor(user, config);
}
