/**
 * Whose password it is: what logging in, HTTP Basic and a new password have in common.
 *
 * An unknown login, a wrong password and a disabled account get the same answer for the same work, one hash: a disabled
 * account is verified like an unknown login. Wrong passwords are counted, for logins that nobody has as well.
 */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { basicCredentials } from "../lib/accounts/basic_auth.ts";
import { knownDeviceId, showsDevice } from "../lib/accounts/known_device.ts";
import type { PasswordVerdict } from "../lib/passwords/hasher.ts";
import { isStoreFailure } from "../lib/failure_log.ts";
import { HttpError } from "../lib/http/http_error.ts";
import type { User } from "../lib/store.ts";
import type { Guess } from "../lib/limits/login_throttle.ts";
import type { Credentials } from "../lib/accounts/request_schemas.ts";
import { basicChallenge, challenge } from "./caller.ts";

/** How `authenticate` rejects; the second and third only with `GATEHOUSE_LOGIN_ERRORS=exact`. */
export const loginProblems = [
  "wrong-credentials",
  "wrong-password",
  "unknown-login",
  "too-many-attempts",
  "overloaded",
] as const;

interface Signal {
  /** Aborts the hash; by default when the client of this request hangs up. */
  readonly hungUp?: AbortSignal;
}

/** A password that is tried. */
export interface Attempt extends Credentials, Signal {
  /** The user of that login, if there is one. */
  readonly user: User | undefined;
  /** Whether a right password of another cost is to be hashed anew; by default it is. */
  readonly isRehashing?: boolean;
}

/**
 * The user that the credentials are right for, with a hash of today's cost.
 *
 * @throws {HttpError} `wrong-credentials`, or `unknown-login` and `wrong-password` when the settings say so;
 *   `too-many-attempts`
 * @throws {OverloadedError} too many passwords wait to be verified
 */
export async function authenticate(credentials: Credentials & Signal, context: Context): Promise<User> {
  const { app: { store, config, hasher }, request } = context;
  const client = context.rateLimitKey;
  // First: a flood shall not reach the store and the counts, which may be a database. Whether a device is known only
  // the user's hash can tell, so who says that it is gets as far as the store, as with a token of a session.
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
  return await keepRehashed(user, rehashed, context) ?? authenticate(credentials, context);
}

/** @returns `undefined` when another login was faster, or the password was changed: what is kept now decides */
async function keepRehashed(user: User, passwordHash: string, context: Context): Promise<User | undefined> {
  const next = { ...user, passwordHash };
  try {
    return await context.app.store.replaceUser(user, next) === "done" ? next : undefined;
  } catch (error) {
    // On a full disk users log in all the same, with the hash that they have.
    if (isStoreFailure(error)) return user;
    throw error;
  }
}

/** @throws {HttpError} `too-many-attempts` */
export function refuseThrottled(waitSeconds: number, user: User | undefined, context: Context): never {
  audit(context, "login-throttled", user === undefined ? {} : { user: user.login });
  throw new HttpError("too-many-attempts", { headers: { "retry-after": String(waitSeconds) } });
}

/**
 * Whether the password is the user's, counted if not.
 *
 * @throws {HttpError} `too-many-attempts`
 */
export async function verifyLoginPassword(attempt: Attempt, context: Context): Promise<PasswordVerdict> {
  const { app: { throttle, hasher }, request } = context;
  const { login, password, user, isRehashing = true, hungUp = request.signal } = attempt;
  const client = context.rateLimitKey;
  const passwordHash = user?.disabled ? undefined : user?.passwordHash;
  const guess = { login, password, client, device: knownDeviceId(request.headers, user) };
  // Aborted when the client hangs up; "no-legacy-abort" in deno.json keeps it from being so after each reply.
  const verify = ({ device }: Guess) => {
    const knownLogin = device === undefined ? undefined : login;
    return hasher.verify(password, { passwordHash, isRehashing, client, knownLogin, hungUp });
  };
  const { waitSeconds, verdict } = await throttle.run(guess, verify);
  if (verdict === undefined) return refuseThrottled(waitSeconds, user, context);
  if (!verdict.isRight) audit(context, "login-failed", user === undefined ? {} : { user: user.login });
  return verdict;
}

/**
 * Changes counts after what they are about: what was done stays done, and what was refused stays refused, so that
 * nothing is thrown when they cannot be changed.
 */
export async function changeCounts({ app, requestId }: Context, change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    app.failures.report("counts-failed", { requestId, error });
  }
}

/** The one refusal of credentials. */
export function wrongCredentials(headers: Headers): HttpError {
  const isBasic = basicCredentials(headers) !== undefined;
  return new HttpError("wrong-credentials", { headers: isBasic ? basicChallenge : challenge });
}

/** The teaching mode of the lab: tells what the uniform answer hides. */
function exactError(user: User | undefined): HttpError {
  return user === undefined ? new HttpError("unknown-login") : new HttpError("wrong-password", { headers: challenge });
}
