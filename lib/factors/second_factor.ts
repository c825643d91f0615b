/**
 * What counts as a second factor, and whom `GATEHOUSE_SECOND_FACTOR` requires to have one.
 *
 * A session knows what has proved its user, so that no check of it reads the credentials.
 */

import type { Config } from "../config/config.ts";
import { type Credential, type Factor, isAdmin, type Session, type User } from "../store.ts";

/** Whether more than a password has proved the user. A passkey alone counts as two factors, as it verifies its user. */
export function hasSecondFactor({ factors }: Session): boolean {
  return factors.includes("passkey") || factors.includes("totp") || factors.includes("recovery");
}

/** Whether a login waits for such a credential. Recovery codes alone are none: they replace one that is lost. */
export function isSecondFactor({ kind }: Pick<Credential, "kind">): boolean {
  return kind === "passkey" || kind === "totp";
}

/** Returns what a user with these credentials can prove besides the password: nothing without a second factor. */
export function provableFactors(credentials: readonly Credential[]): readonly Factor[] {
  const kinds = credentials.some(isSecondFactor) ? credentials.map(({ kind }) => kind) : [];
  return (["passkey", "totp", "recovery"] as const).filter((kind) => kinds.includes(kind));
}

/** Whether a user must have a second factor. */
export function requiresSecondFactor(user: User, { secondFactor }: Pick<Config, "secondFactor">): boolean {
  return secondFactor === "all" || secondFactor === "admins" && isAdmin(user);
}

/** Whether a user must have a second factor, and has none among these credentials. */
export function lacksFactorIn(
  credentials: readonly Credential[],
  { user, config }: { readonly user: User; readonly config: Pick<Config, "secondFactor"> },
): boolean {
  return requiresSecondFactor(user, config) && !credentials.some(isSecondFactor);
}

/** Whether a session may do no more than set up or show the second factor that its user must have. */
export function lacksSecondFactor(
  { session, user }: { readonly session: Session; readonly user: User },
  config: Pick<Config, "secondFactor">,
): boolean {
  return requiresSecondFactor(user, config) && !hasSecondFactor(session);
}
