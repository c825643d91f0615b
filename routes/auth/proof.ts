/**
 * Verifies what proves a user's identity besides the password. Wrong codes and passkeys count as wrong passwords of the
 * login and the client. Each counts, also if it is sent again: a code that is wrong now can be right later.
 */

import { Buffer } from "node:buffer";
import type { Context } from "../../lib/app.ts";
import { audit } from "../../lib/audit.ts";
import { knownDeviceId } from "../../lib/accounts/known_device.ts";
import { ceremonyBinding, type ChallengeScope } from "../../lib/factors/challenge.ts";
import type { Proof } from "../../lib/factors/factor_bodies.ts";
import { type Ceremony, passkeyKey, passkeyOrigin, type Refused, verifyAssertion } from "../../lib/factors/passkey.ts";
import { recoveryCodeKey } from "../../lib/factors/random_secret.ts";
import { acceptedStep } from "../../lib/factors/totp.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import { type CredentialUse, type Factor, isSecondFactor, type User, type UserCredential } from "../../lib/store.ts";
import { tooManyAttempts } from "./login_password.ts";

/** How `verifyProof` rejects. */
export const proofProblems = ["wrong-factor", "cross-origin", "too-many-attempts"] as const;

/** A proof that is right. */
export interface Proven {
  readonly user: User;
  readonly factor: Factor;
  /** The store uses the credential in the same change as what it proves, so that a second use fails. */
  readonly use: CredentialUse;
  /** Those that remain, if it is a recovery code. */
  readonly recoveryCodesLeft: number | undefined;
}

/**
 * Checks a proof, and counts it if it is wrong.
 *
 * @param options `user` is `undefined` if a passkey alone names it
 * @throws {HttpError} see `proofProblems`
 */
export async function verifyProof(
  { proof, user: expected }: { readonly proof: Proof; readonly user: User | undefined },
  context: Context,
): Promise<Proven> {
  const { app: { store, throttle }, request, rateLimitKey: client } = context;
  if (proof.passkey !== undefined) browserCeremony(context);
  const [factor, key] = credentialOf(proof, expected);
  const found = await store.findCredential(factor, key);
  const user = expected ?? found?.user;
  const kinds = factor === "recovery" && user ? (await store.listCredentials(user.login)).map(({ kind }) => kind) : [];
  // The password alone suffices to make recovery codes for a user without a second factor.
  const isUsable = factor !== "recovery" || kinds.some((kind) => isSecondFactor({ kind }));
  const isOfUser = found !== undefined && found.user.id === user?.id && !found.user.disabled;
  const device = knownDeviceId(request.headers, user);
  const isTotp = factor === "totp";
  // An unknown passkey has counts of its own, as the login of a known one has.
  const guess = { login: user?.login ?? key, password: crypto.randomUUID(), client, device, isTotp };
  const { waitSeconds, verdict } = await throttle.run(guess, async () => {
    const outcome = isUsable && isOfUser
      ? await check({ proof, found, isAlone: expected === undefined }, context)
      : { refused: "credential" };
    return "refused" in outcome ? { isRight: false as const, ...outcome } : { isRight: true as const, ...outcome };
  });
  if (verdict === undefined) throw tooManyAttempts({ waitSeconds, user }, context);
  if (!verdict.isRight) {
    audit(context, "login-failed", { ...user && { user: user.login }, factor, refused: verdict.refused });
    throw new HttpError("wrong-factor");
  }
  const recoveryCodesLeft = factor === "recovery" ? kinds.filter((kind) => kind === factor).length - 1 : undefined;
  return { user: verdict.user, use: verdict.use, factor, recoveryCodesLeft };
}

/** Returns the ceremony of a request. @throws {HttpError} `cross-origin` if passkeys do not work on its page */
export function ceremonyOf(scope: ChallengeScope, { app: { challenges }, request }: Context): Ceremony {
  const origin = passkeyOrigin(request);
  if (origin === undefined) throw new HttpError("cross-origin");
  return { origin, challenges, scope };
}

/** The ceremony in which a passkey proves its user: any in the same browser. @throws {HttpError} `cross-origin` */
export function browserCeremony(context: Context): Ceremony {
  const binding = ceremonyBinding(context.request.headers);
  return ceremonyOf({ purpose: "passkey-login", login: "", binding }, context);
}

/** Returns kind and key of the credential that a proof is checked with. */
function credentialOf({ totp, passkey, recovery_code = "" }: Proof, user: User | undefined) {
  if (totp !== undefined) return ["totp", user?.id ?? ""] as const;
  return passkey === undefined
    ? ["recovery", recoveryCodeKey(recovery_code)] as const
    : ["passkey", passkeyKey(passkey.id)] as const;
}

/** Returns the user, and the use of its credential. */
async function check(
  { proof: { totp, passkey }, found: { credential, user }, isAlone }: {
    readonly proof: Proof;
    readonly found: UserCredential;
    readonly isAlone: boolean;
  },
  context: Context,
): Promise<{ readonly user: User; readonly use: CredentialUse } | Refused> {
  const now = context.app.now();
  const used = { ...credential, lastUsedAt: now };
  const done = (next: CredentialUse["next"]) => ({ user, use: { current: credential, next } });
  if (totp !== undefined) {
    const { secret, counter: lastStep } = credential;
    const counter = acceptedStep(Buffer.from(secret, "base64url"), { code: totp, lastStep, now });
    return counter === undefined ? { refused: "code" } : done({ ...used, counter });
  }
  if (passkey === undefined) return done(undefined);
  const outcome = await verifyAssertion(passkey, {
    ...browserCeremony(context),
    ...{ user, credential, isAlone, now },
  });
  if ("refused" in outcome) return outcome;
  const { counter, signCount, isCounterStuck } = outcome;
  if (isCounterStuck) audit(context, "passkey-counter", { user: user.login, credential: credential.id });
  return done({ ...used, counter, signCount });
}
