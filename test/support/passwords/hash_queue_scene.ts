/** A hash queue and work sent through it, for tests of the order in which it serves clients. */
import { assertInstanceOf } from "@std/assert";
import { HashQueue, type JobRequest, OverloadedError } from "../../../lib/passwords/hash_queue.ts";

/** Clients of one IPv6 /48: two of the same /56, and one of another. */
const networked = new Map([["p", "2001:db8:0:0::/64"], ["q", "2001:db8:0:1::/64"], ["r", "2001:db8:0:100::/64"]]);

/** Of a client by its letter; a capital is a known device of a login of its own, and "a*3" needs 3 bytes. */
function requestOf(text: string): JobRequest & { readonly name: string } {
  const [name = "", bytes = "0"] = text.split("*");
  const letter = name.toLowerCase();
  const client = networked.get(letter) ?? letter;
  const request = { name, client, memoryBytes: Number(bytes) };
  return name === letter ? request : { ...request, knownLogin: name };
}

interface Started {
  readonly name: string;
  readonly end: () => void;
}

/** A gate, and the work sent through it: which has started, in order, and what came of each. */
export class Scene {
  readonly gate: HashQueue;
  readonly started: Started[] = [];
  readonly refused: string[] = [];
  readonly #settled: Promise<void>[] = [];

  /** There is a byte of memory for each that may run at once. */
  constructor(options: { concurrency: number; capacity: number }) {
    const { concurrency, capacity } = options;
    // An hour, so that what the work really takes weighs nothing, and just short of what one more would need.
    const costMs = 3_600_000;
    const maxWaitMs = (capacity + 0.9) * costMs / concurrency;
    this.gate = new HashQueue({ concurrency, costMs, maxWaitMs, maxMemoryBytes: concurrency });
  }

  /** Sends work of each client in turn; its name is the client's and a number: "a1", "a2". */
  send(...clients: string[]): void {
    for (const { name: client, ...request } of clients.map(requestOf)) {
      const name = `${client}${this.#countOf(client)}`;
      const { promise, resolve } = Promise.withResolvers<void>();
      const work = () => {
        this.started.push({ name, end: resolve });
        return promise;
      };
      const note = (error: unknown) => {
        assertInstanceOf(error, OverloadedError);
        this.refused.push(name);
      };
      this.#settled.push(this.gate.run(request, work).catch(note));
    }
  }

  /** Ends all work, the oldest first, and whatever starts thereby. @returns the names in the order of their start */
  async finish(): Promise<string[]> {
    while (this.#endedCount < this.started.length || this.gate.running > 0) await this.endOldest();
    await Promise.all(this.#settled);
    return this.started.map(({ name }) => name);
  }

  /** Ends the work that runs longest. */
  async endOldest(): Promise<void> {
    this.started[this.#endedCount++]?.end();
    await this.settle();
  }

  /** Waits until all that may start has started: each turn is handed on within a few promises. */
  async settle(): Promise<void> {
    for (let step = 0; step < 10; step++) await Promise.resolve();
  }

  /** What has started and not ended. */
  get running(): string[] {
    return this.started.slice(this.#endedCount).map(({ name }) => name);
  }

  #endedCount = 0;
  readonly #counts = new Map<string, number>();

  #countOf(client: string): number {
    const count = (this.#counts.get(client) ?? 0) + 1;
    this.#counts.set(client, count);
    return count;
  }
}
