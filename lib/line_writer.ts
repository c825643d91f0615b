/**
 * Lines for an output that may take them slowly or not at all, without ever waiting for it.
 *
 * `writeSync` on a pipe or a terminal blocks the event loop while nobody reads (Ctrl-S, `| less`, a stopped log
 * shipper), and with it every request and signal. So writes are asynchronous, one at a time: a write that is stuck
 * occupies one thread of Deno's pool, which `Deno.exit` does not wait for. Lines that arrive meanwhile are held, up to
 * 1 MiB; further ones are dropped, and counted. Lines of one turn of the event loop leave in one write, as a write for
 * each would double what a line costs.
 */

const flushAfterMs = 10;

/** What a pipe takes in one write, in characters, which are bytes in nearly all lines. */
const flushAtLength = 64 * 1024;

/** What may wait for an output that does not take it: some 5,000 lines. */
const maxHeldLength = 1024 * 1024;

/** How long the end waits for a reader. With the time to drain it stays below the 10 s of most supervisors. */
const closeWithinMs = 500;

/** Where lines go: `Deno.stdout`, and what behaves like it. */
export interface Output {
  /** Writes some of the bytes, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes lines in order. Disposing of it writes what it holds, for 500 ms at most. */
export class LineWriter implements AsyncDisposable {
  readonly #output: Output;
  readonly #describeDropped: (count: number) => string;
  readonly #encoder = new TextEncoder();
  /** Lines that no write has been tried for. */
  #text = "";
  /** What is left of a write: a line must not end in the middle. */
  #rest = new Uint8Array();
  #droppedCount = 0;
  /** Whether `#text` is to be written as soon as `#rest` is. */
  #isDue = false;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isWriting = false;
  /** Resolves when the writes under way have ended; it never rejects. */
  #written = Promise.resolve();

  /** @param describeDropped the line, with its line break, that stands for `count` lines that were dropped */
  constructor(output: Output, describeDropped: (count: number) => string) {
    this.#output = output;
    this.#describeDropped = describeDropped;
  }

  /** Takes one or more lines, each with its line break. They leave within 10 ms, if the output takes them. */
  write(lines: string): void {
    if (this.#isClosed) return;
    if (this.#heldLength + lines.length > maxHeldLength) {
      this.#droppedCount++;
      return;
    }
    this.#text += lines;
    if (this.#text.length >= flushAtLength) this.flush();
    else this.#startTimer();
  }

  /** Starts to write what is held. @returns resolves when that is written, or has failed for now */
  flush(): Promise<void> {
    this.#stopTimer();
    if (this.#isClosed) return Promise.resolve();
    this.#isDue = true;
    if (!this.#isWriting) this.#written = this.#writeDue();
    return this.#written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const endsAt = performance.now() + closeWithinMs;
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, closeWithinMs);
    await Promise.race([this.flush(), isLate]);
    // An error may pass, see #writeDue.
    while (this.#heldLength > 0 && performance.now() < endsAt) {
      await new Promise((resolve) => setTimeout(resolve, flushAfterMs));
      await Promise.race([this.flush(), isLate]);
    }
    clearTimeout(timer);
    this.#close();
  }

  get #heldLength(): number {
    return this.#rest.length + this.#text.length;
  }

  async #writeDue(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#hasNext()) this.#rest = this.#rest.subarray(await this.#output.write(this.#rest));
    } catch (error) {
      // Nobody reads any more. Any other error, such as a full disk, may pass: the rest is tried again, as the service
      // is worth more than its log.
      if (error instanceof Deno.errors.BrokenPipe) this.#close();
      else this.#startTimer();
    } finally {
      this.#isWriting = false;
    }
  }

  /** Whether there is something to write, which is then in `#rest`. */
  #hasNext(): boolean {
    if (this.#rest.length > 0) return true;
    if (!this.#isDue && this.#droppedCount === 0) return false;
    if (this.#text === "" && this.#droppedCount > 0) {
      this.#text = this.#describeDropped(this.#droppedCount);
      this.#droppedCount = 0;
    }
    this.#isDue = false;
    this.#rest = this.#encoder.encode(this.#text);
    this.#text = "";
    return this.#rest.length > 0;
  }

  #close(): void {
    this.#isClosed = true;
    this.#text = "";
    this.#rest = new Uint8Array();
    this.#droppedCount = 0;
    this.#stopTimer();
  }

  #startTimer(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    const timer = setTimeout(() => this.flush(), flushAfterMs);
    // The process may end meanwhile: the owner disposes of the writer, and what it holds is written then.
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
