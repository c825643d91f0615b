/**
 * What the service says: one JSON line per event.
 *
 * A log must neither slow nor end what it tells of: see `LineWriter`. JSON escapes line breaks, so nobody can forge a
 * line. Secrets are for those who log to keep.
 */
import { LineWriter, type Output } from "./line_writer.ts";

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

/** Takes events. The name of an event is stable and has the form `store-opened`. */
export interface Log {
  /** Absent if debug lines are off, so that `log.debug?.()` does not even compute the fields. */
  readonly debug?: (event: string, fields?: Fields) => void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
}

/** A log that keeps lines for a moment. Disposing of it writes what it still holds, as far as the output takes it. */
export interface BufferedLog extends Log, AsyncDisposable {
  /** Starts to write what is held. */
  flush(): Promise<void>;
}

/** A log that passes each line, with its line break, to `write`. */
export function createLog(write: (line: string) => void, { isDebug = false } = {}): Log {
  const writeEvent = (level: string, event: string, fields: Fields = {}) => {
    const time = new Date().toISOString();
    write(`${JSON.stringify({ time, level, event, ...toPlainFields(fields, 0) })}\n`);
  };
  return {
    ...isDebug && { debug: (event, fields) => writeEvent("debug", event, fields) },
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
  const writer = new LineWriter(output, describeDropped);
  const { info, warn, error } = createLog((line) => writer.write(line));
  return {
    info,
    warn: (event, fields) => (warn(event, fields), void writer.flush()),
    error: (event, fields) => (error(event, fields), void writer.flush()),
    flush: () => writer.flush(),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

/** Standard output, for what a program that serves says to a person; a terminal that is stopped does not stop it. */
export function openStdout(): LineWriter {
  return new LineWriter(Deno.stdout, droppedNotice);
}

/** Like `openStdout`, for standard error. */
export function openStderr(): LineWriter {
  return new LineWriter(Deno.stderr, droppedNotice);
}

function droppedNotice(count: number): string {
  return `${count} lines were dropped as nobody read them\n`;
}

function describeDropped(count: number): string {
  let text = "";
  createLog((line) => text = line).warn("log-lines-dropped", { count });
  return text;
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
