/**
 * Serves until the process stops, also after it ran out of file descriptors.
 *
 * Deno.serve (2.9) never closes an idle or slow connection, and ends when it cannot accept another one because all file
 * descriptors are taken. Then requests in flight get time to end, every connection is cut off, and a new server
 * listens at the same address.
 */

import { setTimeout as delay } from "node:timers/promises";
import type { App } from "./app.ts";
import { hostWithPort, type Listen } from "./config/listen.ts";
import type { Log } from "./log.ts";
import type { ConnectionInfo } from "./router.ts";

/**
 * A little more than the longest wait for a hash, and less than the 10 s that most supervisors wait. A wait for the
 * Worker of slow hashes may be longer, and is cut off.
 */
const defaultDrainMs = 8_000;
const defaultLingerMs = 300;
/** Interval of the checks of requests in flight, and of the attempts to listen again. */
const pollMs = 50;

/** What is served, and where. */
export interface Service {
  readonly listen: Listen;
  /** The name of the setting of the address, for the error message. */
  readonly setting: string;
  /** The log event for listening. */
  readonly event: string;
  readonly app: App;
  /** Makes the handler. The `stopping` of its app is also aborted before a cut-off. */
  readonly createHandler: (app: App) => (request: Request, connection: ConnectionInfo) => Promise<Response>;
  /** How long requests in flight have before a cut-off; by default 8 s. */
  readonly drainMs?: number;
}

export interface DrainOptions {
  readonly log: Log;
  /**
   * How long the server accepts requests while it says that it is not ready; by default 300 ms. A proxy may still send
   * requests after its last probe found the service ready.
   */
  readonly lingerMs?: number;
  /** How long requests in flight have after that; by default 8 s. */
  readonly drainMs?: number;
}

export interface Server {
  readonly service: Service;
  readonly http: Pick<Deno.HttpServer<Deno.Addr>, "addr" | "finished" | "shutdown">;
  /** Aborts reading of bodies, waits for requests in flight, and closes every connection. */
  cutOff(): Promise<void>;
}

/** Serves at the address of the service. @throws {Error} the address is in use or not allowed */
export async function serve(service: Service): Promise<Server> {
  const { app, createHandler, drainMs = defaultDrainMs } = service;
  const ending = new AbortController();
  const cutting = new AbortController();
  const handle = createHandler({ ...app, stopping: AbortSignal.any([app.stopping, ending.signal]) });
  let inFlightCount = 0;
  const http = await listenAt(service, {
    signal: cutting.signal,
    onListen: (address) => app.log.info(service.event, { at: addressText(address) }),
    handler: async (request, connection) => {
      inFlightCount++;
      try {
        return await handle(request, connection);
      } finally {
        inFlightCount--;
      }
    },
  });
  const cutOff = async () => {
    ending.abort();
    const endsAt = performance.now() + drainMs;
    do await delay(pollMs); while (inFlightCount > 0 && performance.now() < endsAt);
    // The last response was returned a moment ago, and is still being sent.
    await delay(pollMs);
    cutting.abort();
    // Not awaited: a connection whose client does not read ends only when the client closes it.
    http.shutdown().catch((error) => app.log.error("shutdown-failed", { error }));
  };
  return { service, http, cutOff };
}

/**
 * Serves until the service stops, and replaces a server that failed.
 *
 * @returns the last server, to be drained
 */
export async function keepServing(first: Server): Promise<Server> {
  const { service } = first;
  const { listen, app } = service;
  // Clients know the port that port 0 became.
  const address = "port" in listen && "port" in first.http.addr ? { ...listen, port: first.http.addr.port } : listen;
  const stopping = aborted(app.stopping);
  for (let server = first;;) {
    const error: unknown = await Promise.race([stopping, server.http.finished.catch((error) => error)]);
    if (app.stopping.aborted) return server;
    app.log.warn("accept-failed", { problem: String(error) });
    await server.cutOff();
    server = await serveAgain({ ...service, listen: address }) ?? server;
  }
}

/** Retries until the address is free. @returns `undefined` if the service stops before */
async function serveAgain(service: Service): Promise<Server | undefined> {
  const { app } = service;
  for (let isFirst = true; !app.stopping.aborted; isFirst = false) {
    try {
      return await serve(service);
    } catch (error) {
      if (isFirst) app.log.error("listen-failed", { problem: String(error) });
      await delay(pollMs);
    }
  }
  return undefined;
}

type ListenOptions = Required<Pick<Deno.ServeTcpOptions, "signal">> & {
  readonly onListen: (address: Deno.Addr) => void;
  readonly handler: Deno.ServeHandler<Deno.Addr>;
};

async function listenAt({ listen, setting }: Service, options: ListenOptions): Promise<Deno.HttpServer<Deno.Addr>> {
  try {
    if (!("path" in listen)) return Deno.serve({ ...options, ...listen });
    await removeDeadSocket(listen.path);
    return Deno.serve({ ...options, path: listen.path });
  } catch (error) {
    const at = addressText("path" in listen ? { transport: "unix", ...listen } : { transport: "tcp", ...listen });
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Error(`Cannot listen on ${at} as it is in use: stop what listens there, or set ${setting}`);
    }
    throw new Error(`Cannot listen on ${at}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Removes the socket of a killed process, which would block the next one. */
async function removeDeadSocket(path: string): Promise<void> {
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
  } catch (error) {
    // A plain file refuses connections like a dead socket does, and may be somebody's only copy.
    const isDead = error instanceof Deno.errors.ConnectionRefused && (await Deno.lstat(path)).isSocket;
    if (isDead) await Deno.remove(path);
  }
}

/** Waits for requests in flight, and cuts off those that take longer than `drainMs`. */
export async function drain({ http }: Server, options: DrainOptions): Promise<void> {
  const { log, lingerMs = defaultLingerMs, drainMs = defaultDrainMs } = options;
  await delay(lingerMs);
  const { promise: isLate, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(true), drainMs);
  if (await Promise.race([http.shutdown(), isLate])) log.warn("drain-cut-off", { ms: drainMs });
  clearTimeout(timer);
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve());
  return promise;
}

function addressText(address: Deno.Addr): string {
  if (address.transport !== "tcp") return `unix:${"path" in address ? address.path : ""}`;
  return `http://${hostWithPort(address)}`;
}
