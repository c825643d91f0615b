/**
 * Runs the hashes that would stop the event loop (`slowKinds`) in one Worker, behind a queue as fair as that of all
 * other hashes.
 *
 * One at once, as these hashes are replaced at the first login: they are few, and the other cores stay with the users
 * whose hashes are new. The Worker starts with the first hash. If it dies, its job fails as an overload, and the next
 * one starts another.
 */

import { hash } from "node:crypto";
import { HashQueue, type JobDurations, OverloadedError, type Requester } from "./hash_queue.ts";
import { hashWorkerName, hashWorkerUrl, type SlowJob } from "./hash_worker.ts";

export interface SlowHashesOptions {
  /** Longest accepted wait in milliseconds, by default 15,000. */
  readonly maxWaitMs?: number;
  /** Called after each job. */
  readonly onRun?: (durations: JobDurations) => void;
  /** Called when the Worker dies. */
  readonly onCrash?: (error: Error) => void;
}

/** Cost 10 of bcrypt, the most frequent. */
const expectedMs = 90;
/** As in crypt(3) of Linux. sha-crypt takes longer for longer passwords: 2.5 s for these at 656,000 rounds. */
const maxPasswordBytes = 511;

/** The Worker and its queue. */
export class SlowHashes {
  readonly #options: SlowHashesOptions;
  readonly queue: HashQueue;
  #worker: Worker | undefined;

  constructor(options: SlowHashesOptions = {}) {
    const { maxWaitMs = 15_000, onRun = () => {} } = options;
    this.#options = options;
    this.queue = new HashQueue({ concurrency: 1, costMs: expectedMs, maxWaitMs, onRun });
  }

  /**
   * Computes the digest of a password.
   *
   * @param settings `ParsedHash.settings` of one of `slowKinds`
   * @param password moved to the Worker, and empty afterwards. One that is too long gets the digest of another text.
   * @throws {OverloadedError} too many are waiting, the client is gone, or the Worker has died
   */
  derive(settings: string, password: Uint8Array<ArrayBuffer>, requester: Requester): Promise<Uint8Array<ArrayBuffer>> {
    // A password that is too long takes the same work.
    const bytes = password.length > maxPasswordBytes ? hash("sha512", password, "buffer").slice() : password;
    return this.queue.run(requester, () => this.#run({ settings, password: bytes }));
  }

  #run(job: SlowJob): Promise<Uint8Array<ArrayBuffer>> {
    const worker = this.#worker ??= new Worker(hashWorkerUrl, { type: "module", name: hashWorkerName });
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      // Otherwise the error ends this process too.
      event.preventDefault();
      this.#worker = undefined;
      this.#options.onCrash?.(new Error(`The Worker of slow hashes has died: ${event.message}`));
      reject(new OverloadedError(1));
    };
    worker.postMessage(job, [job.password.buffer]);
    return promise;
  }
}
