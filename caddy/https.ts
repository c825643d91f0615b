/**
 * The `https` task: the service and Caddy together, until a signal or until one of them ends.
 *
 * Neither is ever left behind. Both run in sessions of their own, so that a Ctrl-C reaches this process alone: it
 * stops Caddy first, which finishes its requests while the service still answers them, and a second Ctrl-C does no
 * harm (Caddy would break off). The service is started by the task `start`, for the same permissions; `deno task`
 * passes on the SIGTERM that it gets.
 */
import { ConfigError, readConfig } from "../lib/config/config.ts";
import type { Listen } from "../lib/config/listen.ts";
import type { LineWriter } from "../lib/line_writer.ts";
import { openStderr, openStdout } from "../lib/log.ts";
import { findSite, fingerprint, type Site, waitForSite } from "./site.ts";

const noCaddy = "Cannot serve HTTPS as there is no caddy on the PATH. To get it: apt-get install caddy (Debian), " +
  "brew install caddy (macOS), https://caddyserver.com/docs/install (others)";

/** What a person reads; a terminal that is stopped must not keep signals and what Caddy says waiting. */
interface Terminal {
  readonly out: LineWriter;
  readonly err: LineWriter;
}

interface Child {
  readonly name: string;
  readonly process: Deno.ChildProcess;
  /** Resolves when it has ended and all that it said is printed. */
  readonly status: Promise<Deno.CommandStatus>;
}

/**
 * Runs the service and Caddy.
 * @returns the exit status: 0 when a signal ended it and both ended well
 * @throws {ConfigError} before anything is started
 */
export async function serveHttps(env: Readonly<Record<string, string>>, terminal: Terminal): Promise<number> {
  const upstream = env.UPSTREAM ?? upstreamOf(readConfig(env).listen);
  const site = await findSite(env);
  if (site === undefined) {
    terminal.err.write(`${noCaddy}\n`);
    return 1;
  }
  // In the order in which they are to stop.
  const children = [startCaddy(upstream, terminal.err), startService()];
  let isWell = false;
  try {
    isWell = await untilOver(site, { children, terminal });
  } finally {
    // Whatever happens here must leave none of them behind.
    isWell = await stopAll(children) && isWell;
  }
  return isWell ? 0 : 1;
}

/**
 * Where Caddy finds the service: what the service listens on, in Caddy's spelling.
 * @throws {ConfigError} the port is 0: which one the service gets is not known when Caddy starts
 */
export function upstreamOf(listen: Listen): string {
  if ("path" in listen) return `unix/${listen.path}`;
  if (listen.port === 0) throw noPort(listen.hostname);
  // These two mean every address to a listener, and none to whoever connects.
  const hostname = listen.hostname.replace(/^0\.0\.0\.0$/, "127.0.0.1").replace(/^::$/, "::1");
  return `${inAddress(hostname)}:${listen.port}`;
}

function noPort(hostname: string): ConfigError {
  const host = inAddress(hostname);
  return new ConfigError([`GATEHOUSE_LISTEN cannot be "${host}:0": Caddy must know the port, such as ${host}:8000`]);
}

function inAddress(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** Announces the site when it answers. @returns `true` after a signal, `false` when a child has ended by itself */
async function untilOver(
  site: Site,
  { children, terminal }: { children: readonly Child[]; terminal: Terminal },
): Promise<boolean> {
  const over = Promise.race([firstSignal(), ...children.map(untilEnded)]);
  const waiting = new AbortController();
  const answer = waitForSite(site, { signal: waiting.signal, onNotice: (text) => terminal.err.write(`${text}\n`) });
  const hasAnswered = await Promise.race([answer, over.then(() => false)]);
  waiting.abort();
  if (hasAnswered) terminal.out.write(await announcementOf(site));
  const fault = await over;
  if (fault !== undefined) terminal.err.write(`${fault}\n`);
  return fault === undefined;
}

async function announcementOf({ url, rootPath }: Site): Promise<string> {
  const trust = rootPath === undefined ? [] : [
    `Its root certificate: ${rootPath}`,
    `The root's SHA-256: ${await fingerprint(await Deno.readTextFile(rootPath))}`,
    `To try it: curl --cacert "${rootPath}" ${url.origin}/health/ready`,
    "To make a browser trust it: see caddy/Caddyfile",
  ];
  return [`Gatehouse answers on ${url.origin}`, ...trust, "Ctrl-C stops both", ""].join("\n");
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

function startCaddy(upstream: string, err: LineWriter): Child {
  const process = new Deno.Command("caddy", {
    args: ["run", "--config", `${import.meta.dirname}/Caddyfile`, "--adapter", "caddyfile"],
    env: { UPSTREAM: upstream },
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const status = printFaults(process.stderr, err).then(() => process.status);
  return { name: "Caddy", process, status };
}

/** Prints what Caddy says but for its first lines: until it has read its log level, it tells of itself. */
async function printFaults(stderr: ReadableStream<Uint8Array<ArrayBuffer>>, err: LineWriter): Promise<void> {
  let rest = "";
  for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    lines.filter((line) => !/^\{"level":"(info|warn)"/.test(line)).forEach((line) => err.write(`${line}\n`));
  }
  if (rest !== "") err.write(`${rest}\n`);
}

/** Resolves at the first signal that means the end. The listeners stay, so that a later one does nothing. */
function firstSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      Deno.addSignalListener(signal, () => resolve(undefined));
    }
  });
}

async function untilEnded({ name, status }: Child): Promise<string> {
  return `${name} ended by itself with status ${(await status).code}, so the other is stopped as well`;
}

/** Stops one after the other. @returns whether all ended well */
async function stopAll(children: readonly Child[]): Promise<boolean> {
  let allWell = true;
  for (const { process, status } of children) {
    try {
      process.kill("SIGTERM");
    } catch (error) {
      const hasEnded = error instanceof TypeError || error instanceof Deno.errors.NotFound;
      if (!hasEnded) throw error;
    }
    allWell = (await status).success && allWell;
  }
  return allWell;
}

/** @returns the exit status */
async function run(): Promise<number> {
  await using out = openStdout();
  await using err = openStderr();
  try {
    return await serveHttps(Deno.env.toObject(), { out, err });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    err.write(`${error.message}\n`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await run());
