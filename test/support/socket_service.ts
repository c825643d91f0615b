/** The service on a unix socket, as it is run: `startService` is for those that have a URL. */

import { TestProcess } from "./process.ts";

/** A service that listens. Disposing of it kills it, and removes its folder. */
export interface SocketService extends AsyncDisposable {
  /** Of the socket. */
  readonly path: string;
  readonly pid: number;
  /** All it has said so far, standard output and standard error. */
  log(): string;
  /** Sends SIGTERM, and waits for the end. */
  stop(): Promise<Deno.CommandStatus>;
}

/** Starts the service on a socket in a folder of its own, and waits until it listens. */
export async function startSocketService(): Promise<SocketService> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const path = `${folder}/gatehouse.sock`;
  const env = {
    GATEHOUSE_LISTEN: `unix:${path}`,
    GATEHOUSE_PBKDF2_ITERATIONS: "1000",
    GATEHOUSE_STORE: `${folder}/store`,
  };
  const process = new TestProcess(Deno.execPath(), { args: ["run", "-A", "main.ts"], env });
  cleanup.use(process);
  const isListening = () => process.output.includes('"event":"listening"') || undefined;
  await process.until(isListening, { what: "the service to listen" });
  const owned = cleanup.move();
  return {
    path,
    pid: process.pid,
    log: () => process.output,
    stop: () => process.stop(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
