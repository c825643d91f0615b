/**
 * How many hashes run and wait at once.
 *
 * As many run as there are cores, and one: so no core is idle while the next is handed over (0.96 to 1.00 of what the
 * cores can do). More would not be faster, and they share their threads with the journal's writes.
 *
 * Other jobs wait in a fair queue. Known devices and all others take turns; within each, networks (an IPv4 address, an
 * IPv6 /48, then /56, then /64) take turns. So a flood from one network delays the others by one hash. Jobs that would
 * wait longer than `maxWaitMs` are rejected immediately. When the queue is full, the longest part of it loses its
 * newest job to a shorter one.
 */

import { networksOf } from "../http/client_address.ts";
import { FairQueue } from "./fair_queue.ts";

/** Nothing that waits can be served in time; the caller should come again later. */
export class OverloadedError extends Error {
  override name = "OverloadedError";
  /** When there may be room again: whole seconds, at least 1. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super("Cannot hash a password now as too many are waiting");
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface GateOptions {
  /** How many run at once; at least 1. */
  readonly concurrency: number;
  /** How long one takes, in milliseconds: a first guess, which measurements then replace. */
  readonly costMs: number;
  /** The longest wait that is accepted, in milliseconds. */
  readonly maxWaitMs: number;
  /** Told how long each took, in seconds, without its wait. */
  readonly onRun?: (seconds: number) => void;
}

/** How much of the running average a new measurement is: the last ten or so count. */
const newCostShare = 0.1;
/** Bounds the memory when hashes are so cheap that thousands would fit into the wait. */
const maxWaiting = 10_000;

/** Whose turn it is. */
export interface Turn {
  /** See `rateLimitKey`. */
  readonly client: string;
  /** The login that the client is a known device of, if it is one; see `lib/accounts/known_device.ts`. */
  readonly knownLogin?: string | undefined;
  /** Aborted when nobody waits for it any more: it gives up its place in the queue. */
  readonly hungUp?: AbortSignal;
}

interface Job {
  readonly start: () => void;
  readonly refuse: () => void;
}

/** Bounds the work of all clients together, fairly between them. */
export class HashQueue {
  readonly #concurrency: number;
  readonly #maxWaitMs: number;
  readonly #onRun: (seconds: number) => void;
  /** A running average. */
  #costMs: number;
  #running = 0;
  readonly #queue = new FairQueue<Job>();

  constructor(options: GateOptions) {
    this.#concurrency = options.concurrency;
    this.#costMs = options.costMs;
    this.#maxWaitMs = options.maxWaitMs;
    this.#onRun = options.onRun ?? (() => {});
  }

  /** How many run. */
  get running(): number {
    return this.#running;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Refuses whom `run` would refuse now: asked before what is done for a run alone, so that a flood costs little.
   *
   * @throws {OverloadedError} as `run`
   */
  assertCapacity(turn: Turn): void {
    if (this.#running < this.#concurrency || this.#queue.size < this.#capacity) return;
    if (this.#queue.pathToShorten(pathOf(turn)) === undefined) throw this.#overloaded();
  }

  /**
   * Runs `work` when it is its turn.
   *
   * @throws {OverloadedError} it would wait too long, or nobody waits for it; `work` was not started
   */
  async run<Result>(turn: Turn, work: () => Promise<Result>): Promise<Result> {
    if (turn.hungUp?.aborted) throw this.#overloaded();
    if (this.#running < this.#concurrency) this.#running++;
    else await this.#wait(turn);
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      const tookMs = performance.now() - startedAt;
      this.#onRun(tookMs / 1_000);
      // At most twice the average counts: a burst keeps the event loop busy for seconds, which is no cost of the work.
      const measuredMs = Math.min(tookMs, 2 * this.#costMs);
      this.#costMs += newCostShare * (measuredMs - this.#costMs);
      this.#next();
    }
  }

  /** Resolves when it is this caller's turn, whose place among the running is taken over. */
  #wait(turn: Turn): Promise<void> {
    const path = pathOf(turn);
    if (this.#queue.size >= this.#capacity && !this.#makeRoom(path)) return Promise.reject(this.#overloaded());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const job = { start: resolve, refuse: () => reject(this.#overloaded()) };
    this.#queue.add(job, path);
    // So that a flood is over when it ends.
    const leave = () => this.#queue.remove(job, path) && job.refuse();
    turn.hungUp?.addEventListener("abort", leave);
    return promise.finally(() => turn.hungUp?.removeEventListener("abort", leave));
  }

  /** How many can wait and still be served in time. */
  get #capacity(): number {
    return Math.min(maxWaiting, Math.floor(this.#maxWaitMs * this.#concurrency / this.#costMs));
  }

  /** Refuses the newest of whoever has the most waiting, if that is fairer than to refuse the newcomer. */
  #makeRoom(newcomer: readonly string[]): boolean {
    const path = this.#queue.pathToShorten(newcomer);
    if (path === undefined) return false;
    this.#queue.removeNewest(path)?.refuse();
    return true;
  }

  /** Hands the place of one that ended to the next. */
  #next(): void {
    const job = this.#queue.take();
    if (job === undefined) this.#running--;
    else job.start();
  }

  #overloaded(): OverloadedError {
    const seconds = (this.#queue.size + 1) * this.#costMs / this.#concurrency / 1_000;
    return new OverloadedError(Math.max(1, Math.ceil(seconds)));
  }
}

/**
 * Whom to be fair to at each level. Known devices of one client are by their login, as there are many behind one
 * address.
 */
function pathOf({ client, knownLogin }: Turn): readonly string[] {
  const path = [...networksOf(client).toReversed(), client];
  return knownLogin === undefined ? ["unknown", ...path] : ["known", ...path, knownLogin];
}
