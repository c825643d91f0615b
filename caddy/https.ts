/**
 * The task `https`: runs the service and Caddy together until a signal, or until one of them ends.
 *
 * Neither is left behind. Both run in sessions of their own, so Ctrl-C reaches only this process: it stops Caddy first,
 * which finishes its requests while the service still responds, and a second Ctrl-C does no harm (Caddy would abort its
 * requests). The task `start` starts the service, with the same permissions; `deno task` passes on SIGTERM.
 */

import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { ConfigError, readConfig } from "../lib/config/config.ts";
import { hostWithPort, type Listen } from "../lib/config/listen.ts";
import { type Environment, settings } from "../lib/config/settings.ts";
import type { LineWriter } from "../lib/line_writer.ts";
import { openStderr, openStdout } from "../lib/log.ts";
import { runTask, stopSignal } from "../lib/tasks/task.ts";
import { findSite, type Site, waitForSite } from "./site.ts";

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
  const caddy = start("caddy", {
    args: ["run", "--config", `${import.meta.dirname}/Caddyfile`, "--adapter", "caddyfile"],
    env: { UPSTREAM: upstream },
    stdout: "null",
    stderr: "piped",
  });
  const logged = printErrors(caddy.process.stderr, stderr);
  const service = start(Deno.execPath(), { args: ["task", "--quiet", "start"], cwd: `${import.meta.dirname}/..` });
  let isSuccess = true;
  try {
    const ended = Promise.race([
      once(stopping, "abort").then(() => undefined),
      caddy.process.status.then(({ code }) => `Caddy ended by itself with status ${code}`),
      service.process.status.then(({ code }) => `The service ended by itself with status ${code}`),
    ]);
    const onNotice = (text: string) => stderr.write(`${text}\n`);
    const isReady = await Promise.race([waitForSite(site, { signal: stopping, onNotice }), ended.then(() => false)]);
    if (isReady) stdout.write(await announcementOf(site));
    const reason = await ended;
    if (reason !== undefined) stderr.write(`${reason}, so the other is stopped as well\n`);
    isSuccess = reason === undefined;
  } finally {
    for (const { process, stop } of [caddy, service]) {
      stop();
      isSuccess = (await process.status).success && isSuccess;
    }
    await logged;
  }
  return isSuccess ? 0 : 1;
}

/** Starts a program in a session of its own. `stop` sends SIGTERM, unless it has ended. */
function start(program: string, options: Deno.CommandOptions) {
  const stopping = new AbortController();
  const command = new Deno.Command(program, { ...options, detached: true, stdin: "null", signal: stopping.signal });
  return { process: command.spawn(), stop: () => stopping.abort() };
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

/** Prints Caddy's log without its first lines: it logs everything until it has read its log level. */
async function printErrors(log: ReadableStream<BufferSource>, stderr: LineWriter): Promise<void> {
  for await (const line of createInterface({ input: Readable.from(log.pipeThrough(new TextDecoderStream())) })) {
    if (!/^\{"level":"(info|warn)"/.test(line)) stderr.write(`${line}\n`);
  }
}
