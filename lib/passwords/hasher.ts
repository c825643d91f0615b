/**
 * Hashes and verifies passwords: new hashes by one scheme, stored ones of every kind.
 *
 * A verification that fails takes the work of one hash, whether the user exists or not: without a usable hash that of a
 * decoy, see `decoys.ts`. So neither the response nor its time reveals which logins exist (OWASP ASVS 5.0, 6.3.8). A
 * right password whose hash takes another work than the scheme is hashed again, so that the stored hashes converge to
 * the setting.
 *
 * WebCrypto runs in threads, so these hashes are jobs of one queue. Slow scripts run in a Worker: `slow_hashes.ts`.
 */

import { timingSafeEqual } from "node:crypto";
import { Decoys } from "./decoys.ts";
import { measureCostMs } from "./hash_cost.ts";
import { HashQueue, type JobDurations, OverloadedError, type Requester } from "./hash_queue.ts";
import { hashMemoryLimit } from "./memory_limit.ts";
import { hashPassword, memoryBytesOf, passwordBytes, type PasswordScheme, workOfScheme } from "./password_hash.ts";
import { SlowHashes } from "./slow_hashes.ts";
import { parseStoredHash, type StoredHash, usableHash } from "./stored_hash.ts";

/** Deno has 32 threads for blocking work, and journal writes use them too: with 128 hashes at once one took 1.9 s. */
const maxConcurrency = 30;

export interface HasherOptions {
  /** Kind and cost of new hashes. */
  readonly scheme: PasswordScheme;
  /** By default those of an empty register. */
  readonly decoys?: Decoys;
  /** Hashes that run at once; by default one more than the cores, at most 30, and as many as the memory allows. */
  readonly concurrency?: number;
  /** Memory for the hashes that run, by default `hashMemoryLimit()`. */
  readonly maxMemoryBytes?: number;
  /** Longest accepted wait in milliseconds, by default 5,000. */
  readonly maxWaitMs?: number;
  /** Called after each job. */
  readonly onRun?: (durations: JobDurations) => void;
  /** Called when the Worker of slow scripts dies. */
  readonly onCrash?: (error: Error) => void;
}

/** Result of a verification. */
export interface PasswordVerdict {
  readonly isRight: boolean;
  /** A new hash of the same password, if it was right, its hash took another work, and a new one was wanted. */
  readonly rehashed?: string | undefined;
}

/** A password hash to verify, and for whom. */
export interface VerifyOptions extends Requester {
  /** Draws the decoy. */
  readonly login: string;
  /** `undefined` if there is no such user. */
  readonly passwordHash: string | undefined;
  /** Whether a right password whose hash takes another work than the scheme is hashed again; by default it is. */
  readonly isRehashing?: boolean;
}

/** Hashes and verifies passwords. Made by `Hasher.open`. */
export class Hasher {
  readonly #options: Required<HasherOptions>;
  /** The decoy of an empty register. */
  readonly #decoy: StoredHash;
  /** All hashes of WebCrypto run here. */
  readonly queue: HashQueue;
  readonly #slowHashes: SlowHashes;
  /** Measured duration of one hash in milliseconds while all cores hash. */
  readonly costMs: number;
  /** Measured hashes of this machine per second. */
  readonly hashesPerSecond: number;

  private constructor(options: Required<HasherOptions>, { decoy, costMs }: { decoy: StoredHash; costMs: number }) {
    const { concurrency, maxWaitMs, maxMemoryBytes, onRun, onCrash } = options;
    this.#options = options;
    this.#decoy = decoy;
    this.queue = new HashQueue({ concurrency, costMs, maxWaitMs, maxMemoryBytes, onRun });
    this.#slowHashes = new SlowHashes({ onRun, onCrash });
    this.costMs = costMs;
    this.hashesPerSecond = concurrency / costMs * 1_000;
  }

  /** Creates the decoy of an empty register and measures the cost of a hash. */
  static async open(options: HasherOptions): Promise<Hasher> {
    const { scheme, maxMemoryBytes = hashMemoryLimit() } = options;
    const fittingCount = Math.max(1, Math.floor(maxMemoryBytes / memoryBytesOf(scheme)));
    const complete = {
      decoys: new Decoys(""),
      concurrency: Math.min(navigator.hardwareConcurrency + 1, maxConcurrency, fittingCount),
      maxMemoryBytes,
      maxWaitMs: 5_000,
      onRun: () => {},
      onCrash: () => {},
      ...options,
    };
    const decoy = parseStoredHash(await hashPassword(crypto.randomUUID(), scheme));
    return new Hasher(complete, { decoy, costMs: await measureCostMs(complete) });
  }

  /** Kind and cost of new hashes. */
  get scheme(): PasswordScheme {
    return this.#options.scheme;
  }

  /** The most memory that a hash takes, of the scheme or of the register. */
  get memoryBytes(): number {
    return Math.max(memoryBytesOf(this.scheme), this.decoys.memoryBytes);
  }

  /** Hashes that run, in the queue and in the Worker. */
  get running(): number {
    return this.queue.running + this.#slowHashes.queue.running;
  }

  /** Hashes that wait, for the queue or for the Worker. */
  get waiting(): number {
    return this.queue.waiting + this.#slowHashes.queue.waiting;
  }

  /** What a login without a hash is verified against. Their `replace` is called for each new hash that is stored. */
  get decoys(): Decoys {
    return this.#options.decoys;
  }

  /**
   * Hashes a new password.
   *
   * @throws {OverloadedError} too many are waiting, or the client is gone
   */
  hash(password: string, requester: Requester): Promise<string> {
    const job = { ...requester, memoryBytes: memoryBytesOf(this.scheme) };
    return this.queue.run(job, () => hashPassword(password, this.scheme));
  }

  /**
   * Verifies a password against a user's hash, or against a decoy, which no password matches.
   *
   * @throws {OverloadedError} too many are waiting, or the client is gone
   */
  async verify(password: string, options: VerifyOptions): Promise<PasswordVerdict> {
    const { login, passwordHash, isRehashing = true, ...requester } = options;
    const own = passwordHash === undefined ? undefined : usableHash(passwordHash);
    // For every login, as the draw takes time too.
    const decoy = this.decoys.hashOf(login) ?? this.#decoy;
    const stored = own ?? decoy;
    const typed = passwordBytes(password);
    const isRight = (digest: Uint8Array) => isEqual(digest, stored.digest) && own !== undefined && typed !== undefined;
    const isStale = stored.work !== workOfScheme(this.scheme);
    const accept = async (hash: () => Promise<string | undefined>): Promise<PasswordVerdict> => {
      return { isRight: true, rehashed: isStale && isRehashing ? await hash() : undefined };
    };

    // What cannot be a password takes the same work.
    const bytes = typed ?? new Uint8Array();
    const { script, derive } = stored;
    const input = script === undefined ? bytes : await this.#slowHashes.derive(script, bytes, requester);
    if (derive === undefined) {
      return isRight(input) ? await accept(() => this.#hashIfRoom(password, requester)) : { isRight: false };
    }
    // One job for both hashes, which do not run at the same time.
    const memoryBytes = Math.max(stored.memoryBytes, isStale ? memoryBytesOf(this.scheme) : 0);
    return await this.queue.run({ ...requester, memoryBytes }, async () => {
      return isRight(await derive(input))
        ? await accept(() => hashPassword(password, this.scheme))
        : { isRight: false };
    });
  }

  /** Hashes a password that is right already: the user can log in without a new hash. */
  async #hashIfRoom(password: string, requester: Requester): Promise<string | undefined> {
    try {
      return await this.hash(password, requester);
    } catch (error) {
      if (error instanceof OverloadedError) return undefined;
      throw error;
    }
  }
}

/** In constant time. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
