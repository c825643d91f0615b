/**
 * Gatehouse: opens the store, builds the handler, serves, and drains on SIGTERM or SIGINT.
 *
 * The only file that acts when it is loaded and that names a store's implementation. What keeps it from starting is
 * said in one line on standard error, and the exit status is 1.
 */

import { delay } from "@std/async/delay";
import { openApp } from "./lib/app.ts";
import { type Config, configWarnings, readConfig } from "./lib/config.ts";
import { type Log, openStdoutLog, printError } from "./lib/log.ts";
import { createRouter } from "./lib/router.ts";
import { deleteExpiredSessions } from "./lib/session.ts";
import type { Store } from "./lib/store.ts";
import { FileStore } from "./lib/store/file.ts";
import { createTicket } from "./lib/ticket.ts";
import { routes } from "./routes/mod.ts";

/** Requests in flight get so long to end: the longest wait for a hash, and some. Below the 10 s of most supervisors. */
const drainMs = 8_000;
/**
 * Expired sessions and tickets are refused at once; how soon they are forgotten matters to the size of the store alone.
 */
const sweepEveryMs = 60 * 60 * 1_000;

try {
  await main();
  // Connections that were cut off, and the timer that did it, would keep the process alive.
  Deno.exit(0);
} catch (error) {
  printError(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}

async function main(): Promise<void> {
  const config = readConfig(Deno.env.toObject());
  using log = openStdoutLog();
  for (const warning of configWarnings(config)) log.warn("weak-setting", { warning });

  // By default it kills the process that reaches its limit of a file's size: caught, the write fails, as on a full
  // disk.
  Deno.addSignalListener("SIGXFSZ", () => {});
  const openedAt = performance.now();
  await using store = await FileStore.open(config.store, { log });
  log.info("store-opened", {
    store: config.store,
    ...store.counts,
    ms: Math.round(performance.now() - openedAt),
  });

  const stopping = stopSignal();
  const app = await openApp(config, { store, log, stopping });
  const { costMs, hashesPerSecond } = app.hasher;
  log.info("hash-measured", {
    iterations: config.pbkdf2Iterations,
    ms: Math.round(costMs * 100) / 100,
    hashesPerSecond: Math.round(hashesPerSecond * 10) / 10,
  });

  const server = await serve(config, log, createRouter(routes, app));
  await offerSetup(store, log);
  const sweep = setInterval(() => {
    Promise.all([
      deleteExpiredSessions(store, { lifetimes: config, now: app.now() }),
      store.deleteExpiredTickets(app.now()),
    ]).catch((error) => log.error("sweep-failed", { error }));
  }, sweepEveryMs);

  await aborted(stopping);
  clearInterval(sweep);
  log.info("stopping", { signal: String(stopping.reason) });
  await drain(server, log);
}

/** While nobody administers the register, whoever can read this terminal can become the first to. */
async function offerSetup(store: Store, log: Log): Promise<void> {
  if (await store.countAdmins() > 0) return;
  const { ticket, code } = createTicket("setup", { login: "", expiresAt: Number.MAX_SAFE_INTEGER });
  try {
    await store.insertTicket(ticket);
    printError(`There is no administrator yet: whoever registers with this ticket becomes the first: ${code}`);
  } catch (error) {
    // A full disk: the service is of use without an administrator too.
    log.error("setup-ticket-failed", { error });
  }
}

/** Serves where the settings say. @throws {Error} when the address cannot be had */
async function serve(
  config: Config,
  log: Log,
  handler: Deno.ServeHandler<Deno.Addr>,
): Promise<Deno.HttpServer<Deno.Addr>> {
  const { listen } = config;
  const onListen = (address: Deno.Addr) => log.info("listening", { at: addressText(address) });
  try {
    if (!("path" in listen)) return Deno.serve({ ...listen, onListen }, handler);
    await removeDeadSocket(listen.path);
    return Deno.serve({ path: listen.path, onListen }, handler);
  } catch (error) {
    const at = "path" in listen ? `unix:${listen.path}` : addressText({ transport: "tcp", ...listen });
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Error(
        `Cannot listen on ${at} as it is in use: stop what listens there, or set GATEHOUSE_LISTEN`,
      );
    }
    throw new Error(`Cannot listen on ${at}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** A socket that a killed process left is in the way of the next; one that answers is in use. */
async function removeDeadSocket(path: string): Promise<void> {
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
  } catch (error) {
    // A plain file refuses connections just as a dead socket does, and may be all that somebody has.
    const isDead = error instanceof Deno.errors.ConnectionRefused && (await Deno.lstat(path)).isSocket;
    if (isDead) await Deno.remove(path);
  }
}

/** Lets requests in flight end. The longest of them are cut off: a slow client cannot hold up the end. */
async function drain(server: Deno.HttpServer<Deno.Addr>, log: Log): Promise<void> {
  const isDrained = await Promise.race([
    server.shutdown().then(() => true),
    delay(drainMs).then(() => false),
  ]);
  if (!isDrained) log.warn("drain-cut-off", { ms: drainMs });
}

/** Aborted by the first signal to stop. Later ones do nothing: Ctrl-C in a terminal reaches every process of a task. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => controller.abort(signal));
  }
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve());
  return promise;
}

function addressText(address: Deno.Addr): string {
  if (address.transport !== "tcp") return `unix:${"path" in address ? address.path : ""}`;
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  return `http://${host}:${address.port}`;
}
