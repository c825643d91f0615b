/** A server with its Patroni and its PgBouncer: a "machine" that is killed or stopped as a whole. */

import { processOptions, programs, type User } from "./postgres_programs.ts";
import { TestProcess } from "./process.ts";

const ignoredParameters = "statement_timeout,idle_in_transaction_session_timeout";
/** The shortest that Patroni accepts. After `ttl` seconds without a sign of life, a leader is replaced. */
const timing = { ttl: 20, loop_wait: 1, retry_timeout: 3 };
const parameters = {
  // Only a power cut needs it: a killed process loses nothing.
  fsync: "off",
  shared_buffers: "32MB",
  max_connections: "100",
};

/** A node of a cluster. */
export class PatroniNode implements AsyncDisposable {
  readonly name: string;
  readonly port = fixedPort();
  readonly bouncerPort = fixedPort();
  readonly #restPort = fixedPort();
  readonly #folder: string;
  readonly #etcdPort: number;
  readonly #user: User;
  #processes: TestProcess[] = [];

  constructor(name: string, { folder, etcdPort, user }: { folder: string; etcdPort: number; user: User }) {
    this.name = name;
    this.#folder = folder;
    this.#etcdPort = etcdPort;
    this.#user = user;
  }

  /** Starts the node, and returns before it has joined the cluster. */
  async start(): Promise<void> {
    const bouncer = [
      `[databases]\n* = host=127.0.0.1 port=${this.port} user=gatehouse`,
      `[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${this.bouncerPort}\nunix_socket_dir =`,
      "auth_type = any\npool_mode = transaction\ndefault_pool_size = 20",
      `ignore_startup_parameters = ${ignoredParameters}`,
    ];
    const files = { "patroni.yml": JSON.stringify(this.#configuration()), "bouncer.ini": bouncer.join("\n") };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${this.#folder}/${this.name}.${name}`, text);
    }
    const path = `${this.#folder}/${this.name}`;
    this.#processes = [
      new TestProcess("patroni", processOptions([`${path}.patroni.yml`], this.#folder, this.#user)),
      new TestProcess("pgbouncer", processOptions([`${path}.bouncer.ini`], this.#folder, this.#user)),
    ];
  }

  /** Sends a signal to all processes of the node at once. */
  signal(signal: Deno.Signal): void {
    for (const pid of this.#pids()) {
      try {
        Deno.kill(pid, signal);
      } catch (error) {
        // It ended with another one.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  /** Kills the node, as a power cut would. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await Promise.all(this.#processes.map((process) => process.status));
  }

  /** Asks Patroni. Returns `undefined` if it does not answer. */
  async ask(path: string): Promise<{ readonly status: number; readonly text: string } | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#restPort}${path}`, { signal: AbortSignal.timeout(1_000) });
      return { status: response.status, text: await response.text() };
    } catch {
      // It is killed, stopped, or not there yet.
      return undefined;
    }
  }

  get log(): string {
    return this.#processes.map((process) => process.output).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    await this.kill();
  }

  #configuration() {
    const trusted = [
      "local all all trust",
      "host all all 127.0.0.1/32 trust",
      "host replication all 127.0.0.1/32 trust",
    ];
    const [rest, server] = [this.#restPort, this.port].map((port) => `127.0.0.1:${port}`);
    return {
      scope: "gatehouse",
      name: this.name,
      restapi: { listen: rest, connect_address: rest },
      etcd3: { host: `127.0.0.1:${this.#etcdPort}` },
      bootstrap: {
        dcs: { ...timing, synchronous_mode: true, postgresql: { use_pg_rewind: true, parameters } },
        initdb: [{ encoding: "UTF8" }, { locale: "C.UTF-8" }, "no-sync"],
      },
      postgresql: {
        listen: server,
        connect_address: server,
        data_dir: `${this.#folder}/${this.name}`,
        bin_dir: programs,
        pgpass: `${this.#folder}/${this.name}.pgpass`,
        pg_hba: trusted,
        parameters: { unix_socket_directories: this.#folder },
        basebackup: [{ checkpoint: "fast" }],
        // A former leader with changes that no standby has, and that were never acknowledged, is copied again.
        remove_data_directory_on_rewind_failure: true,
        remove_data_directory_on_diverged_timelines: true,
        authentication: {
          superuser: { username: "postgres", password: "postgres" },
          replication: { username: "replicator", password: "replicator" },
        },
      },
    };
  }

  /** Those of Patroni, PgBouncer, PostgreSQL and its connections. */
  #pids(): number[] {
    const own = this.#processes.filter((process) => !process.hasEnded).map((process) => process.pid);
    try {
      const postmaster = Number(Deno.readTextFileSync(`${this.#folder}/${this.name}/postmaster.pid`).split("\n")[0]);
      const children = Deno.readTextFileSync(`/proc/${postmaster}/task/${postmaster}/children`);
      return [...own, postmaster, ...children.trim().split(" ").filter(Boolean).map(Number)];
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return own;
      throw error;
    }
  }
}

/**
 * A free port below those that the system gives to clients: otherwise a client could take it while the node is down, or
 * even connect to itself.
 */
export function fixedPort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
