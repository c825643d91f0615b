/**
 * A process that a test started: everything it says is kept, and it does not outlive the test.
 *
 * It sees no more of the environment than PATH, HOME and DENO_DIR, and what the test gives it: what is set on the
 * machine must not change a test.
 */

import { setTimeout as delay } from "node:timers/promises";

/** How to start a process. */
export interface ProcessOptions {
  readonly args: string[];
  readonly env: Readonly<Record<string, string>>;
  /** In a session and process group of its own, of which it is the leader. */
  readonly detached?: boolean;
  /** The project's folder, by default. */
  readonly cwd?: string;
  /** Whose process it is, when it is not to be that of who runs the tests. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A process and what it has said. Disposing of it kills it. */
export class TestProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #status: Promise<Deno.CommandStatus>;
  #output = "";
  #hasEnded = false;

  /** Starts `program`. */
  constructor(program: string, { args, env, detached = false, cwd, user }: ProcessOptions) {
    this.#process = new Deno.Command(program, {
      args,
      cwd: cwd ?? `${import.meta.dirname}/../..`,
      ...user,
      clearEnv: true,
      env: { ...inherited(), ...env },
      detached,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#status = this.#collectUntilEnd();
  }

  get pid(): number {
    return this.#process.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Standard output and standard error, as far as they have come. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when it has ended and its output is whole. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#status;
  }

  /** Sends a signal, if the process is still there, and waits for its end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    try {
      if (!this.#hasEnded) this.#process.kill(signal);
    } catch (error) {
      // It ended a moment ago.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
    return await this.#status;
  }

  /**
   * Waits until `attempt` gives something.
   * @throws {Error} with the output, when the process has ended or `timeoutMs` are over
   */
  async until<Found>(
    attempt: () => Promise<Found | undefined> | Found | undefined,
    { what, timeoutMs = 15_000 }: { what: string; timeoutMs?: number },
  ): Promise<Found> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#hasEnded && Date.now() < deadline) {
      const found = await attempt();
      if (found !== undefined) return found;
      await delay(20);
    }
    const { code } = await this.stop("SIGKILL");
    throw new Error(`Waited for ${what} in vain; status ${code}, output:\n${this.#output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  async #collectUntilEnd(): Promise<Deno.CommandStatus> {
    const leaving = new AbortController();
    const streams = [this.#process.stdout, this.#process.stderr];
    const collected = Promise.all(streams.map((stream) => this.#collect(stream, leaving.signal)));
    const status = await this.#process.status;
    this.#hasEnded = true;
    // A process that it left behind holds its output open: a test is to fail of that, not to wait forever.
    const error = new Error(`Process ${this.pid} left a process behind; output:\n${this.#output}`);
    const timer = setTimeout(() => leaving.abort(error), 5_000);
    await collected.finally(() => clearTimeout(timer));
    return status;
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>, signal: AbortSignal): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream(), { signal })) this.#output += text;
  }
}

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function inherited(): Record<string, string> {
  const { PATH, HOME, DENO_DIR } = Deno.env.toObject();
  return Object.fromEntries(
    Object.entries({ PATH, HOME, DENO_DIR }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
