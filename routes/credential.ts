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
import { refuseActor, requireRecentLogin, requireSelf, requireSelfOrAdmin } from "./auth/authorization.ts";

/** Example for the OpenAPI document. */
export const exampleCredentialId = "01M81Q8RANGD8P1CTT3CQ3DXQK";
const parameters = { id: { ...idSchema, description: "The id of a credential.", examples: [exampleCredentialId] } };

/** The members of `publicCredential`. */
export const credentialMembers = {
  id: idSchema,
  kind: { enum: ["passkey", "totp", "app-password"] },
  name: { type: "string", description: 'The name that the user gave it; "" for TOTP until it is renamed.' },
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
    const credentials = all.filter(isListed).map(publicCredential);
    return jsonResponse({ credentials, recovery_codes_left: all.length - credentials.length });
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
      const current = findNamed(await store.listCredentials(login), context);
      const next = { ...current, name };
      const outcome = await store.useCredential({ current, next }, { actor: { session, asAdmin: false } });
      if (outcome === "forbidden") return await refuseActor(context);
      if (outcome !== "done") continue;
      audit(context, "credential-changed", { by: login, user: login, credential: current.id });
      return jsonResponse(publicCredential(next));
    }
  },
});

const deletion = {
  access: "user or admin",
  responses: { 204: {} },
  problems: ["not-found", "login-again", "last-second-factor"],
} as const;

export const deleteCredential = route("DELETE /user/:login/credential/:id", {
  ...deletion,
  summary: "Delete a credential",
  parameters,
  handler: deleteOneOrAll,
});

export const deleteCredentials = route("DELETE /user/:login/credential/", {
  ...deletion,
  summary: "Delete all credentials of a user",
  description: "Recovery codes and app passwords too: the user logs in with the password alone.",
  handler: deleteOneOrAll,
});

/** Deletes the credential that the path names, or all. */
async function deleteOneOrAll(context: Context): Promise<Response> {
  const { store, config } = context.app;
  const { session, user, target } = await requireRecentLogin(await requireSelfOrAdmin(context), context);
  const { login } = target;
  const isOwn = target.id === user.id;
  const actor = { session, asAdmin: !isOwn };
  // An administrator may delete another user's last one: the next session of that user can only set up a new one.
  const keepsFactor = isOwn && requiresSecondFactor(user, config);
  const named = context.params["id"] === undefined ? undefined : findNamed(await store.listCredentials(login), context);
  const outcome = await store.deleteCredentials(login, { actor, keepsFactor, ...named && { id: named.id } });
  if (outcome === "forbidden") return await refuseActor(context);
  if (outcome === "last") throw new HttpError("last-second-factor");
  if (outcome === 0 && named !== undefined) throw new HttpError("not-found");
  const what = named === undefined ? { count: outcome } : { credential: named.id, kind: named.kind };
  audit(context, "credential-deleted", { by: user.login, user: login, ...what });
  return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
}

/** The public fields of a credential, one by one, so that a new field does not become public by accident. */
export function publicCredential({ id, kind, name, createdAt, lastUsedAt }: Credential) {
  const last_used_at = lastUsedAt === 0 ? null : new Date(lastUsedAt).toISOString();
  return { id, kind, name, created_at: new Date(createdAt).toISOString(), last_used_at };
}

/** Returns the credential that the path names. @throws {HttpError} `not-found` */
function findNamed(all: readonly Credential[], { params }: Context): Credential {
  const credential = all.find(({ id }) => id === params["id"]);
  if (credential === undefined || !isListed(credential)) throw new HttpError("not-found");
  return credential;
}

function isListed({ kind }: Credential): boolean {
  return kind !== "recovery";
}
