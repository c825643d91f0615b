/**
 * Runs password hashes: a bounded number at once, the others in a fair queue.
 *
 * One more than the cores run at once, so that no core is idle between two of them (0.96 to 1.00 of what the cores can
 * do). More would not be faster, and they share their threads with the journal's writes.
 *
 * Known devices and all other clients take turns; within each, networks (an IPv4 address, an IPv6 /48, then /56, then
 * /64) take turns. So a flood from one network delays the others by one hash. Jobs that would wait longer than
 * `maxWaitMs` are rejected immediately. When full, the newest job of the network with the longest queue is evicted in
 * favour of one with a shorter queue.
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

/** Weight of a measurement in the running average: about the last ten count. */
const newCostShare = 0.1;
/** Bounds the memory if hashes are so cheap that thousands fit into the wait. */
const maxWaiting = 10_000;

interface Job {
  readonly path: readonly string[];
  readonly start: () => void;
  readonly reject: () => void;
}

/** Bounds the work of all clients together, and divides it fairly. */
export class HashQueue {
  readonly #options: HashQueueOptions;
  /** Running average. */
  #costMs: number;
  #running = 0;
  readonly #jobs = new FairQueue<Job>();

  constructor(options: HashQueueOptions) {
    this.#options = options;
    this.#costMs = options.costMs;
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
  assertCapacity(requester: Requester): void {
    if (this.#running >= this.#options.concurrency) this.#evictableFor(pathOf(requester));
  }

  /**
   * Runs `work` when it is its turn.
   *
   * @throws {OverloadedError} it would wait too long, or its client is gone; `work` was not started
   */
  async run<Result>(requester: Requester, work: () => Promise<Result>): Promise<Result> {
    if (requester.hungUp?.aborted) throw this.#overloaded();
    const calledAt = performance.now();
    if (this.#running < this.#options.concurrency) this.#running++;
    else await this.#wait(requester);
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      const tookMs = performance.now() - startedAt;
      this.#options.onRun?.({ waitSeconds: (startedAt - calledAt) / 1_000, runSeconds: tookMs / 1_000 });
      // At most twice the average: a burst keeps the event loop busy for seconds, which is not the cost of the hash.
      this.#costMs += newCostShare * (Math.min(tookMs, 2 * this.#costMs) - this.#costMs);
      const next = this.#jobs.take();
      if (next === undefined) this.#running--;
      else next.start();
    }
  }

  /** Resolves when a job that ends hands over its place. */
  async #wait(requester: Requester): Promise<void> {
    const path = pathOf(requester);
    const evicted = this.#evictableFor(path);
    if (evicted !== undefined) this.#remove(evicted);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const job = { path, start: resolve, reject: () => reject(this.#overloaded()) };
    this.#jobs.add(job, path);
    // A flood is over when its clients are gone.
    const leave = () => this.#remove(job);
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
