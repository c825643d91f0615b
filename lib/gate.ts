/**
 * How many hashes run and wait at once.
 *
 * As many run as there are cores, and one: so no core is idle while the next is handed over (0.96 to 1.00 of what the
 * cores can do). More would not be faster, and they share their threads with the journal's writes.
 * The others wait in turn by client, one of each before a second of any, so that a flood from one address delays the
 * others by one hash and not by the flood. Who would wait longer than `maxWaitMs` is refused at once. When the queue is
 * full the client with the most waiting loses the newest of them to a client with fewer.
 */

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

interface Job {
  readonly start: () => void;
  readonly refuse: () => void;
}

/** Bounds the work of all clients together, fairly between them. */
export class Gate {
  readonly #concurrency: number;
  readonly #maxWaitMs: number;
  readonly #onRun: (seconds: number) => void;
  /** A running average. */
  #costMs: number;
  #running = 0;
  #waiting = 0;
  /** In order of turn: who was served goes to the end. */
  readonly #queues = new Map<string, Job[]>();

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
    return this.#waiting;
  }

  /**
   * Refuses whom `run` would refuse now: asked before what is done for a run alone, so that a flood costs little.
   *
   * @throws {OverloadedError} as `run`
   */
  requireRoom(client: string): void {
    if (this.#running < this.#concurrency || this.#waiting < this.#capacity) return;
    if (this.#longestQueue(this.#queues.get(client)?.length ?? 0) === undefined) throw this.#overloaded();
  }

  /**
   * Runs `work` when it is `client`'s turn.
   *
   * @param client whom to be fair to, see `clientKey`
   * @param hungUp aborted when nobody waits for it any more: it gives up its place in the queue
   * @throws {OverloadedError} it would wait too long, or nobody waits for it; `work` was not started
   */
  async run<Result>(client: string, work: () => Promise<Result>, hungUp?: AbortSignal): Promise<Result> {
    if (hungUp?.aborted) throw this.#overloaded();
    if (this.#running < this.#concurrency) this.#running++;
    else await this.#wait(client, hungUp);
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
  #wait(client: string, hungUp: AbortSignal | undefined): Promise<void> {
    const queue = this.#queues.get(client) ?? [];
    if (this.#waiting >= this.#capacity && !this.#makeRoom(queue.length)) {
      return Promise.reject(this.#overloaded());
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const job = { start: resolve, refuse: () => reject(this.#overloaded()) };
    queue.push(job);
    this.#queues.set(client, queue);
    this.#waiting++;
    const leave = () => this.#leave(client, job);
    hungUp?.addEventListener("abort", leave);
    return promise.finally(() => hungUp?.removeEventListener("abort", leave));
  }

  /** Gives up the place of one that nobody waits for, so that a flood is over when it ends. */
  #leave(client: string, job: Job): void {
    const queue = this.#queues.get(client);
    const index = queue?.indexOf(job) ?? -1;
    if (queue === undefined || index === -1) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(client);
    this.#waiting--;
    job.refuse();
  }

  /** How many can wait and still be served in time. */
  get #capacity(): number {
    return Math.min(maxWaiting, Math.floor(this.#maxWaitMs * this.#concurrency / this.#costMs));
  }

  /** Refuses the newest of the client with the most waiting, if that is fairer than to refuse the newcomer. */
  #makeRoom(newcomerWaiting: number): boolean {
    const longest = this.#longestQueue(newcomerWaiting);
    if (longest === undefined) return false;
    longest.pop()?.refuse();
    this.#waiting--;
    return true;
  }

  /** The longest queue, if it is longer than the newcomer's would be. */
  #longestQueue(newcomerWaiting: number): Job[] | undefined {
    let longest: Job[] = [];
    for (const queue of this.#queues.values()) {
      if (queue.length > longest.length) longest = queue;
    }
    return longest.length > newcomerWaiting + 1 ? longest : undefined;
  }

  /** Hands the place of one that ended to the next client's first. */
  #next(): void {
    for (const [client, queue] of this.#queues) {
      const job = queue.shift();
      this.#queues.delete(client);
      if (queue.length > 0) this.#queues.set(client, queue);
      if (job === undefined) continue;
      this.#waiting--;
      job.start();
      return;
    }
    this.#running--;
  }

  #overloaded(): OverloadedError {
    const seconds = (this.#waiting + 1) * this.#costMs / this.#concurrency / 1_000;
    return new OverloadedError(Math.max(1, Math.ceil(seconds)));
  }
}
