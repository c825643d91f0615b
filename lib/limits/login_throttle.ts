/**
 * How many wrong passwords are tried: the brake on guessing, beside the cost of a hash.
 *
 * Counted before the hash, so that any number of guesses at once counts, and taken back when the password was right.
 *
 *     10 an hour    of one login from one client
 *    100 an hour    of any logins from one client; 400 from an IPv6 /56, 1,000 from a /48, see `lib/limits/quota.ts`
 *    100 an hour    of one login from all known devices
 *    100 in a row   of one login from anywhere, until the right one comes (NIST SP 800-63B-4, 3.2.2)
 *
 * The same wrong password again is no other guess: a device that has kept an old one locks nobody out. A browser that
 * its owner has logged in from before counts for itself alone, so that nobody else's guessing locks it out (OWASP,
 * "Slow Down Online Guessing Attacks with Device Cookies"). Logins that nobody has are counted just like others.
 *
 * Where several instances share the counts they count as one, see `lib/limits/limit_store.ts`. But which wrong passwords were tried
 * is known in the memory of each alone, as digests under a key of its own: from a database, with the key in it, they
 * could be guessed a million times as fast as from the register. So the same one counts once for each instance.
 */

import { createHmac, randomBytes } from "node:crypto";
import { consecutiveFailures, type Counter, type RowKind, tokenBucket } from "./limit_rule.ts";
import { maxKeptCounts } from "./limit_store.ts";
import type { Change, RateLimiter } from "./rate_limiter.ts";
import { normalizePassword } from "../passwords/password_hash.ts";
import { clientCounters } from "./quota.ts";
import { BoundedMap } from "../bounded_map.ts";

/** Wrong passwords of one login by one client, or by one known device, in an hour. */
export const maxPerLoginAndClient = 10;
/** Wrong passwords of one client in an hour. */
export const maxPerClient = 100;
/** Wrong passwords of one login by all known devices, in an hour. */
export const maxOfDevices = 100;
/** Wrong passwords of one login, one after another. */
export const maxInARow = 100;

const perLogin = consecutiveFailures("login", maxInARow);
const perLoginAndClient = tokenBucket("login-client", maxPerLoginAndClient);
const perClient = clientCounters("client", maxPerClient);
// Of known devices: apart from the others, so that nobody else's guessing pushes them out.
const perDevice = consecutiveFailures("device", maxInARow);
const perDeviceHourly = tokenBucket("device-hour", maxPerLoginAndClient);
// Or somebody with very many cookies of one login could push out what is counted of others' devices.
const perLoginOfDevices = tokenBucket("device-login", maxOfDevices);

/** A password that somebody tries. */
export interface Guess {
  readonly login: string;
  readonly password: string;
  /** Whom it counts for, see `rateLimitKey`. */
  readonly client: string;
  /** The id of a device that the owner of the login has logged in from, see `lib/accounts/known_device.ts`. */
  readonly device: string | undefined;
}

/** What came of it: the verdict, or after how many seconds to come again. */
export type Throttled<Verdict> =
  | { readonly waitSeconds: 0; readonly verdict: Verdict }
  | { readonly waitSeconds: number; readonly verdict: undefined };

/** What a guess is counted by. */
interface Counters {
  readonly login: Counter<RowKind>;
  /** In a row: the known device, else the login. */
  readonly row: Counter<RowKind>;
  /** In an hour: the known device, else login and client, and the client. */
  readonly tokenBucket: readonly Counter[];
  /** Names the password that is tried, and who tries it. */
  readonly guess: string;
}

/** Guesses that are alike and being verified: they count as one, until the last of them has left. */
interface OpenGuess {
  requestCount: number;
  /** Whether it is counted, and neither settled nor put back yet. */
  isTaken: boolean;
  /** Resolves when it was counted, or is to wait. */
  readonly waitSeconds: Promise<number>;
}

type Outcome = "right" | "wrong" | "not-verified";

/** Counts wrong passwords. */
export class LoginThrottle {
  readonly #limiter: RateLimiter;
  readonly #secret = randomBytes(32);
  readonly #open = new Map<string, OpenGuess>();
  /** Wrong: not counted again. */
  readonly #tried = new BoundedMap<string, true>(maxKeptCounts);

  constructor(limiter: RateLimiter) {
    this.#limiter = limiter;
  }

  /**
   * Runs `verify` unless there were too many wrong passwords, and counts what it says. It is given the guess as it
   * counts: without its device, when that has no more tries of its own.
   *
   * @throws what `verify` throws; nothing is counted then
   * @throws what the counts throw, before `verify` runs or in place of its verdict
   */
  async run<Verdict extends { readonly isRight: boolean }>(
    guess: Guess,
    verify: (guess: Guess) => Promise<Verdict>,
  ): Promise<Throttled<Verdict>> {
    const throttled = await this.#try(guess, verify);
    // A known device that has used up its own tries is like any other.
    const isRefusedDevice = throttled.verdict === undefined && guess.device !== undefined;
    return isRefusedDevice ? await this.#try({ ...guess, device: undefined }, verify) : throttled;
  }

  /**
   * After how many seconds the client may try a password of the login again, as far as it is the client's own doing.
   */
  waitSecondsOf(login: string, client: string): Promise<number> {
    return this.#limiter.waitSeconds(hourlyCounters({ login, client, device: undefined }));
  }

  /** Forgets the wrong passwords in a row, as the login has another password now, or an administrator wants it. */
  forget(login: string): Promise<void> {
    return this.#limiter.change([{ counter: { kind: perLogin, of: [login] }, step: perLogin.end }]);
  }

  async #try<Verdict extends { readonly isRight: boolean }>(
    guess: Guess,
    verify: (guess: Guess) => Promise<Verdict>,
  ): Promise<Throttled<Verdict>> {
    const counters = this.#countersOf(guess);
    const open = this.#enter(counters);
    let outcome: Outcome = "not-verified";
    try {
      const waitSeconds = await open.waitSeconds;
      if (waitSeconds > 0) return { waitSeconds, verdict: undefined };
      const verdict = await verify(guess);
      outcome = verdict.isRight ? "right" : "wrong";
      return { waitSeconds: 0, verdict };
    } finally {
      await this.#limiter.change(this.#leave(counters, open, outcome));
    }
  }

  #enter(counters: Counters): OpenGuess {
    const open = this.#open.get(counters.guess) ?? this.#begin(counters);
    open.requestCount++;
    this.#open.set(counters.guess, open);
    return open;
  }

  #begin({ guess, row, tokenBucket }: Counters): OpenGuess {
    const isTried = this.#tried.has(guess);
    const all = [row, ...tokenBucket];
    const waiting = isTried ? this.#limiter.waitSeconds(all) : this.#limiter.take(all);
    const waitSeconds = waiting.then((seconds) => {
      open.isTaken = seconds === 0 && !isTried;
      return seconds;
    });
    const open: OpenGuess = { requestCount: 0, isTaken: false, waitSeconds };
    return open;
  }

  /**
   * Whoever hangs up or is refused leaves its count to those alike that still wait: else each pair would be a free
   * guess.
   *
   * @returns what changes of the counters
   */
  #leave(counters: Counters, open: OpenGuess, outcome: Outcome): readonly Change[] {
    const { guess } = counters;
    open.requestCount--;
    // At once, and not when the counters have changed: whoever comes meanwhile is to be counted anew.
    if (open.requestCount === 0) this.#open.delete(guess);
    if (outcome === "wrong") this.#tried.set(guess, true);
    const isSettled = open.isTaken && (outcome === "wrong" || open.requestCount === 0);
    if (isSettled) open.isTaken = false;
    return changesOf(counters, { outcome, isSettled });
  }

  #countersOf({ login, password, client, device }: Guess): Counters {
    const ofLogin = { kind: perLogin, of: [login] };
    // By the client too: from what is not counted nobody shall learn what somebody else has tried.
    const texts = [login, client, device ?? "", normalizePassword(password) ?? password];
    return {
      login: ofLogin,
      row: device === undefined ? ofLogin : { kind: perDevice, of: [login, device] },
      tokenBucket: hourlyCounters({ login, client, device }),
      guess: createHmac("sha256", this.#secret).update(JSON.stringify(texts)).digest("hex"),
    };
  }
}

function hourlyCounters({ login, client, device }: Omit<Guess, "password">): readonly Counter[] {
  if (device !== undefined) {
    return [{ kind: perDeviceHourly, of: [login, device] }, { kind: perLoginOfDevices, of: [login] }];
  }
  return [{ kind: perLoginAndClient, of: [login, client] }, ...perClient(client)];
}

/** What changes when a guess has ended. @param isSettled whether what was taken for it is now counted, or put back */
function changesOf(
  { login, row, tokenBucket }: Counters,
  { outcome, isSettled }: { outcome: Outcome; isSettled: boolean },
): readonly Change[] {
  const { fail, end, putBack } = row.kind;
  if (outcome === "wrong") return isSettled ? [{ counter: row, step: fail }] : [];
  const changes = isSettled ? tokenBucket.map((counter): Change => ({ counter, step: counter.kind.putBack })) : [];
  if (outcome === "right") {
    changes.push({ counter: row, step: isSettled ? (count, now) => end(putBack(count, now), now) : end });
    if (login !== row) changes.push({ counter: login, step: end });
  } else if (isSettled) {
    changes.push({ counter: row, step: putBack });
  }
  return changes;
}
