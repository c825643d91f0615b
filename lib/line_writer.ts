/**
 * Writes lines to an output that may be slow or stuck, without ever blocking.
 *
 * `writeSync` on a pipe or a terminal blocks the event loop while nobody reads (Ctrl-S, `| less`, a stopped log
 * shipper), and with it every request and signal. So writes are asynchronous, one at a time: a stuck write occupies one
 * thread of Deno's pool, which `Deno.exit` does not wait for. Meanwhile up to 1 MiB of lines is buffered; further lines
 * are dropped and counted. Lines are written in batches, as a write per line would double the cost of a line.
 */

const flushAfterMs = 10;

/** The capacity of a pipe, in characters, which are bytes in nearly all lines. */
const flushAtLength = 64 * 1024;

/** Characters buffered for a stuck output: some 5,000 lines. */
const maxHeldLength = 1024 * 1024;

/** With the time to drain it stays below the 10 s of most supervisors. */
const closeWithinMs = 500;

/** `Deno.stdout` and the like. */
export interface Output {
  /** Writes some of the bytes. @returns how many */
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes lines in order. Disposing of it writes the buffered lines, for up to 500 ms. */
export class LineWriter implements AsyncDisposable {
  readonly #output: Output;
  readonly #describeDropped: (count: number) => string;
  readonly #encoder = new TextEncoder();
  /** Lines that are not passed to a write yet. */
  #text = "";
  /** The rest of an incomplete write: a line must not be cut. */
  #rest = new Uint8Array();
  #droppedCount = 0;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isWriting = false;
  /** Resolves when the pending writes have ended; never rejects. */
  #written = Promise.resolve();

  /** @param describeDropped returns the line, with its line break, that reports `count` dropped lines */
  constructor(output: Output, describeDropped: (count: number) => string) {
    this.#output = output;
    this.#describeDropped = describeDropped;
  }

  /** Queues one or more lines, each with its line break, to be written within 10 ms. */
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

  /** Starts to write the queued lines. @returns resolves when they are written, or the write has failed for now */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isClosed) return Promise.resolve();
    if (!this.#isWriting) this.#written = this.#writeHeld();
    return this.#written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, closeWithinMs);
    const endsAt = performance.now() + closeWithinMs;
    await Promise.race([this.flush(), isLate]);
    // An error may pass, see #writeHeld.
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

  /** Writes until nothing is left, lines that are queued meanwhile too. */
  async #writeHeld(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#hasNext()) this.#rest = this.#rest.subarray(await this.#output.write(this.#rest));
    } catch (error) {
      // After a broken pipe nobody reads. Any other error, such as a full disk, may pass: the write is repeated, and
      // the service goes on.
      if (error instanceof Deno.errors.BrokenPipe) this.#close();
      else this.#startTimer();
    } finally {
      this.#isWriting = false;
    }
  }

  /** Moves the next lines to `#rest`. @returns whether there is anything to write */
  #hasNext(): boolean {
    if (this.#rest.length > 0) return true;
    if (this.#text === "" && this.#droppedCount > 0) {
      this.#text = this.#describeDropped(this.#droppedCount);
      this.#droppedCount = 0;
    }
    this.#rest = this.#encoder.encode(this.#text);
    this.#text = "";
    return this.#rest.length > 0;
  }

  #close(): void {
    this.#isClosed = true;
    this.#text = "";
    this.#rest = new Uint8Array();
    this.#droppedCount = 0;
    clearTimeout(this.#timer);
  }

  #startTimer(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => this.flush(), flushAfterMs);
    // The timer does not keep the process alive: disposing of the writer writes the lines.
    Deno.unrefTimer(this.#timer);
  }
}
