/**
 * Verifies passwords of logins: for `POST /session/`, HTTP Basic at the guard, and a change of the password.
 *
 * An unknown login, a wrong password and a disabled account get the same response after the work of one hash: of an
 * unknown login that of a decoy, and of a disabled account its own, whose result is ignored. Wrong passwords of unknown
 * logins are counted too.
 */

import type { Context } from "../../lib/app.ts";
import { audit } from "../../lib/audit.ts";
import { basicCredentials } from "../../lib/accounts/basic_auth.ts";
import { knownDeviceId, showsDevice } from "../../lib/accounts/known_device.ts";
import type { PasswordVerdict } from "../../lib/passwords/hasher.ts";
import { isStoreFailure } from "../../lib/failure_log.ts";
import { HttpError, retryable } from "../../lib/http/http_error.ts";
import type { User } from "../../lib/store.ts";
import type { Guess } from "../../lib/limits/login_throttle.ts";
import type { Credentials } from "../../lib/accounts/request_schemas.ts";
import { basicChallenge, challenge } from "./authorization.ts";

/** How `authenticate` rejects; the second and third only with `GATEHOUSE_LOGIN_ERRORS=exact`. */
export const loginProblems = [
  "wrong-credentials",
  "wrong-password",
  "unknown-login",
  "too-many-attempts",
  "overloaded",
] as const;

interface Cancellation {
  /** Aborts the hash; by default the signal of the request, which is aborted when the client disconnects. */
  readonly hungUp?: AbortSignal;
}

/** A password to be verified. */
export interface LoginAttempt extends Credentials, Cancellation {
  /** The user of the login, if it exists. */
  readonly user: User | undefined;
  /** Whether to rehash a right password whose hash takes another work than the setting; by default true. */
  readonly isRehashing?: boolean;
}

/**
 * Returns the user if the credentials are right, with a hash of the current kind and cost.
 *
 * @throws {HttpError} see `loginProblems`
 * @throws {OverloadedError} the hash queue is full
 */
export async function authenticate(credentials: Credentials & Cancellation, context: Context): Promise<User> {
  const { app: { store, config, hasher }, request, rateLimitKey: client } = context;
  // First, so that a flood does not reach the store and the limits, which may be a database. Verifying the cookie of a
  // known device needs the user's hash, so requests with such a cookie reach the store, like those with a session.
  if (!showsDevice(request.headers)) hasher.queue.assertCapacity({ client });
  const user = await store.findUser(credentials.login);
  const device = knownDeviceId(request.headers, user);
  hasher.queue.assertCapacity({ client, knownLogin: device === undefined ? undefined : credentials.login });
  const { isRight, rehashed } = await verifyLoginPassword({ ...credentials, user }, context);
  if (user === undefined || !isRight) {
    if (config.loginErrors === "exact") throw exactError(user);
    throw wrongCredentials(request.headers);
  }
  if (rehashed === undefined) return user;
  try {
    const next = { ...user, passwordHash: rehashed };
    if (await store.replaceUser(user, next) === "done") {
      hasher.decoys.replace(rehashed, user.passwordHash);
      return next;
    }
  } catch (error) {
    // On a full disk users can log in with their old hash.
    if (isStoreFailure(error)) return user;
    throw error;
  }
  // Another login was faster, or the password has changed: the stored hash decides.
  return await authenticate(credentials, context);
}

/** Logs a throttled attempt, and returns the error for it. */
export function tooManyAttempts(
  { waitSeconds, user }: { readonly waitSeconds: number; readonly user: User | undefined },
  context: Context,
): HttpError {
  audit(context, "login-throttled", user === undefined ? {} : { user: user.login });
  return retryable("too-many-attempts", waitSeconds);
}

/** Verifies a password, and counts it if it is wrong. @throws {HttpError} `too-many-attempts` */
export async function verifyLoginPassword(attempt: LoginAttempt, context: Context): Promise<PasswordVerdict> {
  const { app: { throttle, hasher }, request, rateLimitKey: client } = context;
  const { login, password, user, hungUp = request.signal } = attempt;
  const { passwordHash, disabled = false } = user ?? {};
  // The time of a second hash would reveal the right password of a disabled account.
  const isRehashing = !disabled && attempt.isRehashing !== false;
  const guess = { login, password, client, device: knownDeviceId(request.headers, user) };
  const verify = async ({ device }: Guess) => {
    const knownLogin = device === undefined ? undefined : login;
    const options = { login, passwordHash, isRehashing, client, knownLogin, hungUp };
    const verdict = await hasher.verify(password, options);
    return disabled ? { isRight: false } : verdict;
  };
  const { waitSeconds, verdict } = await throttle.run(guess, verify);
  if (verdict === undefined) throw tooManyAttempts({ waitSeconds, user }, context);
  if (!verdict.isRight) audit(context, "login-failed", user === undefined ? {} : { user: user.login });
  return verdict;
}

/**
 * Changes counts after the operation they belong to. The operation is done or refused already, so an error is logged
 * and not thrown.
 */
export async function changeCounts({ app, requestId }: Context, change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    app.failures.report("counts-failed", { requestId, error });
  }
}

/** The error for wrong credentials of any kind. */
export function wrongCredentials(headers: Headers): HttpError {
  const isBasic = basicCredentials(headers) !== undefined;
  return new HttpError("wrong-credentials", { headers: isBasic ? basicChallenge : challenge });
}

/** The error of `GATEHOUSE_LOGIN_ERRORS=exact`, for teaching. */
function exactError(user: User | undefined): HttpError {
  return user === undefined ? new HttpError("unknown-login") : new HttpError("wrong-password", { headers: challenge });
}
