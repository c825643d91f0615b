/**
 * The task `https`: runs the service and Caddy together until a signal, or until one of them ends.
 *
 * Neither is left behind. Both run in sessions of their own, so Ctrl-C reaches only this process: it stops Caddy first,
 * which finishes its requests while the service still responds, and a second Ctrl-C does no harm (Caddy would abort its
 * requests). The task `start` starts the service, with the same permissions; `deno task` passes on SIGTERM.
 */

import { X509Certificate } from "node:crypto";
import { ConfigError, readConfig } from "../lib/config/config.ts";
import { hostWithPort, type Listen } from "../lib/config/listen.ts";
import { type Environment, settings } from "../lib/config/settings.ts";
import type { LineWriter } from "../lib/line_writer.ts";
import { openStderr, openStdout } from "../lib/log.ts";
import { runTask, stopSignal } from "../lib/tasks/task.ts";
import { findSite, type Site, waitForSite } from "./site.ts";

interface Child {
  readonly name: string;
  readonly process: Deno.ChildProcess;
  /** Resolves when it has ended and its output is printed. */
  readonly status: Promise<Deno.CommandStatus>;
}

if (import.meta.main) {
  await runTask({
    usage: "https",
    help: "Serves Gatehouse and Caddy together on https://localhost:8443 until Ctrl-C.\n" +
      "caddy/Caddyfile lists its settings, such as SITE and BIND.",
    run: ({ env }) => serveHttps(env),
  });
}

/** @returns the exit status: 0 if a signal ended it and both processes succeeded */
async function serveHttps(env: Environment): Promise<number> {
  const upstream = env["UPSTREAM"] ?? upstreamOf(readConfig(env).listen);
  const site = await findSite(env);
  const stopping = stopSignal();
  // A stopped terminal must not delay signals.
  await using stdout = openStdout();
  await using stderr = openStderr();
  // In the order in which they are stopped.
  const children = [startCaddy(upstream, stderr), startService()];
  let isSuccess = true;
  try {
    const ended = untilOver(children, stopping);
    const onNotice = (text: string) => stderr.write(`${text}\n`);
    const isReady = await Promise.race([waitForSite(site, { signal: stopping, onNotice }), ended.then(() => false)]);
    if (isReady) stdout.write(await announcementOf(site));
    const reason = await ended;
    if (reason !== undefined) stderr.write(`${reason}, so the other is stopped as well\n`);
    isSuccess = reason === undefined;
  } finally {
    for (const { process, status } of children) {
      stop(process);
      isSuccess = (await status).success && isSuccess;
    }
  }
  return isSuccess ? 0 : 1;
}

/**
 * The address of the service in Caddy's spelling.
 * @throws {ConfigError} the port is 0: the service selects one only after Caddy has started
 */
export function upstreamOf(listen: Listen): string {
  if ("path" in listen) return `unix/${listen.path}`;
  if (listen.port === 0) {
    throw new ConfigError([`${settings.listen.name} cannot be "${hostWithPort(listen)}": Caddy needs a fixed port`]);
  }
  // A server that listens on these listens on every address, but a client cannot connect to them.
  const local: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return hostWithPort({ ...listen, hostname: local[listen.hostname] ?? listen.hostname });
}

/** @returns which child ended by itself, or `undefined` after a signal */
function untilOver(children: readonly Child[], stopping: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  stopping.addEventListener("abort", () => resolve(undefined));
  for (const { name, status } of children) {
    status.then(({ code }) => resolve(`${name} ended by itself with status ${code}`));
  }
  return promise;
}

async function announcementOf({ url, rootPath }: Site): Promise<string> {
  const lines = [`Gatehouse is ready at ${url.origin}`];
  if (rootPath !== undefined) {
    const { fingerprint256 } = new X509Certificate(await Deno.readTextFile(rootPath));
    lines.push(`Its root certificate: ${rootPath}`, `The root's SHA-256: ${fingerprint256}`);
    lines.push(`To try it: curl --cacert "${rootPath}" ${url.origin}/health/ready`);
    lines.push("To make browsers and phones trust it: see caddy/README.md");
  }
  return [...lines, "Ctrl-C stops both", ""].join("\n");
}

function startService(): Child {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "start"],
    cwd: `${import.meta.dirname}/..`,
    detached: true,
    stdin: "null",
  }).spawn();
  return { name: "The service", process, status: process.status };
}

function startCaddy(upstream: string, stderr: LineWriter): Child {
  const process = new Deno.Command("caddy", {
    args: ["run", "--config", `${import.meta.dirname}/Caddyfile`, "--adapter", "caddyfile"],
    env: { UPSTREAM: upstream },
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const status = printErrors(process.stderr, stderr).then(() => process.status);
  return { name: "Caddy", process, status };
}

/** Prints Caddy's log without its first lines: it logs everything until it has read its log level. */
async function printErrors(log: ReadableStream<Uint8Array<ArrayBuffer>>, stderr: LineWriter): Promise<void> {
  let rest = "";
  for await (const text of log.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (!/^\{"level":"(info|warn)"/.test(line)) stderr.write(`${line}\n`);
  }
  if (rest !== "") stderr.write(`${rest}\n`);
}

function stop(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGTERM");
  } catch (error) {
    const hasEnded = error instanceof TypeError || error instanceof Deno.errors.NotFound;
    if (!hasEnded) throw error;
  }
}
