/**
 * Serving: at the address that the settings name, also after all file descriptors were taken, until it is to stop.
 *
 * Deno.serve (2.9) never ends a connection for being idle or slow, and ends itself when it cannot accept another, as
 * all file descriptors are taken. Then requests in flight are let end, every connection is cut off, and a new server
 * takes its place at the same address.
 */

import { delay } from "@std/async/delay";
import type { App } from "./app.ts";
import { hostWithPort, type Listen } from "./config/listen.ts";
import type { Log } from "./log.ts";
import type { ConnectionInfo } from "./router.ts";

/** The longest wait for a hash, and some. Below the 10 s of most supervisors. */
const defaultDrainMs = 8_000;
const defaultLingerMs = 300;
/** How often it is looked whether they have ended, and tried to listen again; replies are written sooner. */
const pollMs = 50;
/** What is served, and where. */
export interface Service {
  readonly listen: Listen;
  /** The setting that says so. */
  readonly setting: string;
  /** What is logged when it listens. */
  readonly event: string;
  readonly app: App;
  /** Makes what answers each request. Its app is about to stop also when the connections are to be cut off. */
  readonly createHandler: (app: App) => (request: Request, connection: ConnectionInfo) => Promise<Response> | Response;
  /** How long requests in flight have to end when all connections are to be cut off; 8 s by default. */
  readonly drainMs?: number;
}

export interface DrainOptions {
  readonly log: Log;
  /**
   * What a proxy sends is still taken for so long, while the service says that it is not ready: else the requests of
   * those who were told just before that it is would find a closed connection. 300 ms by default.
   */
  readonly lingerMs?: number;
  /** How long requests in flight have to end then; 8 s by default. */
  readonly drainMs?: number;
}

/** What serves until it cannot accept a connection, and how it is ended then. */
export interface Server {
  readonly service: Service;
  readonly http: Pick<Deno.HttpServer<Deno.Addr>, "addr" | "finished" | "shutdown">;
  /** Lets requests in flight end without waiting for their bodies, and then cuts off every connection. */
  cutOff(): Promise<void>;
}

/** Serves where the settings say. @throws {Error} when the address cannot be had */
export async function serve(service: Service): Promise<Server> {
  const { app, createHandler, drainMs = defaultDrainMs } = service;
  const ending = new AbortController();
  const cutting = new AbortController();
  const handle = createHandler({ ...app, stopping: AbortSignal.any([app.stopping, ending.signal]) });
  let inFlightCount = 0;
  const untilEnd = async (reply: Promise<Response>) => {
    inFlightCount++;
    try {
      return await reply;
    } finally {
      inFlightCount--;
    }
  };
  const http = await listenAt(service, {
    signal: cutting.signal,
    onListen: (address) => app.log.info(service.event, { at: addressText(address) }),
    handler: (request, connection) => {
      const reply = handle(request, connection);
      return reply instanceof Response ? reply : untilEnd(reply);
    },
  });
  const cutOff = async () => {
    ending.abort();
    const endsAt = performance.now() + drainMs;
    do await delay(pollMs); while (inFlightCount > 0 && performance.now() < endsAt);
    cutting.abort();
    // Not waited for: Deno lets go of a connection whose client does not read only when the client does.
    http.shutdown().catch((error) => app.log.error("shutdown-failed", { error }));
  };
  return { service, http, cutOff };
}

/**
 * Serves until it is to stop, by a new server when one has failed.
 *
 * @returns the server that is to be drained
 */
export async function keepServing(first: Server): Promise<Server> {
  const { service } = first;
  const { listen, app } = service;
  // Where port 0 has led to: clients know no other address.
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

/** @returns a server as soon as the address can be had; `undefined` when it is to stop */
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

interface ListenOptions {
  readonly signal: AbortSignal;
  readonly onListen: (address: Deno.Addr) => void;
  readonly handler: Deno.ServeHandler<Deno.Addr>;
}

async function listenAt({ listen, setting }: Service, options: ListenOptions): Promise<Deno.HttpServer<Deno.Addr>> {
  try {
    if (!("path" in listen)) return Deno.serve({ ...options, ...listen });
    await removeDeadSocket(listen.path);
    return Deno.serve({ ...options, path: listen.path });
  } catch (error) {
    const at = "path" in listen ? `unix:${listen.path}` : addressText({ transport: "tcp", ...listen });
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Error(
        `Cannot listen on ${at} as it is in use: stop what listens there, or set ${setting}`,
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

/**
 * Lets requests end that are in flight or on their way. The longest of them are cut off: a slow client cannot hold up
 * the end.
 */
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
