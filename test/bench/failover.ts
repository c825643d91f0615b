/**
 * `deno task bench failover`: people register and log in through Caddy and three instances, while the leader of three
 * PostgreSQL under Patroni is killed, or stops without a word, again and again; directly and through PgBouncer.
 *
 * An outage has two parts. Patroni's lasts until its `ttl` of 20 s is over and a standby has taken over. Ours follows,
 * until a registration succeeds again.
 */

import { setTimeout as delay } from "node:timers/promises";
import { type RunningCaddy, startCaddy } from "../support/caddy/caddy.ts";
import { password, post, send } from "../support/caddy/caddy_load.ts";
import { missingPackages, PatroniCluster } from "../support/patroni.ts";
import { freePort } from "../support/process.ts";
import { startService } from "../support/service.ts";
import { median, type Row } from "./table.ts";

/** What is done to the leader, how often, and by which ports the instances connect. */
interface Series {
  readonly what: string;
  readonly fault: "kill" | "pause";
  readonly ports: "port" | "bouncerPort";
  readonly rounds: number;
}

/** What one failover did, in milliseconds. */
interface Outage {
  /** From the new leader to the first registration that succeeds. */
  readonly ownMs: number;
  /** From the fault to that registration. */
  readonly totalMs: number;
}

const allSeries: readonly Series[] = [
  { what: "kill -9 of the leader", fault: "kill", ports: "port", rounds: 20 },
  { what: "SIGSTOP of the leader", fault: "pause", ports: "port", rounds: 3 },
  { what: "kill -9 of the leader with its PgBouncer", fault: "kill", ports: "bouncerPort", rounds: 5 },
  { what: "SIGSTOP of the leader with its PgBouncer", fault: "pause", ports: "bouncerPort", rounds: 3 },
];
const instanceCount = 3;
const clientCount = 6;
const maxOwnMs = 15_000;
const pauseMs = 20;

/** Every row, as it is measured. */
export async function* benchFailover(): AsyncGenerator<Row> {
  const missing = await missingPackages();
  if (missing.length > 0) throw new Error(`Cannot measure a failover: apt-get install ${missing.join(" ")}`);
  await using cluster = await PatroniCluster.start();
  for (const series of allSeries) yield* measure(cluster, series);
}

async function* measure(cluster: PatroniCluster, series: Series): AsyncGenerator<Row> {
  await using cleanup = new AsyncDisposableStack();
  const addresses = Array.from({ length: instanceCount }, () => `127.0.0.1:${freePort()}`);
  for (const address of addresses) {
    const env = { GATEHOUSE_LISTEN: address, GATEHOUSE_STORE: cluster.url(series.ports) };
    cleanup.use(await startService({ env }));
  }
  const config = new URL("../../caddy/cluster.Caddyfile", import.meta.url).pathname;
  const caddy = cleanup.use(await startCaddy({ upstream: addresses.join(" "), config }));
  const outages: Outage[] = [];
  const load = new People(caddy);
  try {
    for (let round = 0; round < series.rounds; round++) outages.push(await failOver(cluster, series, load));
  } finally {
    await load.end();
  }
  const lost = await load.lost(cluster);
  const [own, total] = [outages.map(({ ownMs }) => ownMs), outages.map(({ totalMs }) => totalMs)];
  const what = `${series.what}, ${series.rounds} rounds`;
  yield {
    what: `${what}: registrations and sessions lost of those acknowledged`,
    target: "0",
    measured: `${[lost.length, ...lost.slice(0, 3)].join(", ")} of ${load.acknowledgedCount}`,
    isHeld: lost.length === 0,
  };
  yield {
    what: `${what}: from the new leader until a registration succeeds, at most`,
    target: `≤ ${maxOwnMs / 1_000} s`,
    measured: `${seconds(Math.max(...own))} (median ${seconds(median(own))}; from the fault ${
      seconds(Math.max(...total))
    }, median ${seconds(median(total))})`,
    isHeld: Math.max(...own) <= maxOwnMs,
  };
}

/** One round. Returns when the former leader is a standby again. */
async function failOver(cluster: PatroniCluster, { fault }: Series, load: People): Promise<Outage> {
  await cluster.settled();
  const former = await cluster.leader();
  await load.success(performance.now());
  await delay(Math.random() * 2_000);
  if (fault === "kill") await former.kill();
  else former.signal("SIGSTOP");
  const failedAt = performance.now();
  await cluster.leader(former);
  const ledAt = performance.now();
  const recoveredAt = await load.success(failedAt);
  // A watchdog resets a machine that hung. Otherwise Patroni 3.0.2 with etcd makes it the leader again when it goes on.
  if (fault === "pause") await former.kill();
  await former.start();
  return { ownMs: Math.max(0, recoveredAt - ledAt), totalMs: recoveredAt - failedAt };
}

/** Clients that register and log in, one after the other, until `end`. */
class People {
  readonly #caddy: RunningCaddy;
  readonly #clients: readonly Promise<void>[];
  readonly #logins: string[] = [];
  readonly #tokens: string[] = [];
  /** Logins that were registered, and then refused. */
  readonly #refused: string[] = [];
  /** When the latest registration that succeeded was sent, and when it was acknowledged. */
  #latest = { sentAt: 0, acknowledgedAt: 0 };
  #number = 0;
  #isOver = false;

  constructor(caddy: RunningCaddy) {
    this.#caddy = caddy;
    this.#clients = Array.from({ length: clientCount }, () => this.#registerAndLogIn());
  }

  get acknowledgedCount(): number {
    return this.#logins.length + this.#tokens.length;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  /** Waits for a registration that is sent after `since`. Returns when it was acknowledged. */
  async success(since: number): Promise<number> {
    for (const startedAt = performance.now(); performance.now() - startedAt < 120_000;) {
      if (this.#latest.sentAt > since) return this.#latest.acknowledgedAt;
      await delay(5);
    }
    throw new Error("No registration succeeds any more");
  }

  /** What was acknowledged, and cannot be found. */
  async lost(cluster: PatroniCluster): Promise<readonly string[]> {
    await cluster.settled();
    const found = new Set((await cluster.query("SELECT login FROM gatehouse_user")).map((row) => row["login"]));
    const lost = [...this.#refused, ...this.#logins.filter((login) => !found.has(login))];
    for (const token of this.#tokens) {
      const { status } = await send(this.#caddy, "/session/", { headers: { authorization: `Bearer ${token}` } });
      if (status !== 200) lost.push(`a session (${status})`);
    }
    return lost;
  }

  async #registerAndLogIn(): Promise<void> {
    const series = crypto.randomUUID().slice(0, 8);
    while (!this.#isOver) {
      const login = `${series}-${this.#number++}`;
      const sentAt = performance.now();
      const { status } = await post(this.#caddy, "/user/", { login, password });
      if (status === 201) {
        this.#logins.push(login);
        if (sentAt > this.#latest.sentAt) this.#latest = { sentAt, acknowledgedAt: performance.now() };
        const session = await post(this.#caddy, "/session/", { login, password });
        if (session.status === 201) this.#tokens.push(JSON.parse(session.text).token);
        else if (session.status < 500) this.#refused.push(`${login} (${session.status})`);
      }
      await delay(pauseMs);
    }
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
