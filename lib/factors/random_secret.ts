/**
 * Secrets that the service makes and shows once: recovery codes, each of which replaces a lost second factor once, and
 * app passwords, which programs send to the guard by HTTP Basic instead of the account's password.
 *
 *     code     := <15 random bytes in Base32, in groups of 4>, as "MZXW-6YTB-OI5X-GYLS-NFXG-O4TB"
 *     password := "gh_" <18 random bytes as base64url>
 *
 * Only the SHA-256 is stored, as the key of the credential: a fast hash suffices from 112 random bits on (NIST SP
 * 800-63B-4, 3.1.2.2).
 */

import { hash, randomBytes } from "node:crypto";
import { ulid } from "@std/ulid";
import type { Credentials } from "../accounts/request_schemas.ts";
import type { Credential, Store, UserCredential } from "../store.ts";
import { encodeBase32 } from "./encoding.ts";

export const recoveryCodePattern = /^([A-Z2-7]{4}-){5}[A-Z2-7]{4}$/;
export const appPasswordPattern = /^gh_[A-Za-z0-9_-]{24}$/;
/** The longest spelling of a recovery code that is read. */
export const maxRecoveryCodeLength = 64;
/** Digits that Base32 does not have, for the letters that look like them. */
const lookAlikes: Readonly<Record<string, string>> = { "0": "O", "1": "I", "8": "B" };

/** Creates ten recovery codes; the caller stores the credentials. */
export function createRecoveryCodes(
  login: string,
  now: number,
): { readonly credentials: readonly Credential[]; readonly codes: readonly string[] } {
  const codes = Array.from({ length: 10 }, () => encodeBase32(randomBytes(15)).replace(/.{4}(?!$)/g, "$&-"));
  const common = { login, kind: "recovery", name: "", secret: "", now } as const;
  return { credentials: codes.map((code) => newCredential({ ...common, key: recoveryCodeKey(code) })), codes };
}

/** `Credential.key` of a code as it was typed. @param code at most `maxRecoveryCodeLength` characters */
export function recoveryCodeKey(code: string): string {
  const letters = code.toUpperCase().replace(/[^A-Z0-9]/g, "").replace(/[018]/g, (digit) => lookAlikes[digit] ?? digit);
  return hash("sha256", letters, "hex");
}

interface AppPasswordOptions extends Pick<Credential, "login" | "name"> {
  /** `users` and groups that it is limited to; by default all of the user. */
  readonly groups?: readonly string[] | undefined;
  readonly now: number;
}

/** Creates an app password; the caller stores the credential. */
export function createAppPassword(
  { groups = [], ...options }: AppPasswordOptions,
): { readonly credential: Credential; readonly password: string } {
  const password = `gh_${randomBytes(18).toString("base64url")}`;
  const key = hash("sha256", password, "hex");
  return { credential: newCredential({ ...options, kind: "app-password", key, secret: groups.join() }), password };
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

type NewCredential =
  & Pick<Credential, "login" | "kind" | "name" | "key" | "secret">
  & Partial<Pick<Credential, "counter" | "signCount">>
  & { readonly now: number };

/** Creates a credential of a new id, not used yet. */
export function newCredential({ now, ...members }: NewCredential): Credential {
  return { id: ulid(now), createdAt: now, lastUsedAt: 0, counter: 0, signCount: 0, ...members };
}
