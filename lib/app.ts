/**
 * What lives as long as the process (`App`), and what belongs to one request (`Context`).
 *
 * Both are read-only. What changes is behind the store, the hash queue, the limits and the metrics.
 */

import { Sites } from "./accounts/sites.ts";
import { openDecoys } from "./accounts/login_decoys.ts";
import { storedKey } from "./accounts/stored_key.ts";
import { Challenges } from "./factors/challenge.ts";
import { BasicAuthCache } from "./accounts/basic_auth.ts";
import { clientAddressResolver } from "./http/client_address.ts";
import { HttpError, retryable } from "./http/http_error.ts";
import type { Config } from "./config/config.ts";
import { shownListen } from "./config/listen.ts";
import { mallocRemedy } from "./config/malloc.ts";
import type { Logo } from "./config/logo.ts";
import { FailureLog } from "./failure_log.ts";
import type { PasswordStrength } from "./passwords/password_strength.js";
import { createPasswordStrength } from "./accounts/user.ts";
import { Hasher } from "./passwords/hasher.ts";
import { passwordSchemeOf } from "./passwords/password_hash.ts";
import { OverloadedError } from "./passwords/hash_queue.ts";
import { KeyedLock } from "./keyed_lock.ts";
import { type ClientLimit, clientLimit } from "./limits/limit_rule.ts";
import { type LimitStore, MemoryLimitStore, RateLimiter } from "./limits/rate_limiter.ts";
import type { Log } from "./log.ts";
import { type FailureReason, Metrics, type OperationName } from "./metrics/metrics.ts";
import { type RecentRegistrations, recentRegistrations } from "./metrics/recent_registrations.ts";
import { type Store, StoreClosedError, StoreFullError, StoreUnavailableError } from "./store.ts";
import { LoginThrottle } from "./limits/login_throttle.ts";

/** A database restarts, or fails over to another, within seconds. */
const storeRetrySeconds = 5;

/** What the client may know of an error. Any other is an `internal-error`. */
const failureReasons: readonly (readonly [type: new (...args: never[]) => Error, reason: FailureReason])[] = [
  [OverloadedError, "overloaded"],
  [StoreFullError, "store-full"],
  [StoreClosedError, "store-closed"],
  [StoreUnavailableError, "store-unavailable"],
];

/** Limits by name: each returns the keys of a client, see `rateLimitKey`. */
export interface ClientLimits {
  readonly registration: ClientLimit;
  /** Registrations that failed for a reason the client did not cause. They are put back into `registration`. */
  readonly failedRegistration: ClientLimit;
  /** Checks of new passwords, which take more time than any other check. */
  readonly newPassword: ClientLimit;
}

/** What lives as long as the process. */
export interface App {
  readonly config: Config;
  /** The logo of the page; `undefined` is that of Gatehouse. */
  readonly logo: Logo | undefined;
  readonly store: Store;
  readonly hasher: Hasher;
  readonly passwordStrength: PasswordStrength;
  readonly log: Log;
  readonly failures: FailureLog;
  /** The address of the client that sent a request; see `lib/http/client_address.ts`. */
  readonly clientAddressOf: (request: Request, peer: Deno.Addr) => string;
  /** By login. Of 200 concurrent registrations of one login only the first hashes a password. */
  readonly registrationLock: KeyedLock;
  /** Limits of one client, as the keys for `rateLimiter`. */
  readonly clientLimits: ClientLimits;
  readonly rateLimiter: RateLimiter;
  readonly throttle: LoginThrottle;
  readonly basicAuthCache: BasicAuthCache;
  /** For passkeys, and for TOTP that is being set up. */
  readonly challenges: Challenges;
  /** The home and the sites that it logs users in to; `undefined` if they log in at each site. */
  readonly sites: Sites | undefined;
  readonly metrics: Metrics;
  /** The name of this instance in the log and the metrics. */
  readonly instance: string;
  /** Differs from that of every other process, also of the same instance after a restart. */
  readonly processId: string;
  /** Registrations on each of the last 30 days (UTC), counted at most some seconds ago. */
  readonly registrations: RecentRegistrations;
  /** Aborted when the service is about to stop. */
  readonly stopping: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What the client may know of an error that a handler threw. Reports errors that the client did not cause. */
  readonly toHttpError: (error: unknown, context: Context) => HttpError;
  /** Counts and logs a response. */
  readonly onResponse: (context: Context, record: ResponseRecord) => void;
}

/** The request, and what handlers need to answer it. */
export interface Context {
  readonly app: App;
  readonly request: Request;
  /** The parameters of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Identifies the request in the log and in the response. */
  readonly requestId: string;
  /** The client's IP address, or "unix"; see `lib/http/client_address.ts`. */
  readonly clientAddress: string;
  /** The key by which limits count the client: its IPv4 address, or the /64 of its IPv6 address. */
  readonly rateLimitKey: string;
}

/** What the metrics and the log record of a response. */
export interface ResponseRecord {
  /** The path of the route: a path as sent may contain anything, a password too. */
  readonly path: string;
  /** Absent if there is none of this method. */
  readonly operation: OperationName | undefined;
  readonly status: number;
  readonly ms: number;
  /** Whether it is logged at level debug. */
  readonly isRoutine: boolean;
}

export interface AppOptions {
  readonly store: Store;
  readonly log: Log;
  /** By default that of Gatehouse. */
  readonly logo?: Logo | undefined;
  /** By default never aborted. */
  readonly stopping?: AbortSignal;
  /** By default in the memory of this process. */
  readonly limitStore?: LimitStore;
  /** By default `Date.now`. */
  readonly now?: () => number;
  /** By default new ones. Figures of the store are in them only if the store was opened with them. */
  readonly metrics?: Metrics;
  /** By default a new one. Apps can share one, as it has no state. */
  readonly passwordStrength?: PasswordStrength;
}

/** Builds the app around an open store. The caller closes the store. */
export async function openApp(config: Config, options: AppOptions): Promise<App> {
  const { home, sites } = config;
  const { store, log, logo, stopping = new AbortController().signal, now = Date.now } = options;
  const {
    metrics = new Metrics(now),
    passwordStrength = createPasswordStrength(),
    limitStore = new MemoryLimitStore(),
  } = options;
  const rateLimiter = new RateLimiter(limitStore, now);
  const failures = new FailureLog({ store, log, now });
  const hasher = await Hasher.open({
    scheme: passwordSchemeOf(config),
    decoys: await openDecoys({ store, log }),
    onRun: (durations) => metrics.observeHash(durations),
    onCrash: (error) => failures.report("hash-worker-failed", { error }),
  });
  if (config.keepsFreedMemory && hasher.memoryBytes > 0) log.warn("freed-memory-kept", { remedy: mallocRemedy });
  return Object.freeze({
    config,
    logo,
    store,
    log,
    failures,
    stopping,
    now,
    metrics,
    instance: instanceName(config),
    processId: crypto.randomUUID().slice(0, 4),
    registrations: recentRegistrations(store, now),
    hasher,
    passwordStrength,
    clientAddressOf: clientAddressResolver(config.trustedProxies),
    registrationLock: new KeyedLock(),
    clientLimits: clientLimitsOf(config),
    rateLimiter,
    throttle: new LoginThrottle(rateLimiter),
    basicAuthCache: new BasicAuthCache(now),
    challenges: new Challenges(await storedKey("ceremony", { store, log }), now),
    sites: home === "" ? undefined : new Sites({ home, sites, key: await storedKey("site", { store, log }) }),
    toHttpError,
    onResponse,
  });
}

/** The name of this instance in the log and the metrics: that of the settings, or its listen address. */
export function instanceName({ instance, listen }: Config): string {
  return instance ?? shownListen(listen);
}

function toHttpError(error: unknown, { app, requestId }: Context): HttpError {
  if (error instanceof HttpError) return error;
  const reason = failureReasons.find(([type]) => error instanceof type)?.[1] ?? "internal-error";
  app.metrics.failures[reason].count++;
  if (error instanceof OverloadedError) return retryable(reason, error.retryAfterSeconds);
  app.failures.report("request-failed", { requestId, error });
  return reason === "store-unavailable" ? retryable(reason, storeRetrySeconds) : new HttpError(reason);
}

function onResponse(context: Context, { path, operation, status, ms, isRoutine }: ResponseRecord): void {
  const { app: { metrics, log }, request: { method }, requestId } = context;
  metrics.requests(method, path, status).count++;
  if (operation !== undefined) metrics.durations(operation).observe(ms / 1_000);
  const write = isRoutine ? log.debug : log.info;
  write?.("request", {
    // A method as sent may contain anything too.
    method: /^[A-Z]{1,10}$/.test(method) ? method : "(other)",
    route: path,
    status,
    ms,
    clientAddress: context.clientAddress,
    requestId,
  });
}

/** Makes the hourly limits of one client. */
function clientLimitsOf({ registrationsPerHour }: Config): ClientLimits {
  // Ten for each registration, as users mistype, and at least 600, as many users can share one address. 600 checks take
  // 2 s of the event loop.
  const newPasswordsPerHour = registrationsPerHour === 0 ? 0 : Math.max(600, 10 * registrationsPerHour);
  return {
    registration: clientLimit("registration", registrationsPerHour),
    failedRegistration: clientLimit("registration-failed", registrationsPerHour),
    newPassword: clientLimit("new-password", newPasswordsPerHour),
  };
}
