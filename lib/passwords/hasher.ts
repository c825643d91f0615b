/**
 * Hashes and verifies passwords in one queue, at one cost.
 *
 * Each verification is one job of the queue. Unless the password is right, it does the same work, that of the most
 * expensive stored hash, whether the user exists or not: neither the response nor its time reveals which logins exist
 * (OWASP ASVS 5.0, 6.3.8). A right password whose hash has another cost than the setting is hashed again, so that the
 * stored hashes converge to the setting. A hash that cannot be verified, or costs more than any setting, is treated as
 * if the user did not exist.
 */

import { HashQueue, type JobDurations, type Requester } from "./hash_queue.ts";
import { hashPassword, iterationsOf, type PasswordScheme, verifyPassword } from "./password_hash.ts";

/** Time that a start spends on measuring the cost of a hash. The last round may exceed it. */
const measureMs = 50;
const measureRounds = 5;
/** Deno has 32 threads for blocking work, and journal writes use them too: with 128 hashes at once one took 1.9 s. */
const maxConcurrency = 30;
/** Hashed only for the time that it takes. */
const padding = "padding";

export interface HasherOptions {
  /** PBKDF2 iterations of new hashes. */
  readonly iterations: number;
  /** Most iterations of any stored hash, by default 0. */
  readonly highestIterations?: number;
  /** Hashes that run at once; by default one more than the cores, at most 30. */
  readonly concurrency?: number;
  /** Longest accepted wait in milliseconds, by default 5,000. */
  readonly maxWaitMs?: number;
  /** Called after each job. */
  readonly onRun?: (durations: JobDurations) => void;
}

/** Result of a verification. */
export interface PasswordVerdict {
  readonly isRight: boolean;
  /** A new hash of the same password, if it was right, its hash had another cost, and a new one was wanted. */
  readonly rehashed?: string | undefined;
}

/** A password hash to verify, and for whom. */
export interface VerifyOptions extends Requester {
  /** `undefined` if there is no such user. */
  readonly passwordHash: string | undefined;
  /** Whether a right password whose hash has another cost is hashed again; by default it is. */
  readonly isRehashing?: boolean;
}

/** Hashes and verifies passwords. Made by `Hasher.open`. */
export class Hasher {
  readonly #iterations: number;
  /** Iterations of a verification that fails. */
  readonly #workIterations: number;
  readonly #decoy: string;
  /** All hashes run here. */
  readonly queue: HashQueue;
  /** Measured duration of one hash in milliseconds while all cores hash. */
  readonly costMs: number;
  /** Measured hashes of this machine per second. */
  readonly hashesPerSecond: number;

  private constructor(options: Required<HasherOptions>, { decoy, costMs }: Awaited<ReturnType<typeof measure>>) {
    const { iterations, highestIterations, concurrency, maxWaitMs, onRun } = options;
    this.#iterations = iterations;
    this.#workIterations = Math.max(iterations, highestIterations);
    this.#decoy = decoy;
    this.queue = new HashQueue({ concurrency, costMs, maxWaitMs, onRun });
    this.costMs = costMs;
    this.hashesPerSecond = concurrency / costMs * 1_000;
  }

  /** Creates the decoy hash and measures the cost of a hash. */
  static async open(options: HasherOptions): Promise<Hasher> {
    const concurrency = Math.min(navigator.hardwareConcurrency + 1, maxConcurrency);
    const complete = { highestIterations: 0, concurrency, maxWaitMs: 5_000, onRun: () => {}, ...options };
    return new Hasher(complete, await measure(complete));
  }

  /**
   * Hashes a new password.
   *
   * @throws {OverloadedError} too many are waiting, or the client is gone
   */
  hash(password: string, requester: Requester): Promise<string> {
    return this.queue.run(requester, () => hashPassword(password, pbkdf2(this.#iterations)));
  }

  /**
   * Verifies a password against a user's hash, or against the decoy, which no password matches.
   *
   * @throws {OverloadedError} too many are waiting, or the client is gone
   */
  verify(password: string, options: VerifyOptions): Promise<PasswordVerdict> {
    const { passwordHash = "", isRehashing = true, ...requester } = options;
    return this.queue.run(requester, async () => {
      const isUsable = iterationsOf(passwordHash) > 0;
      const verifiedHash = isUsable ? passwordHash : this.#decoy;
      const iterations = iterationsOf(verifiedHash);
      const isRight = await verifyPassword(password, verifiedHash) && isUsable;
      if (isRight) {
        const isStale = isRehashing && iterations !== this.#iterations;
        return {
          isRight,
          rehashed: isStale ? await hashPassword(password, pbkdf2(this.#iterations)) : undefined,
        };
      }
      // The rest of the work: otherwise the time of a cheaper hash would reveal that its login exists.
      if (iterations < this.#workIterations) {
        await hashPassword(padding, pbkdf2(this.#workIterations - iterations));
      }
      return { isRight, rehashed: undefined };
    });
  }
}

/** The fastest round counts, as other work of the machine is no cost of a hash. An expensive hash needs one round. */
async function measure({ iterations, concurrency }: Required<HasherOptions>) {
  const decoy = await hashPassword(crypto.randomUUID(), pbkdf2(iterations));
  let costMs = Infinity;
  for (let round = 0, spentMs = 0; round < measureRounds && spentMs < measureMs; round++) {
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: concurrency }, () => hashPassword("measure", pbkdf2(iterations))),
    );
    const roundMs = performance.now() - startedAt;
    costMs = Math.min(costMs, roundMs);
    spentMs += roundMs;
  }
  return { decoy, costMs };
}

function pbkdf2(iterations: number): PasswordScheme {
  return { kind: "pbkdf2", iterations };
}
