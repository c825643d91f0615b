/**
 * The log: one JSON line per event on standard output.
 *
 * Logging never blocks or ends the service, see `LineWriter`. JSON escapes line breaks, so that no value can forge a
 * line. Callers must not pass secrets.
 */
import { LineWriter, type Output } from "./line_writer.ts";

/** Enough for the causes of any error, and an end for circular ones. */
const maxDepth = 8;

/** The messages of EMFILE and ENFILE: the process, or the machine, has no file descriptor left. */
const hasNoDescriptors = /\(os error 2[34]\)/;

/** The fields of an event besides time, level and name. An `Error` is logged with its causes. */
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

/** A log that buffers lines for up to 10 ms. Disposing of it writes them, if the output accepts them. */
export interface BufferedLog extends Log, AsyncDisposable {
  /** Starts to write the buffered lines. */
  flush(): Promise<void>;
}

export interface LogOptions {
  /** The name of the instance, in each line. */
  readonly instance?: string;
  /** By default off. */
  readonly isDebug?: boolean;
}

/** A log that passes each line, with its line break, to `write`. */
export function createLog(
  write: (line: string, level: string) => void,
  { instance, isDebug = false }: LogOptions = {},
): Log {
  const writerAt = (level: string) => (event: string, fields: Fields = {}) => {
    const time = new Date().toISOString();
    write(`${JSON.stringify({ time, level, instance, event, ...toPlainFields(fields, 0) })}\n`, level);
  };
  const log = { info: writerAt("info"), warn: writerAt("warn"), error: writerAt("error") };
  return isDebug ? { ...log, debug: writerAt("debug") } : log;
}

/** A log on `output`. Warnings and errors are written immediately, other lines within 10 ms. */
export function openLog(output: Output, options: LogOptions = {}): BufferedLog {
  let dropped = "";
  const dropLog = createLog((line) => dropped = line, options);
  const writer = new LineWriter(output, (count) => {
    dropLog.warn("log-lines-dropped", { count });
    return dropped;
  });
  const write = (line: string, level: string) => {
    writer.write(line);
    if (level !== "info") writer.flush();
  };
  return {
    ...createLog(write, options),
    flush: () => writer.flush(),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

/** Standard output for messages to people. A stopped terminal (Ctrl-S) does not block the program. */
export function openStdout(): LineWriter {
  return new LineWriter(Deno.stdout, droppedNotice);
}

/** As `openStdout`, for standard error. */
export function openStderr(): LineWriter {
  return new LineWriter(Deno.stderr, droppedNotice);
}

function droppedNotice(count: number): string {
  return `${count} lines were dropped as nobody read them\n`;
}

/** A loop, because `Object.fromEntries` took 0.7 µs more per line, of which each request has one. */
function toPlainFields(fields: object, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = { ...fields };
  for (const name in plain) {
    const value = plain[name];
    if (typeof value === "object" || typeof value === "bigint") plain[name] = toPlain(value, depth);
  }
  return plain;
}

/** Makes any thrown value serializable as JSON: circular references and bigints too. */
function toPlain(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value;
  if (depth === maxDepth) return "…";
  if (value instanceof Error) {
    const { name, message, cause } = value;
    // Deno (2.9) opens source files to build the stack, and panics if it cannot.
    const stack = hasNoDescriptors.test(message) ? undefined : value.stack;
    return { name, message, stack, cause: toPlain(cause, depth + 1) };
  }
  if (Array.isArray(value)) return value.map((item) => toPlain(item, depth + 1));
  return toPlainFields(value, depth + 1);
}
