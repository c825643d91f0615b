/**
 * Gatehouse: opens the store, builds the handler, serves, and drains on SIGTERM, SIGINT or SIGHUP.
 *
 * The only file of the service that acts when it is loaded and that names a store's implementation. What keeps it from
 * starting is said in one line on standard error, and the exit status is 1.
 */

import { type App, openApp } from "./lib/app.ts";
import { type Config, configWarnings, readConfig, readEnvironment } from "./lib/config/config.ts";
import { readLogo } from "./lib/config/logo.ts";
import { settings } from "./lib/config/settings.ts";
import { MemoryLimitStore } from "./lib/limits/rate_limiter.ts";
import type { LineWriter } from "./lib/line_writer.ts";
import { type Log, openStderr, openStdoutLog } from "./lib/log.ts";
import { Metrics } from "./lib/metrics/metrics.ts";
import { shownAddress } from "./lib/config/postgres_address.ts";
import { createRouter, type Route } from "./lib/router.ts";
import { drain, keepServing, serve, type Server, type Service } from "./lib/server.ts";
import { deleteExpiredSessions } from "./lib/accounts/session.ts";
import type { Store } from "./lib/store.ts";
import { openFileStore } from "./lib/store/file/file_store.ts";
import { openPostgresStore, type PostgresStore } from "./lib/store/postgres/postgres_store.ts";
import { PostgresLimitStore } from "./lib/limits/postgres_limit_store.ts";
import { createTicket, setupNotice } from "./lib/accounts/ticket.ts";
import { isOfMetrics, routes } from "./routes/mod.ts";

/**
 * Expired sessions and tickets are refused at once, and limitStore that have run out count nothing; how soon they are
 * forgotten matters to the size of the store alone.
 */
const sweepEveryMs = 60 * 60 * 1_000;

/** Where the service says something. */
interface Outputs {
  readonly log: Log;
  /** For a person. */
  readonly stderr: LineWriter;
}

// Connections that were cut off, the timer that did it and an output that nobody reads would keep the process alive.
Deno.exit(await run());

/** @returns the exit status */
async function run(): Promise<number> {
  await using stderr = openStderr();
  await using log = openStdoutLog();
  try {
    await Promise.race([main({ log, stderr }), uncaughtError(log)]);
    return 0;
  } catch (error) {
    stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

async function main({ log, stderr }: Outputs): Promise<void> {
  const config = readConfig(readEnvironment());
  for (const warning of configWarnings(config)) log.warn("weak-setting", { warning });
  const logo = config.logo && await readLogo(config.logo);

  // By default it kills the process that reaches its limit of a file's size: caught, the write fails, as on a full
  // disk.
  Deno.addSignalListener("SIGXFSZ", () => {});
  const openedAt = performance.now();
  const metrics = new Metrics(Date.now);
  await using store = await openStore(config, { log, metrics });
  const { users, sessions } = await store.size();
  log.info("store-opened", {
    store: "folder" in config.store ? config.store.folder : shownAddress(config.store),
    users,
    sessions,
    ms: Math.round(performance.now() - openedAt),
  });

  const stopping = stopSignal();
  const limitStore = "database" in store ? new PostgresLimitStore(store.database) : new MemoryLimitStore();
  const app = await openApp(config, { store, limitStore, log, logo, stopping, metrics });
  const { costMs, hashesPerSecond } = app.hasher;
  log.info("hash-measured", {
    iterations: config.pbkdf2Iterations,
    ms: Math.round(costMs * 100) / 100,
    hashesPerSecond: Math.round(hashesPerSecond * 10) / 10,
  });

  const servers: Server[] = [];
  for (const service of servicesOf(app)) servers.push(await serve(service));
  const serving = Promise.all(servers.map(keepServing));
  const address = servers.at(-1)?.http.addr;
  if (address !== undefined) await offerSetup(app, { stderr, address });
  const sweep = setInterval(() => {
    Promise.all([
      deleteExpiredSessions(store, { lifetimes: config, now: app.now() }),
      store.deleteExpiredTickets(app.now()),
      limitStore.deleteIdle(app.now()),
    ]).catch((error) => app.failures.report("sweep-failed", { error }));
  }, sweepEveryMs);

  const last = await serving;
  clearInterval(sweep);
  log.info("stopping", { signal: String(stopping.reason) });
  await Promise.all(last.map((server) => drain(server, { log })));
}

/** What is served at each address: users last, who find the service ready when they find it. */
function servicesOf(app: App): Service[] {
  const { listen, metricsListen } = app.config;
  const serviceOf = (routes: readonly Route[]) => ({ app, createHandler: (app: App) => createRouter(routes, app) });
  const site = { listen, setting: settings.listen.name, event: "listening" };
  if (metricsListen === undefined) return [{ ...serviceOf(routes), ...site }];
  const metrics = { listen: metricsListen, setting: settings.metricsListen.name, event: "metrics-listening" };
  return [
    { ...serviceOf(routes.filter(isOfMetrics)), ...metrics },
    { ...serviceOf(routes.filter((route) => !isOfMetrics(route))), ...site },
  ];
}

function openStore(
  { store }: Config,
  { log, metrics }: { log: Log; metrics: Metrics },
): Promise<Store | PostgresStore> {
  if (!("folder" in store)) return openPostgresStore(store, { log });
  return openFileStore(store.folder, { log, onSync: (seconds) => metrics.syncs.observe(seconds) });
}

/** While nobody administers the register, whoever can read this terminal can become the first to. */
async function offerSetup(
  { config, store, failures, now }: App,
  { stderr, address }: Pick<Outputs, "stderr"> & { address: Deno.Addr },
): Promise<void> {
  if (await store.countAdmins() > 0) return;
  const made = createTicket("setup", { login: "", maker: "", now: now(), ttlMs: config.ticketMs });
  try {
    await store.insertTicket(made.ticket);
    stderr.write(setupNotice(made, address));
  } catch (error) {
    // A full disk: the service is of use without an administrator too.
    failures.report("setup-ticket-failed", { error });
  }
}

/** Rejects with an error that nothing has caught. Deno would end the process before the last lines are written. */
function uncaughtError(log: Log): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (event: Event, error: unknown) => {
    event.preventDefault();
    log.error("uncaught-error", { error });
    reject(error);
  };
  globalThis.addEventListener("error", (event) => end(event, event.error));
  globalThis.addEventListener("unhandledrejection", (event) => end(event, event.reason));
  return promise;
}

/** Aborted by the first signal to stop. Later ones do nothing: Ctrl-C in a terminal reaches every process of a task. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => controller.abort(signal));
  }
  return controller.signal;
}
