/** Stores what a user has set up, with recovery codes if the user has none. */

import { ulid } from "@std/ulid";
import type { Context } from "../../lib/app.ts";
import { audit } from "../../lib/audit.ts";
import { createRecoveryCodes, recoveryCodePattern } from "../../lib/factors/random_secret.ts";
import { provableFactors } from "../../lib/factors/second_factor.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import type { Schema } from "../../lib/http/schema.ts";
import type { Credential, UserSession } from "../../lib/store.ts";
import { refuseActor, requireFresh, requireSelf } from "./authorization.ts";

export const recoveryCodesSchema: Schema = {
  type: "array",
  items: { type: "string", pattern: recoveryCodePattern.source },
  description: "Only this response has them.",
};
/** How `addFactor` and `requireSetUp` reject. */
export const setUpProblems = ["login-again", "too-many-credentials", "wrong-factor"] as const;

/** Returns the session of a request that sets up a factor of its own user, who may lack a required one. */
export async function requireSetUp(context: Context): Promise<UserSession> {
  const found = await requireSelf(context, { withoutSecondFactor: true });
  await requireFresh(found, context);
  return found;
}

/** A passkey or TOTP that is right. */
export type NewFactor =
  & Pick<Credential, "name" | "key" | "secret" | "counter" | "signCount">
  & { readonly kind: "passkey" | "totp" };

/** Adds a factor to the user of the session, and to the session, as the user has it at hand. */
export async function addFactor(
  { factor, found }: { readonly factor: NewFactor; readonly found: UserSession },
  context: Context,
): Promise<{ readonly credential: Credential; readonly codes: readonly string[] | undefined }> {
  const { store, now } = context.app;
  // Reads the user again after each round: another request has changed it.
  for (let current = found;; current = await requireSetUp(context)) {
    const { session, user } = current;
    const { login } = user;
    const credential = { id: ulid(now()), login, createdAt: now(), lastUsedAt: 0, ...factor };
    // Codes of before the first second factor may be in wrong hands: a password sufficed to make them.
    const hasCodes = provableFactors(await store.listCredentials(login)).includes("recovery");
    const { credentials, codes } = hasCodes ? { credentials: [], codes: undefined } : createRecoveryCodes(login, now());
    const actor = { session, asAdmin: false };
    const outcome = await store.insertCredentials(user, [credential, ...credentials], { actor });
    if (outcome === "forbidden") return await refuseActor(context);
    if (outcome === "full") throw new HttpError("too-many-credentials");
    // The same response was sent twice, or a user has copied the passkey of another.
    if (outcome === "taken") throw new HttpError("wrong-factor");
    if (outcome !== "done") continue;
    audit(context, "credential-added", { by: login, user: login, credential: credential.id, kind: factor.kind });
    const { authenticatedAt } = session;
    await store.authenticateSession(session.id, user, { factors: [factor.kind], authenticatedAt });
    return { credential, codes };
  }
}
