/**
 * Password hashing as a resource of this process: one cost, one gate, and a decoy for logins that do not exist.
 *
 * Every verification is exactly one pass through the gate and, unless the password was right, the same work, that of
 * the dearest hash that is kept, whether the user exists or not: neither the answer nor its time tells an attacker
 * which logins are registered (OWASP ASVS 5.0, 6.3.8). A right password of another cost is hashed anew, so that after a
 * change of the setting the register comes to one cost by itself. A hash that cannot be verified, or is dearer than any
 * setting, is as if nobody had it.
 */

import { HashQueue, type Turn } from "./hash_queue.ts";
import { hashPassword, iterationsOf, verifyPassword } from "./password_hash.ts";

/** The start may take this much longer for measuring what a hash costs; the last round may go beyond it. */
const measureMs = 50;
const measureRounds = 5;
/** Deno has 32 threads for what blocks, which the journal's writes share: with 128 hashes at once one took 1.9 s. */
const maxConcurrency = 30;
/** A password that nobody has, for work of which nothing is to come. */
const nobodys = "nobody's";

export interface HasherOptions {
  /** PBKDF2 iterations for new hashes. */
  readonly iterations: number;
  /** The most iterations of any hash that is kept, 0 by default; see `verify`. */
  readonly highestIterations?: number;
  /**
   * How many hashes run at once; by default one more than there are cores, which works while the next is handed over,
   * and at most 30.
   */
  readonly concurrency?: number;
  /** The longest wait for a turn that is accepted, in milliseconds, 5,000 by default; see `lib/passwords/hash_queue.ts`. */
  readonly maxWaitMs?: number;
  /** Told how long each turn at the gate took, in seconds; see `lib/passwords/hash_queue.ts`. */
  readonly onRun?: (seconds: number) => void;
}

/** What came of a verification. */
export interface PasswordVerdict {
  readonly isRight: boolean;
  /** The same password hashed anew, when it was right, its hash of another cost than today's, and that was wanted. */
  readonly rehashed?: string | undefined;
}

/** Hashes and verifies passwords, a bounded number at once. Made by `Hasher.open`. */
export class Hasher {
  readonly #iterations: number;
  /** What a verification that fails takes. */
  readonly #workIterations: number;
  readonly #hashQueue: HashQueue;
  readonly #decoy: string;
  #hashCount = 0;
  /** What one hash takes on this machine while all cores hash, in milliseconds, measured at start. */
  readonly costMs: number;
  /** How many this machine can do in a second. */
  readonly hashesPerSecond: number;

  private constructor(options: Required<HasherOptions>, measured: Measurement) {
    const { iterations, highestIterations, concurrency, maxWaitMs, onRun } = options;
    this.#iterations = iterations;
    this.#workIterations = Math.max(iterations, highestIterations);
    this.costMs = measured.costMs;
    this.hashesPerSecond = measured.hashesPerSecond;
    this.#decoy = measured.decoy;
    this.#hashQueue = new HashQueue({ concurrency, costMs: measured.costMs, maxWaitMs, onRun });
  }

  /** Makes the decoy, and measures what a hash costs here. */
  static async open(options: HasherOptions): Promise<Hasher> {
    const { iterations, highestIterations = 0 } = options;
    const { maxWaitMs = 5_000, onRun = () => {} } = options;
    const { concurrency = Math.min(navigator.hardwareConcurrency + 1, maxConcurrency) } = options;
    const whole = { iterations, highestIterations, concurrency, maxWaitMs, onRun };
    return new Hasher(whole, await measure(iterations, concurrency));
  }

  /** How many turns are under way. */
  get running(): number {
    return this.#hashQueue.running;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#hashQueue.waiting;
  }

  /** How many hashes were computed for clients since the start. */
  get hashCount(): number {
    return this.#hashCount;
  }

  /**
   * Refuses whom `hash` and `verify` would refuse now, before anything is done for the client.
   *
   * @throws {OverloadedError} too many are waiting
   */
  assertCapacity(turn: Turn): void {
    this.#hashQueue.assertCapacity(turn);
  }

  /**
   * Hashes a new password.
   *
   * @throws {OverloadedError} too many are waiting, or nobody waits for it any more
   */
  hash(password: string, turn: Turn): Promise<string> {
    return this.#hashQueue.run(turn, () => this.#hash(password));
  }

  /**
   * Verifies a password against a user's hash or, when there is no user, against the decoy, which no password is.
   *
   * @param options without `isRehashing` no right password is hashed anew
   * @throws {OverloadedError} too many are waiting, or nobody waits for it any more
   */
  verify(
    password: string,
    options: Turn & { readonly passwordHash: string | undefined; readonly isRehashing?: boolean },
  ): Promise<PasswordVerdict> {
    const { passwordHash = "", isRehashing = true, ...turn } = options;
    const verify = async () => {
      this.#hashCount++;
      const isUsable = iterationsOf(passwordHash) > 0;
      const kept = isUsable ? passwordHash : this.#decoy;
      const isRight = await verifyPassword(password, kept) && isUsable;
      const iterations = iterationsOf(kept);
      if (isRight) {
        const isStale = isRehashing && iterations !== this.#iterations;
        return { isRight, rehashed: isStale ? await this.#hash(password) : undefined };
      }
      // The rest of the work: by its time a cheaper hash would tell that its login is registered, or is not.
      if (iterations < this.#workIterations) await hashPassword(nobodys, this.#workIterations - iterations);
      return { isRight, rehashed: undefined };
    };
    return this.#hashQueue.run(turn, verify);
  }

  #hash(password: string): Promise<string> {
    this.#hashCount++;
    return hashPassword(password, this.#iterations);
  }
}

interface Measurement {
  readonly decoy: string;
  readonly costMs: number;
  readonly hashesPerSecond: number;
}

/**
 * The cheapest of some rounds counts, as what else the machine does in that moment is no cost of a hash. A dear hash
 * needs only one: it takes so long that a moment does not matter.
 */
async function measure(iterations: number, concurrency: number): Promise<Measurement> {
  const decoy = await hashPassword(crypto.randomUUID(), iterations);
  let costMs = Infinity;
  for (let round = 0, spentMs = 0; round < measureRounds && spentMs < measureMs; round++) {
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: concurrency }, () => hashPassword("measure", iterations)));
    const roundMs = performance.now() - startedAt;
    costMs = Math.min(costMs, roundMs);
    spentMs += roundMs;
  }
  return { decoy, costMs, hashesPerSecond: concurrency / costMs * 1_000 };
}
