/**
 * A PostgreSQL server for tests, in a temporary folder with its unix socket. Disposing of it removes both.
 *
 * The user of its URLs owns the databases and has no other rights, as in production. The collation is that of a
 * dictionary, not of bytes, so that tests find SQL that forgets `COLLATE "C"`.
 */
import { existsSync } from "node:fs";
import pg, { type Pool } from "pg";
import type { Database } from "../../lib/store/postgres/database.ts";
import { ensureProgram } from "./packages.ts";
import { freePort, TestProcess } from "./process.ts";
import {
  dataOf,
  idOf,
  initialize,
  type PostgresOptions,
  preventCluster,
  processOptions,
  programs,
  superuser,
  type User,
} from "./postgres_programs.ts";

/** Runs a statement: a template whose values become parameters. */
export interface Sql {
  (texts: TemplateStringsArray, ...values: unknown[]): Promise<SqlRow[]>;
  /** Runs the text of one or more statements. */
  unsafe(text: string): Promise<SqlRow[]>;
  /** Runs `work` in a transaction. */
  begin<Outcome>(work: (transaction: Sql) => Promise<Outcome>): Promise<Outcome>;
}

// deno-lint-ignore no-explicit-any -- A test knows the types of the columns that it selects.
type SqlRow = Record<string, any>;

/** Owns the databases. */
const owner = "gatehouse";

const quickSettings = {
  // Only a power cut needs them: a killed process loses nothing.
  fsync: "off",
  full_page_writes: "off",
  // No work in the background.
  autovacuum: "off",
  shared_buffers: "16MB",
};

/**
 * Installs PostgreSQL if it is missing and the tests run as root on Debian.
 * @returns whether it is installed
 * @throws {Error} it is not, and the environment has CI set
 */
export async function ensurePostgres(): Promise<boolean> {
  const program = `${programs}/postgres`;
  if (Deno.uid() === 0 && !existsSync(program) && existsSync("/usr/bin/apt-get")) await preventCluster();
  return await ensureProgram(program, "postgresql-15");
}

/** Starts a server without databases of tests. */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-postgres-" });
  // It refuses to run as root.
  const user = Deno.uid() === 0 ? { uid: await idOf("-u"), gid: await idOf("-g") } : undefined;
  const server = new TestPostgres(folder, user, options);
  try {
    await initialize(folder, user, options);
    await server.start();
    await server.sql(superuser).unsafe(`CREATE ROLE ${owner} LOGIN PASSWORD '${owner}'`);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** A server for all tests of a file: it starts with the first test that needs it, and ends after the last. */
export function sharedPostgres(options?: PostgresOptions): () => Promise<TestPostgres> {
  let started: Promise<TestPostgres> | undefined;
  Deno.test.afterAll(async () => await (await started)?.[Symbol.asyncDispose]());
  return () => started ??= startPostgres(options);
}

/** Opens all connections of a store, so that parallel calls do not wait for connections. */
export async function openConnections({ database }: { database: Pick<Database, "run"> }): Promise<void> {
  await Promise.all(Array.from({ length: 10 }, () => database.run("SELECT pg_sleep(0.02)")));
}

/** A running server. Disposing of it ends it, and removes its folder. */
export class TestPostgres implements AsyncDisposable {
  /** Holds the socket, and the data in `data/`. */
  readonly folder: string;
  /** Part of the name of the socket, and the port of 127.0.0.1 when it listens there. */
  readonly port: number;
  readonly #user: User;
  readonly #options: PostgresOptions;
  readonly #pools = new Map<string, Pool>();
  #process: TestProcess | undefined;
  #databaseCount = 0;

  /** Made by `startPostgres`. */
  constructor(folder: string, user: User, options: PostgresOptions) {
    this.folder = folder;
    this.port = options.tcp ? freePort() : 5432;
    this.#user = user;
    this.#options = options;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Its output since the last start. */
  get log(): string {
    return this.#process?.output ?? "";
  }

  /** Creates an empty database, by default with a new name. @returns its URL, for `GATEHOUSE_STORE` */
  async createDatabase(name = `test${++this.#databaseCount}`): Promise<string> {
    // From template1 with its 7 MB a copy of files is quicker than a log of every page.
    await this.sql(superuser).unsafe(`CREATE DATABASE ${name} OWNER ${owner} STRATEGY FILE_COPY`);
    return this.url(name);
  }

  /** The URL of a database: over the port when there is one, else over the socket. */
  url(database: string): string {
    return this.#options.tcp
      ? `postgres://${owner}:${owner}@127.0.0.1:${this.port}/${database}`
      : `postgres://${owner}@/${database}?host=${this.folder}`;
  }

  /** Runs the statements of a test in a database, as the superuser. */
  sql(database: string): Sql {
    const pool = this.#pools.get(database) ??
      new pg.Pool({ host: this.folder, port: this.port, user: superuser, database });
    if (!this.#pools.has(database)) {
      // A test may kill the server meanwhile.
      pool.on("error", () => {});
      pool.on("connect", (client) => client.on("error", () => {}));
    }
    this.#pools.set(database, pool);
    return createSql(pool);
  }

  /** Starts it, and waits until it accepts connections. */
  async start(): Promise<void> {
    const settings = {
      ...quickSettings,
      unix_socket_directories: this.folder,
      port: String(this.port),
      listen_addresses: this.#options.tcp ? "127.0.0.1" : "",
      ...this.#options.settings,
    };
    const args = ["-D", dataOf(this.folder)];
    for (const [name, value] of Object.entries(settings)) args.push("-c", `${name}=${value}`);
    const server = new TestProcess(`${programs}/postgres`, processOptions(args, this.folder, this.#user));
    this.#process = server;
    const isReady = () => server.output.includes("ready to accept connections") || undefined;
    await server.until(isReady, { what: "PostgreSQL to start" });
  }

  /** Stops it in fast mode: it closes the connections with an error message. */
  async stop(): Promise<void> {
    await this.#end("SIGINT");
  }

  /** Ends it like a crash: without messages or flushes, and the next start recovers. */
  async kill(): Promise<void> {
    await this.#end("SIGQUIT");
  }

  /** Stops it from answering, like a network that drops every packet. */
  async pause(): Promise<void> {
    // The parent first, as it would start other processes meanwhile.
    Deno.kill(this.pid, "SIGSTOP");
    await this.#signalChildren("SIGSTOP");
  }

  /** Resumes it after `pause`. */
  async resume(): Promise<void> {
    await this.#signalChildren("SIGCONT");
    Deno.kill(this.pid, "SIGCONT");
  }

  /** Limits the size of files, which acts like a full disk. Needs the program `prlimit`. */
  async limitFileSize(bytes: number | "unlimited"): Promise<void> {
    for (const pid of [this.pid, ...await this.#childPids()]) {
      const args = ["--pid", String(pid), `--fsize=${bytes}:`];
      // As the same user: in a container, root may lack the capability for processes of other users.
      const { success, stderr } = await new Deno.Command("prlimit", { args, ...this.#user }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#pools.values(), (pool) => pool.end()));
    await this.kill();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #end(signal: Deno.Signal): Promise<void> {
    if (this.#process === undefined) return;
    // A paused process does not handle signals.
    if (!this.#process.hasEnded) await this.resume();
    await this.#process.stop(signal);
  }

  async #signalChildren(signal: Deno.Signal): Promise<void> {
    for (const pid of await this.#childPids()) {
      try {
        Deno.kill(pid, signal);
      } catch (error) {
        // It ended a moment ago.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  /** Each connection has a process. */
  async #childPids(): Promise<number[]> {
    const text = await Deno.readTextFile(`/proc/${this.pid}/task/${this.pid}/children`);
    return text.split(" ").filter((pid) => pid !== "").map(Number);
  }
}

function createSql(client: Pick<Pool, "connect" | "query">): Sql {
  const sql = async (texts: TemplateStringsArray, ...values: unknown[]) => {
    const text = texts.reduce((before, after, index) => `${before}$${index}${after}`);
    return [...(await client.query(text, values)).rows];
  };
  return Object.assign(sql, {
    // A text of several statements has several results.
    unsafe: async (text: string) => [[await client.query(text)].flat().at(-1)?.rows ?? []].flat(),
    async begin<Outcome>(work: (transaction: Sql) => Promise<Outcome>): Promise<Outcome> {
      const connection = await client.connect();
      let isDone = false;
      try {
        await connection.query("BEGIN");
        const outcome = await work(
          createSql({ connect: () => Promise.resolve(connection), query: connection.query.bind(connection) }),
        );
        await connection.query("COMMIT");
        isDone = true;
        return outcome;
      } finally {
        connection.release(!isDone);
      }
    },
  });
}
