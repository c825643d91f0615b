/**
 * The shell of every command line: arguments, help, exit status, and output for a person at a terminal.
 *
 * Results go to standard output, an error goes to standard error in one line. The exit status is 0 when the work is
 * done and 1 when it failed or the arguments are wrong; a task may use 2 to say that it could not try.
 */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readConfig, readEnvironment } from "../config/config.ts";
import { shownAddress } from "../config/postgres_address.ts";
import type { Environment } from "../config/settings.ts";
import { version } from "../config/version.ts";
import { createLog, type Log } from "../log.ts";

/** One command line. */
export interface Task {
  /**
   * What follows `deno task`: the name, the arguments and the options with or without a value, as
   * `name SITE [PAGE] [--ca FILE] [--dry-run]`. Arguments and options are parsed as it says.
   */
  readonly usage: string;
  /** The rest of the text for `--help`. */
  readonly help: string;
  /** The exit status after an error; 1 by default. */
  readonly errorStatus?: number;
  /** Does the work. @returns the text to print, or the exit status of a task that has printed its own */
  readonly run: (call: TaskCall) => Promise<string | number>;
}

/** What a task is called with. */
export interface TaskCall {
  readonly args: readonly string[];
  /** The arguments as absolute paths. */
  readonly paths: readonly string[];
  /** Values of options, by name without `--`; "true" for those without a value. */
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly env: Environment;
}

/** The task cannot do its work. The message gives the reason and, where there is one, the remedy. */
export class TaskError extends Error {
  override name = "TaskError";
}

/** Milliseconds between two signs of progress. */
const progressEveryMs = 200;
/** C0 but line feeds, C1 and DEL, which command a terminal, and characters that change the direction of text. */
const controls = /(?!\n)[\p{Cc}\p{Bidi_Control}]/gu;

/** Runs a task with the arguments of the process, and ends the process. */
export async function runTask(task: Task, args: readonly string[] = Deno.args): Promise<never> {
  let status = 0;
  try {
    const call = parseCall(task, args);
    const result = typeof call === "string" ? call : await task.run(call);
    if (typeof result === "string") printLine(result);
    else status = result;
  } catch (error) {
    printError(error instanceof Error ? error.message : String(error));
    status = task.errorStatus ?? 1;
  }
  // A signal listener, or an output that nobody reads, would keep the process alive.
  Deno.exit(status);
}

/** @returns a text if that is requested instead of work. @throws {TaskError} */
function parseCall({ usage, help }: Task, args: readonly string[]): TaskCall | string {
  const options = [...usage.matchAll(/\[--([\w-]+)( )?/g)].map(([, name = "", blank]) => {
    return [name, { type: blank === undefined ? "boolean" : "string" }];
  });
  const operands = usage.replaceAll(/ \[--[^\]]+\]/g, "").split(" ").slice(1);
  const required = operands.filter((operand) => !operand.startsWith("["));
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...Object.fromEntries(options), help: { type: "boolean" }, version: { type: "boolean" } },
    });
    if ("help" in values) return `Usage: deno task ${usage}\n\n${help}`;
    if ("version" in values) return `Gatehouse ${version}`;
    if (positionals.length < required.length || positionals.length > operands.length) throw new TypeError("");
    const env = readEnvironment();
    const paths = positionals.map((path) => pathFromCaller(path, env));
    const texts = Object.entries(values).map(([name, value]) => [name, String(value)]);
    return { args: positionals, paths, options: Object.fromEntries(texts), env };
  } catch (error) {
    const reason = error instanceof Error && error.message !== "" ? `${error.message}. ` : "";
    throw new TaskError(`${reason}Usage: deno task ${usage}`, { cause: error });
  }
}

/**
 * An absolute path of an argument. `deno task` runs in the project's folder and sets INIT_CWD to the folder where it
 * was called; relative paths start there.
 */
export function pathFromCaller(path: string, env: Environment): string {
  return resolve(env["INIT_CWD"] ?? "", path);
}

/**
 * The folder of the store, as an absolute path: relative ones begin in the project's folder.
 * @throws {ConfigError} the settings cannot be used
 * @throws {TaskError} the store is a database
 */
export function folderOf(env: Environment): string {
  const { store } = readConfig(env);
  if ("folder" in store) return resolve(store.folder);
  const name = shownAddress(store);
  throw new TaskError(`Cannot read files as the store is the database ${name}: use its own tools, such as pg_dump`);
}

/** Aborted by the first signal to stop. Later ones do nothing: Ctrl-C in a terminal reaches every process of a task. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => controller.abort(signal));
  }
  return controller.signal;
}

/**
 * Counts records and shows the count on standard error, if that is a terminal.
 * @param action what happens to them, such as "read"
 * @returns call it for each record
 */
export function countProgress(action: string): () => void {
  let count = 0;
  let shownAt = performance.now();
  return () => {
    count++;
    const now = performance.now();
    if (now - shownAt < progressEveryMs) return;
    shownAt = now;
    showProgress(`${count} records ${action}`);
  };
}

/** Replaces the text shown before. */
function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

/** A log on standard error. */
export const stderrLog: Log = createLog((line) => printError(line.trimEnd()));

/** The log without the routine events of a start. */
export function quiet(log: Log): Log {
  return { ...log, info() {} };
}

/** Writes a line to standard output, in the place of the progress. */
export function printLine(text: string): void {
  showProgress("");
  console.log(text);
}

/** Writes a line to standard error, in the place of the progress. It may quote a hostile file. */
export function printError(text: string): void {
  showProgress("");
  console.error(text.replaceAll(controls, "\ufffd"));
}
