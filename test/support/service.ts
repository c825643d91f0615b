/**
 * The service as it is run, for tests that need a process: signals, crashes, the network.
 *
 * It is started by Deno itself, as a signal sent to npx or to `deno task` may not reach it, on a port that the
 * system chooses, with a folder of its own and a cheap hash. All of it is gone when the test is over.
 */
import { TestProcess } from "./process.ts";

/** What is to be different from the defaults. */
export interface ServiceOptions {
  /** Settings. With `GATEHOUSE_STORE` the folder is the caller's, and stays. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A service that answers. */
export interface RunningService extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  /** The service's own, for signals. */
  readonly pid: number;
  /** Where it keeps its users. */
  readonly folder: string;
  /** All it has said so far, standard output and standard error. */
  log(): string;
  /** Waits until the output matches. @returns the first group; some lines follow the one that says it is ready */
  logged(pattern: RegExp): Promise<string>;
  /** Sends SIGTERM or another signal, and waits for the end. */
  stop(signal?: Deno.Signal): Promise<Deno.CommandStatus>;
  /** Kills it as a crash would, and waits for the end. */
  kill(): Promise<void>;
}

/**
 * Starts the service and waits until it is ready.
 * @throws {Error} with all it said, when it does not become ready
 */
export async function startService({ env = {} }: ServiceOptions = {}): Promise<RunningService> {
  await using cleanup = new AsyncDisposableStack();
  const folder = env.GATEHOUSE_STORE ?? await Deno.makeTempDir({ prefix: "gatehouse-" });
  if (env.GATEHOUSE_STORE === undefined) cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const settings = {
    GATEHOUSE_LISTEN: "127.0.0.1:0",
    GATEHOUSE_PBKDF2_ITERATIONS: "1000",
    GATEHOUSE_REGISTRATIONS_PER_HOUR: "0",
    GATEHOUSE_STORE: folder,
    ...env,
  };
  const process = new TestProcess(Deno.execPath(), { args: ["run", "-A", "main.ts"], env: settings });
  cleanup.use(process);
  const url = await process.until(() => readyUrl(process.output), { what: "the service to be ready" });
  const owned = cleanup.move();
  return {
    url,
    pid: process.pid,
    folder,
    log: () => process.output,
    logged: (pattern) => process.until(() => pattern.exec(process.output)?.[1], { what: String(pattern) }),
    stop: (signal) => process.stop(signal),
    kill: async () => void await process.stop("SIGKILL"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The address in the line that tells it, once the service answers there that it is ready. */
async function readyUrl(log: string): Promise<string | undefined> {
  const url = /"event":"listening","at":"(http:[^"]+)"/.exec(log)?.[1];
  if (url === undefined) return undefined;
  const response = await fetch(`${url}/health/ready`);
  await response.body?.cancel();
  return response.ok ? url : undefined;
}
