/**
 * Who asks the guard: by a session, an app password or the account's password.
 *
 * A session costs one look-up, and so does an app password. Any other password of HTTP Basic is verified as at login,
 * with its limits. It is only one factor, so it admits nobody who has a second one or must have one.
 */

import type { Context } from "../../lib/app.ts";
import { audit } from "../../lib/audit.ts";
import { basicCredentials } from "../../lib/accounts/basic_auth.ts";
import type { Credentials } from "../../lib/accounts/request_schemas.ts";
import { bearerToken, cookieToken } from "../../lib/accounts/session.ts";
import { allowedGroups, findAppPassword } from "../../lib/factors/random_secret.ts";
import { requiresSecondFactor } from "../../lib/factors/second_factor.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import { isSecondFactor, type Session, type User, type UserCredential } from "../../lib/store.ts";
import { basicChallenge, liveSession } from "./authorization.ts";
import { authenticate, tooManyAttempts, wrongCredentials } from "./login_password.ts";

/** The group that every user is in. */
export const everyone = "users";
/** The last use of an app password is updated at most this often, so that using one rarely writes. */
const touchEveryMs = 60 * 60 * 1_000;

export interface Visitor {
  readonly user: User;
  /** `users` and the groups of the user, or those of them that an app password is good for. */
  readonly groups: readonly string[];
  /** Absent with HTTP Basic. */
  readonly session?: Session;
}

/**
 * Returns the visitor of a request; `undefined` if it has no session and no credentials.
 *
 * @throws {HttpError} `unknown-site`, `wrong-credentials`, `too-many-attempts`, `second-factor-required`
 */
export async function findVisitor(context: Context): Promise<Visitor | undefined> {
  const { app: { sites }, request: { headers } } = context;
  const origin = sites?.originOf(context.request);
  // The cookie first: the guarded site may use `Authorization` for its own purpose.
  for (const tokenOf of [cookieToken, bearerToken]) {
    const token = tokenOf(headers);
    const site = tokenOf === cookieToken ? origin : undefined;
    const found = token === undefined ? undefined : await liveSession(token, context, site);
    if (found !== undefined) return { ...found, groups: groupsOf(found.user) };
  }
  const credentials = basicCredentials(headers);
  return credentials && await visitorOf(credentials, context);
}

async function visitorOf(credentials: Credentials, context: Context): Promise<Visitor> {
  const { app: { store, throttle, basicAuthCache }, request, rateLimitKey: client } = context;
  const { login } = credentials;
  // First, so that a throttled client cannot test passwords against the cache.
  const waitSeconds = await throttle.waitSecondsOf(login, client);
  if (waitSeconds > 0) throw tooManyAttempts({ waitSeconds, user: await store.findUser(login) }, context);
  const found = await findAppPassword(credentials, store);
  // Whether this request verified the password, and not another one with the same credentials.
  let isVerified = false;
  const user = found?.user ?? await basicAuthCache.userOf(credentials, {
    client,
    find: (login) => store.findUser(login),
    hungUp: request.signal,
    verify: async (hungUp) => {
      const verified = await authenticate({ ...credentials, hungUp }, context);
      isVerified = true;
      return verified;
    },
  });
  if (user === undefined || await isBasicTooWeak({ user, isByApp: found !== undefined }, context)) {
    if (isVerified) audit(context, "login-failed", { user: login });
    // The user was changed while the password was verified, or needs an app password: only the right one says so.
    throw user === undefined
      ? wrongCredentials(request.headers)
      : new HttpError("second-factor-required", { headers: basicChallenge });
  }
  if (isVerified) audit(context, "login", { by: login, user: login, scheme: "basic" });
  if (found !== undefined) touch(found, context);
  return { user, groups: found === undefined ? groupsOf(user) : allowedGroups(groupsOf(user), found.credential) };
}

/** Whether HTTP Basic must not admit the user: by one factor of two, or without the one that is required. */
async function isBasicTooWeak(
  { user, isByApp }: { readonly user: User; readonly isByApp: boolean },
  { app: { store, config } }: Context,
): Promise<boolean> {
  const isRequired = requiresSecondFactor(user, config);
  const hasFactor = async () => (await store.listCredentials(user.login)).some(isSecondFactor);
  return isByApp ? isRequired && !await hasFactor() : isRequired || await hasFactor();
}

/** Notes the use of an app password, without waiting for it. Of many at once, one is noted. */
function touch({ credential, user: { login } }: UserCredential, context: Context): void {
  // Read now: Deno does not know the address any more once the response is sent.
  const { app, app: { store, failures }, requestId, clientAddress } = context;
  const now = app.now();
  // The difference is negative after the clock was set back.
  if (Math.abs(now - credential.lastUsedAt) < touchEveryMs) return;
  store.useCredential({ current: credential, next: { ...credential, lastUsedAt: now } }).then((outcome) => {
    if (outcome !== "done") return;
    const fields = { by: login, user: login, scheme: "app-password", credential: credential.id };
    audit({ app, requestId, clientAddress }, "login", fields);
  }).catch((error) => failures.report("touch-failed", { requestId, error }));
}

function groupsOf({ groups }: User): readonly string[] {
  return groups.length === 0 ? [everyone] : [everyone, ...groups.filter((group) => group !== everyone)];
}
