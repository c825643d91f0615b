/**
 * Verifies what proves a user's identity besides the password. Wrong codes and passkeys count as wrong passwords of the
 * login and the client. Each counts, also if it is sent again: a code that is wrong now can be right later.
 */

import { Buffer } from "node:buffer";
import type { Context } from "../../lib/app.ts";
import { audit } from "../../lib/audit.ts";
import { knownDeviceId } from "../../lib/accounts/known_device.ts";
import type { ChallengeScope } from "../../lib/factors/challenge.ts";
import type { Proof } from "../../lib/factors/factor_bodies.ts";
import { type Ceremony, passkeyKey, passkeyOrigin, type Refused, verifyAssertion } from "../../lib/factors/passkey.ts";
import { recoveryCodeKey } from "../../lib/factors/random_secret.ts";
import { acceptedStep } from "../../lib/factors/totp.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import type { Credential, CredentialUse, Factor, User, UserCredential } from "../../lib/store.ts";
import { tooManyAttempts } from "./login_password.ts";

/** How `verifyProof` rejects. */
export const proofProblems = ["wrong-factor", "cross-origin", "too-many-attempts"] as const;

interface ProofOptions {
  /** `undefined` if a passkey alone names the user. */
  readonly user: User | undefined;
  /** Of the challenge of a passkey. */
  readonly scope: ChallengeScope;
}

/** A proof that is right. */
export interface Proven {
  readonly user: User;
  readonly factor: Factor;
  /** The store uses the credential in the same change as what it proves, so that a second use fails. */
  readonly use: CredentialUse;
}

/** @throws {HttpError} see `proofProblems` */
export async function verifyProof(proof: Proof, options: ProofOptions, context: Context): Promise<Proven> {
  const { app: { throttle }, request, rateLimitKey: client } = context;
  const { totp, passkey } = proof;
  const factor: Factor = totp !== undefined ? "totp" : passkey !== undefined ? "passkey" : "recovery";
  if (passkey !== undefined) ceremonyOf(options.scope, context);
  const found = await findCredential(proof, options, context);
  const user = found?.user ?? options.user;
  const device = knownDeviceId(request.headers, user);
  // An unknown passkey has counts of its own, as the login of a known one has.
  const login = user?.login ?? passkeyKey(passkey?.id ?? Buffer.alloc(0));
  const guess = { login, password: crypto.randomUUID(), client, device, isTotp: factor === "totp" };
  const { waitSeconds, verdict } = await throttle.run(guess, async () => {
    const outcome = found === undefined
      ? { refused: "credential" }
      : await check(proof, { ...options, found }, context);
    return { isRight: !("refused" in outcome), outcome };
  });
  if (verdict === undefined) throw tooManyAttempts({ waitSeconds, user }, context);
  const { outcome } = verdict;
  if (found !== undefined && !("refused" in outcome)) {
    return { user: found.user, factor, use: { current: found.credential, next: outcome.next } };
  }
  const refused = "refused" in outcome && outcome.refused;
  audit(context, "login-failed", { ...user !== undefined && { user: user.login }, factor, refused });
  throw new HttpError("wrong-factor");
}

/** Returns the ceremony of a request. @throws {HttpError} `cross-origin` if passkeys do not work on its page */
export function ceremonyOf(scope: ChallengeScope, { app: { challenges }, request }: Context): Ceremony {
  const origin = passkeyOrigin(request);
  if (origin === undefined) throw new HttpError("cross-origin");
  return { origin, challenges, scope };
}

/** Returns the credential that a proof is checked with, if it is of an enabled user, and of the one expected. */
async function findCredential(
  { totp, recovery_code, passkey }: Proof,
  { user }: ProofOptions,
  { app: { store } }: Context,
): Promise<UserCredential | undefined> {
  const found = totp !== undefined
    ? user && await store.findCredential("totp", user.id)
    : passkey !== undefined
    ? await store.findCredential("passkey", passkeyKey(passkey.id))
    : await store.findCredential("recovery", recoveryCodeKey(recovery_code ?? ""));
  return found?.user.id === (user ?? found?.user)?.id && !found?.user.disabled ? found : undefined;
}

/** Returns the credential after its use; `undefined` deletes it. */
async function check(
  { totp, passkey }: Proof,
  { user, scope, found: { credential, user: owner } }: ProofOptions & { readonly found: UserCredential },
  context: Context,
): Promise<{ readonly next: Credential | undefined } | Refused> {
  const now = context.app.now();
  const used = { ...credential, lastUsedAt: now };
  if (totp !== undefined) {
    const { secret, counter: lastStep } = credential;
    const step = acceptedStep(Buffer.from(secret, "base64url"), { code: totp, lastStep, now });
    return step === undefined ? { refused: "code" } : { next: { ...used, counter: step } };
  }
  if (passkey === undefined) return { next: undefined };
  const outcome = await verifyAssertion(passkey, {
    ...ceremonyOf(scope, context),
    ...{ user: owner, credential, isAlone: user === undefined, now },
  });
  if ("refused" in outcome) return outcome;
  const { counter, signCount, isCounterStuck } = outcome;
  if (isCounterStuck) audit(context, "passkey-counter", { user: owner.login, credential: credential.id });
  return { next: { ...used, counter, signCount } };
}
