/**
 * Limits wrong passwords, because the cost of a hash alone does not stop guessing.
 *
 *     10 an hour    of one login, by one client or by one known device
 *    100 an hour    by one client; 400 by an IPv6 /56, 1,000 by a /48
 *    100 an hour    of one login, by all its known devices
 *    100 in a row   of one login, until its right password comes (NIST SP 800-63B-4, 3.2.2)
 *     10 an hour    and 100 in a row of one login, for codes of TOTP; as many by all its known devices
 *
 * An attempt counts before the hash, so that parallel guesses count, and is put back if the password was right. Logins
 * that do not exist count like others. A wrong password that a client repeats counts once, so that a device with an old
 * password does not lock its user out. A known device has its own counts, so that guesses from elsewhere do not lock it
 * out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 *
 * Instances on one database share the counts. The passwords tried stay in the memory of each, as keyed digests: from a
 * database that also holds the key, they could be guessed a million times faster than from password hashes. So a
 * repeated password counts once for each instance.
 */

import { createHmac, randomBytes } from "node:crypto";
import { BoundedMap } from "../bounded_map.ts";
import type { PasswordVerdict } from "../passwords/hasher.ts";
import { normalizePassword } from "../passwords/password_hash.ts";
import { clientLimit, consecutiveFailures, resetFailures, tokenBucket } from "./limit_rule.ts";
import type { LimitKey, LimitRule, LimitStep } from "./limit_rule.ts";
import { maxStoredStates, type RateLimiter } from "./rate_limiter.ts";

const perLogin = consecutiveFailures("login", 100);
const perLoginAndClient = tokenBucket("login-client", 10);
const perClient = clientLimit("client", 100);
// Known devices have their own rules, so that guesses from elsewhere cannot evict their states.
const perDevice = consecutiveFailures("device", 100);
const perDeviceHourly = tokenBucket("device-hour", 10);
// Bounds the states that a user with very many device cookies of one login can store.
const perLoginOfDevices = tokenBucket("device-login", 100);

// Whoever guesses codes knows the password, so a right password must not reset their count.
const perTotpLogin = consecutiveFailures("totp", 100);
const perTotpLoginHourly = tokenBucket("totp-hour", 10);

/** One attempt to log in with a password or another factor. */
export interface Guess {
  readonly login: string;
  readonly password: string;
  /** See `rateLimitKey`. */
  readonly client: string;
  /** The device's id if it is known, see `lib/accounts/known_device.ts`. */
  readonly device: string | undefined;
  /** Whether it is a code of TOTP. */
  readonly isTotp?: boolean;
}

/** The verdict; `undefined` if the client has to wait. */
export interface Throttled<V> {
  readonly waitSeconds: number;
  readonly verdict: V | undefined;
}

type Verdict = Pick<PasswordVerdict, "isRight">;

/** Identical guesses that are pending together. They count as one until the last of them has ended. */
interface OpenGuess {
  readonly digest: string;
  /** The limit of the login. */
  readonly login: LimitKey;
  /** All limits of the guess. The first limits failures in a row: of the known device, else of the login. */
  readonly keys: readonly [LimitKey, ...LimitKey[]];
  requestCount: number;
  /** Whether an attempt was taken, and neither counted nor put back. */
  isTaken: boolean;
  /** Resolves once an attempt was taken or refused. */
  readonly waitSeconds: Promise<number>;
}

/** How a guess ended, as the step of its limits. */
type Outcome = keyof Pick<LimitRule, "succeed" | "fail" | "putBack">;

/** Counts wrong passwords and refuses further guesses. */
export class LoginThrottle {
  readonly #limiter: RateLimiter;
  readonly #secret = randomBytes(32);
  readonly #open = new Map<string, OpenGuess>();
  /** Wrong passwords that do not count again. */
  readonly #tried = new BoundedMap<string, true>(maxStoredStates);

  constructor(limiter: RateLimiter) {
    this.#limiter = limiter;
  }

  /**
   * Runs `verify` and counts its verdict, or refuses if there were too many wrong passwords. A known device that has
   * used up its attempts counts as any other client; `verify` then gets the guess without the device.
   *
   * @throws what `verify` throws; nothing is counted then
   * @throws what the store of the limits throws, before `verify` or instead of its verdict
   */
  async run<V extends Verdict>(guess: Guess, verify: (guess: Guess) => Promise<V>): Promise<Throttled<V>> {
    const digest = this.#digestOf(guess);
    const open = this.#open.get(digest) ?? this.#begin(guess, digest);
    open.requestCount++;
    let outcome: Outcome = "putBack";
    try {
      const waitSeconds = await open.waitSeconds;
      if (waitSeconds === 0) {
        const verdict = await verify(guess);
        outcome = verdict.isRight ? "succeed" : "fail";
        return { waitSeconds, verdict };
      }
      if (guess.device === undefined) return { waitSeconds, verdict: undefined };
    } finally {
      await this.#limiter.update(this.#end(open, outcome));
    }
    return await this.run({ ...guess, device: undefined }, verify);
  }

  /** Returns the seconds until a client may try a login again. Attempts of other clients do not matter here. */
  waitSecondsOf(login: string, client: string): Promise<number> {
    return this.#limiter.waitSeconds(hourlyKeys({ login, client, device: undefined }));
  }

  /** Resets the failures in a row: the login has a new password, or an administrator unlocks it. */
  forget(login: string): Promise<void> {
    const totp = [undefined, "any"].flatMap((device) => totpKeys({ login, device }));
    const keys = [{ rule: perLogin, parts: [login] }, ...totp.filter(({ rule }) => rule === perTotpLogin)];
    return this.#limiter.update(new Map(keys.map((key) => [key, resetFailures])));
  }

  #begin(guess: Guess, digest: string): OpenGuess {
    const login = { rule: perLogin, parts: [guess.login] };
    const row = guess.device === undefined ? login : { rule: perDevice, parts: [guess.login, guess.device] };
    const keys = [row, ...hourlyKeys(guess), ...guess.isTotp ? totpKeys(guess) : []] as const;
    const isTried = this.#tried.has(digest);
    const waitSeconds = (isTried ? this.#limiter.waitSeconds(keys) : this.#limiter.take(keys)).then((seconds) => {
      open.isTaken = seconds === 0 && !isTried;
      return seconds;
    });
    const open: OpenGuess = { digest, login, keys, requestCount: 0, isTaken: false, waitSeconds };
    this.#open.set(digest, open);
    return open;
  }

  /**
   * Returns the changes for a guess that has ended. If its request was aborted or refused, its attempt passes to the
   * identical guesses that are pending: otherwise each pair of requests would be a free guess.
   */
  #end(open: OpenGuess, outcome: Outcome): ReadonlyMap<LimitKey, LimitStep> {
    const { digest, login, keys } = open;
    open.requestCount--;
    // Before the changes are stored: a guess that comes meanwhile must count again.
    if (open.requestCount === 0) this.#open.delete(digest);
    if (outcome === "fail") this.#tried.set(digest, true);
    const isSettled = open.isTaken && (outcome === "fail" || open.requestCount === 0);
    if (isSettled) open.isTaken = false;
    const steps = new Map<LimitKey, LimitStep>();
    if (outcome === "succeed") [keys[0], login].forEach((key) => steps.set(key, resetFailures));
    for (const key of isSettled ? keys : []) {
      const step = key.rule[outcome];
      if (step !== undefined) steps.set(key, step);
    }
    return steps;
  }

  /** The client is part of it: otherwise a client could learn which passwords others have tried. */
  #digestOf({ login, password, client, device }: Guess): string {
    const texts = [login, client, device ?? "", normalizePassword(password) ?? password];
    return createHmac("sha256", this.#secret).update(JSON.stringify(texts)).digest("hex");
  }
}

function totpKeys({ login, device }: Pick<Guess, "login" | "device">): readonly LimitKey[] {
  const parts = device === undefined ? [login] : [login, "known devices"];
  return [perTotpLogin, perTotpLoginHourly].map((rule) => ({ rule, parts }));
}

function hourlyKeys({ login, client, device }: Omit<Guess, "password">): readonly LimitKey[] {
  if (device === undefined) return [{ rule: perLoginAndClient, parts: [login, client] }, ...perClient(client)];
  return [{ rule: perDeviceHourly, parts: [login, device] }, { rule: perLoginOfDevices, parts: [login] }];
}
