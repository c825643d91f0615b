/**
 * App passwords: what a program sends to the guard by HTTP Basic instead of the account's password.
 *
 *     password := "gh_" <18 random bytes as base64url, 24 characters>
 *
 * The service makes them, and shows each once. Only the SHA-256 is stored, as the key of the credential: a fast hash
 * suffices, as 144 random bits cannot be guessed. One works until it is deleted, and for the groups that it is limited
 * to.
 */

import { hash, randomBytes } from "node:crypto";
import { ulid } from "@std/ulid";
import type { Credentials } from "../accounts/request_schemas.ts";
import type { Credential, Store, UserCredential } from "../store.ts";

export const appPasswordPattern = /^gh_[A-Za-z0-9_-]{24}$/;

interface AppPasswordOptions extends Pick<Credential, "login" | "name"> {
  /** `users` and groups that it is limited to; by default all of the user. */
  readonly groups?: readonly string[] | undefined;
  readonly now: number;
}

/** Creates an app password; the caller stores the credential. */
export function createAppPassword(
  { login, name, groups = [], now }: AppPasswordOptions,
): { readonly credential: Credential; readonly password: string } {
  const password = `gh_${randomBytes(18).toString("base64url")}`;
  const times = { createdAt: now, lastUsedAt: 0 };
  const proof = { key: hash("sha256", password, "hex"), secret: groups.join(), counter: 0, signCount: 0 };
  return { credential: { id: ulid(now), login, kind: "app-password", name, ...times, ...proof }, password };
}

/** Finds the app password that credentials hold, with its user. A disabled user has none. */
export async function findAppPassword(
  { login, password }: Credentials,
  store: Store,
): Promise<UserCredential | undefined> {
  if (!appPasswordPattern.test(password)) return undefined;
  const found = await store.findCredential("app-password", hash("sha256", password, "hex"));
  return found?.user.login === login && !found.user.disabled ? found : undefined;
}

/** Returns those of a user's groups that an app password is good for. */
export function allowedGroups(groups: readonly string[], { secret }: Credential): readonly string[] {
  const limit = secret.split(",");
  return secret === "" ? groups : groups.filter((group) => limit.includes(group));
}
