/**
 * Three PostgreSQL servers under Patroni, with one etcd and a PgBouncer for each server, in a temporary folder.
 *
 * Replication is synchronous: Patroni lets only a standby take over that has every acknowledged change.
 */

import pg, { type Row } from "pg";
import { setTimeout as delay } from "node:timers/promises";
import { fixedPort, PatroniNode } from "./patroni_node.ts";
import { idOf, processOptions, programs } from "./postgres_programs.ts";
import { TestProcess } from "./process.ts";

/** A member as Patroni describes it. */
interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
}

const nodeCount = 3;
const database = "gatehouse";

/** The commands that `PatroniCluster` needs and the machine lacks, as names of Debian packages. */
export async function missingPackages(): Promise<string[]> {
  const commands = {
    "patroni": "command -v patroni",
    "etcd-server": "command -v etcd",
    "python3-etcd": "/usr/bin/python3 -c 'import etcd'",
    "pgbouncer": "command -v pgbouncer",
    "postgresql-15": `command -v ${programs}/postgres`,
  };
  const missing: string[] = [];
  for (const [name, command] of Object.entries(commands)) {
    const { success } = await new Deno.Command("sh", { args: ["-c", command], stdout: "null", stderr: "null" })
      .output();
    if (!success) missing.push(name);
  }
  return missing;
}

/** Three nodes. Disposing of them removes their folder. */
export class PatroniCluster implements AsyncDisposable {
  readonly nodes: readonly PatroniNode[];
  readonly #cleanup: AsyncDisposableStack;

  private constructor(nodes: readonly PatroniNode[], cleanup: AsyncDisposableStack) {
    this.nodes = nodes;
    this.#cleanup = cleanup;
  }

  /** Starts the nodes, and creates an empty database. */
  static async start(): Promise<PatroniCluster> {
    await using cleanup = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "gatehouse-patroni-" });
    cleanup.defer(() => Deno.remove(folder, { recursive: true }));
    const user = Deno.uid() === 0 ? { uid: await idOf("-u"), gid: await idOf("-g") } : undefined;
    if (user !== undefined) await Deno.chown(folder, user.uid, user.gid);
    const etcdPort = fixedPort();
    const [clients, peers] = [etcdPort, fixedPort()].map((port) => `http://127.0.0.1:${port}`);
    const args = [
      ["--data-dir", `${folder}/etcd`, "--listen-client-urls", clients, "--advertise-client-urls", clients],
      ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", `default=${peers}`],
    ].flat().map(String);
    cleanup.use(new TestProcess("etcd", processOptions(args, folder, user)));
    const nodes = Array.from({ length: nodeCount }, (_, index) => {
      return cleanup.use(new PatroniNode(`node${index + 1}`, { folder, etcdPort, user }));
    });
    await Promise.all(nodes.map((node) => node.start()));
    const cluster = new PatroniCluster(nodes, cleanup);
    await cluster.settled();
    await cluster.query("CREATE ROLE gatehouse LOGIN", "postgres");
    await cluster.query(`CREATE DATABASE ${database} OWNER gatehouse`, "postgres");
    return new PatroniCluster(nodes, cleanup.move());
  }

  /** The address for `GATEHOUSE_STORE`: all servers, or their PgBouncers. */
  url(ports: "port" | "bouncerPort"): string {
    const hosts = this.nodes.map((node) => `127.0.0.1:${node[ports]}`).join();
    return `postgres://gatehouse@${hosts}/${database}?target_session_attrs=read-write`;
  }

  /** The node that Patroni names as the leader; never `other`. */
  async leader(other?: PatroniNode): Promise<PatroniNode> {
    return await this.#until("a leader", async () => {
      const nodes = this.nodes.filter((node) => node !== other);
      const answers = await Promise.all(nodes.map((node) => node.ask("/primary")));
      return nodes[answers.findIndex((answer) => answer?.status === 200)];
    });
  }

  /** Waits until every node runs, one alone is the leader, and a standby is synchronous. */
  async settled(): Promise<void> {
    await this.#until("every node to run", async () => {
      const answers = await Promise.all(this.nodes.map((node) => node.ask("/primary")));
      // A node that was stopped takes itself for the leader until it has asked etcd.
      const leaders = this.nodes.filter((_, index) => answers[index]?.status === 200);
      if (leaders.length !== 1) return undefined;
      const members: Member[] = JSON.parse((await leaders[0]?.ask("/cluster"))?.text ?? "{}").members ?? [];
      const roles = members.filter(({ state }) => state === "running" || state === "streaming").map(({ role }) => role);
      const isSettled = roles.includes("leader") && roles.includes("sync_standby") && roles.length === nodeCount;
      return isSettled || undefined;
    });
  }

  /** Runs a statement on the leader as its superuser. */
  async query(text: string, name = database): Promise<readonly Row[]> {
    const { port } = await this.leader();
    const pool = new pg.Pool({ host: "127.0.0.1", port, user: "postgres", database: name, max: 1 });
    try {
      return (await pool.query(text)).rows;
    } finally {
      await pool.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  async #until<Found>(what: string, attempt: () => Promise<Found | undefined>): Promise<Found> {
    for (const startedAt = Date.now(); Date.now() - startedAt < 180_000;) {
      const found = await attempt();
      if (found !== undefined) return found;
      await delay(50);
    }
    const logs = this.nodes.map(({ name, log }) => `${name}:\n${log.slice(-4_000)}`);
    throw new Error(`Waited for ${what} in vain\n${logs.join("\n")}`);
  }
}
