/**
 * What the service says: one JSON line per event. The only file that writes to the console.
 *
 * A log must neither slow nor end what it tells of. Lines of one turn of the event loop leave in one write: a
 * write for each would double what a line costs (1.4 µs to 2.8 µs into a pipe). A standard output that takes
 * nothing (closed, a full disk, a slow reader) costs lines, never a request: beyond 1 MiB they are dropped,
 * and counted. JSON escapes line breaks, so nobody can forge a line. Secrets are for those who log to keep.
 */

const flushAfterMs = 10;

/** What a pipe takes in one write, in characters, which are bytes in nearly all lines. */
const flushAtLength = 64 * 1024;

/** What may wait for an output that does not take it: some 5,000 lines. */
const maxWaitingLength = 1024 * 1024;

/** Deep enough for any error's causes, and an end for those that go in a circle. */
const maxDepth = 8;

/** What EMFILE and ENFILE say: the process, or the machine, has no file descriptor left. */
const hasNoDescriptors = /\(os error 2[34]\)/;

/** What is known of an event beside its time, level and name. An `Error` is written out with its causes. */
export type Fields = Readonly<Record<string, unknown>> & {
  readonly time?: never;
  readonly level?: never;
  readonly event?: never;
};

/** Where events are told. The name of an event is stable, in the form `store-opened`. */
export interface Log {
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
}

/** A log that keeps lines for a moment; what it still holds when it is disposed of is written then. */
export interface BufferedLog extends Log, Disposable {
  /** Writes what is held. */
  flush(): void;
}

/** Where lines go: `Deno.stdout`, and what behaves like it. */
export interface Output {
  /** Writes some of the bytes, and returns how many. */
  writeSync(bytes: Uint8Array): number;
}

/** A log that hands each line, with its line break, to `write`. */
export function createLog(write: (line: string) => void): Log {
  const writeEvent = (level: string, event: string, fields: Fields = {}) => {
    const time = new Date().toISOString();
    write(`${JSON.stringify({ time, level, event, ...toPlainFields(fields, 0) })}\n`);
  };
  return {
    info: (event, fields) => writeEvent("info", event, fields),
    warn: (event, fields) => writeEvent("warn", event, fields),
    error: (event, fields) => writeEvent("error", event, fields),
  };
}

/** The service's log on standard output. Warnings and errors leave at once, the rest within 10 ms. */
export function openStdoutLog(): BufferedLog {
  return openLog(Deno.stdout);
}

/** Like `openStdoutLog`, on any output. */
export function openLog(output: Output): BufferedLog {
  return new LineBuffer(output);
}

/** Writes a line to standard output, for the commands that talk to a person. */
export function printLine(text: string): void {
  console.log(text);
}

/** Writes a line to standard error, for the commands that talk to a person. */
export function printError(text: string): void {
  console.error(text);
}

/** Shows a person at a terminal how far long work is, in place of what was shown before; says nothing to a file. */
export function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

/** Runs a command that talks to a person: prints what came of it, or in one line why not, with exit status 1. */
export async function runTask(task: () => Promise<string>): Promise<void> {
  try {
    const text = await task();
    showProgress("");
    printLine(text);
  } catch (error) {
    showProgress("");
    printError(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

class LineBuffer implements BufferedLog {
  readonly #output: Output;
  readonly #log = createLog((line) => this.#hold(line));
  readonly #encoder = new TextEncoder();
  /** Lines that no write has been tried for. */
  #text = "";
  /** What is left of a write: a line must not end in the middle. */
  #rest = new Uint8Array();
  #droppedCount = 0;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  info(event: string, fields?: Fields): void {
    this.#log.info(event, fields);
  }

  warn(event: string, fields?: Fields): void {
    this.#log.warn(event, fields);
    this.flush();
  }

  error(event: string, fields?: Fields): void {
    this.#log.error(event, fields);
    this.flush();
  }

  flush(): void {
    this.#stopTimer();
    try {
      while (this.#hasNext()) this.#rest = this.#rest.subarray(this.#output.writeSync(this.#rest));
    } catch (error) {
      // Nobody reads any more. Any other fault, such as a full disk or a slow reader, may pass: the rest is
      // tried again, as the service is worth more than its log.
      if (error instanceof Deno.errors.BrokenPipe) this.#close();
      else this.#startTimer();
    }
  }

  [Symbol.dispose](): void {
    this.flush();
    this.#close();
  }

  #hold(line: string): void {
    if (this.#isClosed) return;
    if (this.#rest.length + this.#text.length + line.length > maxWaitingLength) {
      this.#droppedCount++;
      return;
    }
    this.#text += line;
    const isStuck = this.#rest.length > 0;
    if (this.#text.length >= flushAtLength && !isStuck) this.flush();
    else this.#startTimer();
  }

  /** Whether there is something to write, which is then in `#rest`. */
  #hasNext(): boolean {
    if (this.#rest.length > 0) return true;
    if (this.#text === "" && this.#droppedCount > 0) this.#tellDropped();
    this.#rest = this.#encoder.encode(this.#text);
    this.#text = "";
    return this.#rest.length > 0;
  }

  #tellDropped(): void {
    const count = this.#droppedCount;
    this.#droppedCount = 0;
    this.#log.warn("log-lines-dropped", { count });
    this.#stopTimer();
  }

  #close(): void {
    this.#isClosed = true;
    this.#text = "";
    this.#rest = new Uint8Array();
    this.#stopTimer();
  }

  #startTimer(): void {
    if (this.#timer !== undefined) return;
    const timer = setTimeout(() => this.flush(), flushAfterMs);
    // The process may end meanwhile: whoever opened the log disposes of it, and what it holds is written
    // then.
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** A loop, as `Object.fromEntries` took 0.7 µs more a line, which every request pays. */
function toPlainFields(fields: object, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = { ...fields };
  for (const name in plain) {
    const value = plain[name];
    if (typeof value === "object" || typeof value === "bigint") plain[name] = toPlain(value, depth);
  }
  return plain;
}

/** What JSON can show of `value`, whatever somebody threw: neither a circle nor a bigint stops it. */
function toPlain(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value;
  if (depth === maxDepth) return "…";
  if (value instanceof Error) {
    const { name, message, cause } = value;
    // To show lines of TypeScript in it Deno (2.9) opens files, and panics when it cannot.
    const stack = hasNoDescriptors.test(message) ? undefined : value.stack;
    return { name, message, stack, cause: toPlain(cause, depth + 1) };
  }
  if (Array.isArray(value)) return value.map((item) => toPlain(item, depth + 1));
  return toPlainFields(value, depth + 1);
}
