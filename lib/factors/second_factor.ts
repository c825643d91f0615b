/**
 * What counts as a second factor, and whom `GATEHOUSE_SECOND_FACTOR` requires to have one.
 *
 * A session knows what has proved its user, so that no check of it reads the credentials.
 */

import type { Config } from "../config/config.ts";
import { type Credential, isAdmin, isSecondFactor, type Session, type User } from "../store.ts";

const secondFactors = ["passkey", "totp", "recovery"] as const;

/** Whether more than a password has proved the user. A passkey alone counts as two factors, as it verifies its user. */
export function hasSecondFactor({ factors }: Session): boolean {
  return secondFactors.some((factor) => factors.includes(factor));
}

/** Returns what a user with these credentials can prove besides the password: nothing without a second factor. */
export function provableFactors(credentials: readonly Credential[]): readonly (typeof secondFactors)[number][] {
  const kinds = credentials.some(isSecondFactor) ? credentials.map(({ kind }) => kind) : [];
  return secondFactors.filter((factor) => kinds.includes(factor));
}

/** Whether a user must have a second factor. */
export function requiresSecondFactor(user: User, { secondFactor }: Pick<Config, "secondFactor">): boolean {
  return secondFactor === "all" || secondFactor === "admins" && isAdmin(user);
}
