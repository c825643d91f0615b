/**
 * Runs password hashes: a bounded number at once, the others in a fair queue.
 *
 * One more than the cores run at once, so that no core is idle between two of them (0.96 to 1.00 of what the cores can
 * do). More would not be faster, and they share their threads with the journal's writes. Each reserves memory, at least
 * an equal share of the limit: fewer run at once if they need more, and one that needs all of it runs alone.
 *
 * Known devices and all other clients take turns; within each, networks (an IPv4 address, an IPv6 /48, then /56, then
 * /64) take turns. So a flood from one network delays the others by one hash. Jobs that would wait longer than
 * `maxWaitMs` are rejected immediately. When full, the newest job of the network with the longest queue is evicted in
 * favour of one with a shorter queue. No job overtakes the next one while that waits for memory.
 */

import { networksOf } from "../http/client_address.ts";
import { FairQueue } from "./fair_queue.ts";

/** The job was not started: it would wait too long, or its client is gone. */
export class OverloadedError extends Error {
  override name = "OverloadedError";
  /** Whole seconds until there may be room, at least 1. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super("Cannot hash a password now as too many are waiting");
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface HashQueueOptions {
  /** Jobs that run at once, at least 1. */
  readonly concurrency: number;
  /** Estimated duration of a job in milliseconds. Measurements replace it. */
  readonly costMs: number;
  /** Longest accepted wait in milliseconds. */
  readonly maxWaitMs: number;
  /** Memory for the jobs that run; by default it is not limited. */
  readonly maxMemoryBytes?: number;
  /** Called after each job. */
  readonly onRun?: (durations: JobDurations) => void;
}

/** How long a job waited, and how long it ran after that. */
export interface JobDurations {
  readonly waitSeconds: number;
  readonly runSeconds: number;
}

/** The client that a job runs for. */
export interface Requester {
  /** See `rateLimitKey`. */
  readonly client: string;
  /** The login that the client is a known device of, see `lib/accounts/known_device.ts`. */
  readonly knownLogin?: string | undefined;
  /** Aborted when the client is gone: its job leaves the queue. */
  readonly hungUp?: AbortSignal;
}

/** A client, and what its job needs. */
export interface JobRequest extends Requester {
  /** Memory that the job takes; by default little. */
  readonly memoryBytes?: number;
}

/** Weight of a measurement in the running average: about the last ten count. */
const newCostShare = 0.1;
/** Bounds the memory if hashes are so cheap that thousands fit into the wait. */
const maxWaiting = 10_000;

interface Job {
  readonly path: readonly string[];
  readonly reservedBytes: number;
  readonly start: () => void;
  readonly reject: () => void;
}

/** Bounds the work of all clients together, and divides it fairly. */
export class HashQueue {
  readonly #options: HashQueueOptions;
  /** An equal share of the memory. */
  readonly #shareBytes: number;
  /** Running average; a job that reserves several shares costs as much as several jobs. */
  #costMs: number;
  #freeBytes: number;
  #running = 0;
  readonly #jobs = new FairQueue<Job>();

  constructor(options: HashQueueOptions) {
    const { concurrency, costMs, maxMemoryBytes = Number.MAX_SAFE_INTEGER } = options;
    this.#options = options;
    this.#costMs = costMs;
    this.#shareBytes = Math.floor(maxMemoryBytes / concurrency);
    this.#freeBytes = this.#maxBytes;
  }

  /** Jobs that run. */
  get running(): number {
    return this.#running;
  }

  /** Jobs that wait. */
  get waiting(): number {
    return this.#jobs.size;
  }

  /**
   * Checks whether `run` would accept a job now. Called before other work for a client, so that a flood costs little.
   *
   * @throws {OverloadedError} as `run`
   */
  assertCapacity(requester: JobRequest): void {
    if (!this.#canStart(this.#reservationOf(requester))) this.#evictableFor(pathOf(requester));
  }

  /**
   * Runs `work` when it is its turn.
   *
   * @throws {OverloadedError} it would wait too long, or its client is gone; `work` was not started
   */
  async run<Result>(requester: JobRequest, work: () => Promise<Result>): Promise<Result> {
    if (requester.hungUp?.aborted) throw this.#overloaded();
    const calledAt = performance.now();
    const reservedBytes = this.#reservationOf(requester);
    if (this.#canStart(reservedBytes)) this.#reserve(reservedBytes);
    else await this.#wait(requester, reservedBytes);
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      const tookMs = performance.now() - startedAt;
      this.#options.onRun?.({ waitSeconds: (startedAt - calledAt) / 1_000, runSeconds: tookMs / 1_000 });
      const costMs = tookMs * (reservedBytes / this.#shareBytes);
      // At most twice the average: a burst keeps the event loop busy for seconds, which is not the cost of the hash.
      this.#costMs += newCostShare * (Math.min(costMs, 2 * this.#costMs) - this.#costMs);
      this.#running--;
      this.#freeBytes += reservedBytes;
      this.#startNext();
    }
  }

  /** Resolves when it is the turn of the job, and its memory is reserved. */
  async #wait(requester: Requester, reservedBytes: number): Promise<void> {
    const path = pathOf(requester);
    const evicted = this.#evictableFor(path);
    if (evicted !== undefined) this.#remove(evicted);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const job = { path, reservedBytes, start: resolve, reject: () => reject(this.#overloaded()) };
    this.#jobs.add(job, path);
    this.#startNext();
    // A flood is over when its clients are gone.
    const leave = () => {
      this.#remove(job);
      this.#startNext();
    };
    requester.hungUp?.addEventListener("abort", leave);
    await promise.finally(() => requester.hungUp?.removeEventListener("abort", leave));
  }

  /** The job to evict for a new one; `undefined` if there is room. @throws {OverloadedError} there is no room */
  #evictableFor(path: readonly string[]): Job | undefined {
    if (this.#jobs.size < this.#capacity) return undefined;
    const job = this.#jobs.evictable(path);
    if (job === undefined) throw this.#overloaded();
    return job;
  }

  #remove(job: Job): void {
    if (this.#jobs.remove(job, job.path)) job.reject();
  }

  /** Starts jobs in their order while there is memory for the next one. One that is removed may make way for others. */
  #startNext(): void {
    for (let next = this.#jobs.peek(); next !== undefined; next = this.#jobs.peek()) {
      if (next.reservedBytes > this.#freeBytes) return;
      this.#jobs.take();
      this.#reserve(next.reservedBytes);
      next.start();
    }
  }

  #canStart(reservedBytes: number): boolean {
    return this.#jobs.size === 0 && reservedBytes <= this.#freeBytes;
  }

  #reserve(bytes: number): void {
    this.#running++;
    this.#freeBytes -= bytes;
  }

  /** Memory to reserve: at least an equal share, so that no more than `concurrency` run, and at most all of it. */
  #reservationOf({ memoryBytes = 0 }: JobRequest): number {
    return Math.min(Math.max(memoryBytes, this.#shareBytes), this.#maxBytes);
  }

  get #maxBytes(): number {
    return this.#shareBytes * this.#options.concurrency;
  }

  /** Jobs that can wait and still start in time. */
  get #capacity(): number {
    const { maxWaitMs, concurrency } = this.#options;
    return Math.min(maxWaiting, Math.floor(maxWaitMs * concurrency / this.#costMs));
  }

  #overloaded(): OverloadedError {
    const seconds = (this.#jobs.size + 1) * this.#costMs / this.#options.concurrency / 1_000;
    return new OverloadedError(Math.max(1, Math.ceil(seconds)));
  }
}

/** The levels of fairness. Known devices of one client differ by login, as many can be behind one address. */
function pathOf({ client, knownLogin }: Requester): readonly string[] {
  const path = [...networksOf(client).toReversed(), client];
  return knownLogin === undefined ? ["unknown", ...path] : ["known", ...path, knownLogin];
}
