/**
 * Gatehouse: opens the store, builds the handler, serves, and drains on SIGTERM, SIGINT or SIGHUP.
 *
 * The only file of the service that does something when it is loaded, and that selects the implementation of a store.
 * An error that prevents the start is one line on standard error, and the exit status is 1.
 */

import { type App, instanceName, openApp } from "./lib/app.ts";
import { type Config, configWarnings, readConfig } from "./lib/config/config.ts";
import { readLogo } from "./lib/config/logo.ts";
import { type Environment, settings } from "./lib/config/settings.ts";
import { version } from "./lib/config/version.ts";
import { type LimitStore, MemoryLimitStore } from "./lib/limits/rate_limiter.ts";
import type { LineWriter } from "./lib/line_writer.ts";
import { type Log, openLog, openStderr } from "./lib/log.ts";
import { Metrics } from "./lib/metrics/metrics.ts";
import { shownAddress } from "./lib/config/postgres_address.ts";
import { createRouter, type Route } from "./lib/router.ts";
import { drain, keepServing, serve, type Server, type Service } from "./lib/server.ts";
import { refreshDecoys } from "./lib/accounts/login_decoys.ts";
import { workOfScheme } from "./lib/passwords/password_hash.ts";
import { expiryLimits } from "./lib/accounts/session.ts";
import { isHashWorker } from "./lib/passwords/hash_worker.ts";
import type { Store } from "./lib/store.ts";
import { runTask, stopSignal, type Task } from "./lib/tasks/task.ts";
import { openFileStore } from "./lib/store/file/file_store.ts";
import { makePrivate, socketIn } from "./lib/store/file/store_folder.ts";
import { openPostgresStore, type PostgresStore } from "./lib/store/postgres/postgres_store.ts";
import { PostgresLimitStore } from "./lib/limits/postgres_limit_store.ts";
import { createTicket, setupNotice } from "./lib/accounts/ticket.ts";
import { isOfMetrics, routes } from "./routes/mod.ts";
import { operatorRoute } from "./routes/operator.ts";

/** Expired records have no effect already; deleting them only saves memory and disk. */
const sweepEveryMs = 60 * 60 * 1_000;
/** The log tells within this time that the store fails, or is back, even if there are no requests. */
const checkEveryMs = 5 * 1_000;

const settingLines = Object.values(settings).map((row) => `  ${row.name}=${row.default}\n      ${row.meaning}`);

const start: Task = {
  usage: "start",
  help:
    `Gatehouse ${version} registers users, logs them in, and guards sites behind Caddy or nginx. It serves until\n` +
    "it gets SIGTERM, SIGINT (Ctrl-C) or SIGHUP, completes the requests in flight, and exits with status 0.\n\n" +
    "Other tasks: https, guard, doctor, ticket, recover, import, export, backup, rotate, verify, restore, inspect,\n" +
    "copy. Each explains itself with --help, and `deno task` lists all of them. README.md has a tour.\n\n" +
    "Settings are environment variables; NAME_FILE is the path of a file with the setting NAME. These are the\n" +
    `defaults:\n\n${settingLines.join("\n")}`,
  run: ({ env }) => run(env),
};

// The Worker of hashes runs this file too, if the service is bundled to one file.
if (!isHashWorker) await runTask(start);

/** @returns the exit status */
async function run(env: Environment): Promise<number> {
  await using stderr = openStderr();
  try {
    const config = readConfig(env);
    await using log = openLog(Deno.stdout, { instance: instanceName(config), isDebug: config.logLevel === "debug" });
    await Promise.race([main(config, { log, stderr }), uncaughtError(log)]);
    return 0;
  } catch (error) {
    stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

async function main(config: Config, { log, stderr }: { log: Log; stderr: LineWriter }): Promise<void> {
  log.info("starting", { version });
  for (const warning of configWarnings(config)) log.warn("weak-setting", { warning });
  const logo = config.logo && readLogo(config.logo);

  // At the limit of the file size this signal kills the process by default. If it is caught, the write fails instead.
  Deno.addSignalListener("SIGXFSZ", () => {});
  const openedAt = performance.now();
  const metrics = new Metrics(Date.now);
  const opening: Promise<Store | PostgresStore> = "folder" in config.store
    ? openFileStore(config.store.folder, { log, onSync: (seconds) => metrics.syncs.observe(seconds) })
    : openPostgresStore(config.store, { log, onCall: (seconds) => metrics.databaseCalls.observe(seconds) });
  await using store = await opening;
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
  log.info("hash-measured", {
    work: workOfScheme(app.hasher.scheme),
    ms: Math.round(app.hasher.costMs * 100) / 100,
    hashesPerSecond: Math.round(app.hasher.hashesPerSecond * 10) / 10,
  });

  const servers: Server[] = [];
  servers.push(...await serveOperator(app));
  for (const service of servicesOf(app)) servers.push(await serve(service));
  const serving = Promise.all(servers.map(keepServing));
  await offerSetup(app, { stderr, address: servers.at(-1)?.http.addr });
  const background = [
    ["sweep-failed", sweepEveryMs, () => sweepExpired(app, limitStore)],
    ["check-failed", checkEveryMs, () => app.failures.isStoreReady()],
  ] as const;
  const timers = background.map(([event, everyMs, work]) =>
    setInterval(() => work().catch((error) => app.failures.report(event, { error })), everyMs)
  );
  const last = await serving;
  for (const timer of timers) clearInterval(timer);
  log.info("stopping", { signal: String(stopping.reason) });
  await Promise.all(last.map((server) => drain(server, { log })));
}

/**
 * Serves `deno task ticket` on a socket in the folder of the store, if no other user can enter it. Without the socket,
 * that task needs a stopped service.
 */
async function serveOperator(app: App): Promise<Server[]> {
  const { store } = app.config;
  if (!("folder" in store)) return [];
  const place = { listen: { path: socketIn(store.folder) }, setting: settings.store.name, event: "operator-listening" };
  try {
    const exposure = await makePrivate(store.folder);
    if (exposure?.problem !== undefined) throw new Error(`Other users can enter the folder: ${exposure.problem}`);
    return [await serve({ app, createHandler: (app) => createRouter([operatorRoute], app), ...place })];
  } catch (error) {
    app.log.warn("operator-not-served", { problem: error instanceof Error ? error.message : String(error) });
    return [];
  }
}

/** The routes of each address. Users come last, so the service is ready when they can reach it. */
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

async function sweepExpired({ config, store, hasher, now }: App, limitStore: LimitStore): Promise<void> {
  await Promise.all([
    store.deleteExpiredSessions(expiryLimits(config, now())),
    store.deleteExpiredTickets(now()),
    limitStore.deleteIdle(now()),
    refreshDecoys({ store, decoys: hasher.decoys }),
  ]);
}

/** If there is no administrator, prints a ticket to become the first: for anyone who can read this terminal. */
async function offerSetup(
  { config, store, failures, now }: App,
  { stderr, address }: { stderr: LineWriter; address: Deno.Addr | undefined },
): Promise<void> {
  if (address === undefined || await store.countAdmins() > 0) return;
  const made = createTicket("setup", { login: "", maker: "", now: now(), ttlMs: config.ticketMs });
  try {
    await store.insertTicket(made.ticket);
    stderr.write(setupNotice(made, address));
  } catch (error) {
    // The disk may be full: the service is useful without an administrator too.
    failures.report("setup-ticket-failed", { error });
  }
}

/** Rejects with the first uncaught error. Deno would end the process before the last lines are written. */
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
