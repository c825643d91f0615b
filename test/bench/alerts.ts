/**
 * `deno task bench alerts`: a real Prometheus with the rules of `lib/deploy/` scrapes three instances on PostgreSQL.
 *
 * First one instance is killed, then the database is stopped. Each time exactly the alerts of that fault must fire, and
 * end after the repair.
 */

import { setTimeout as delay } from "node:timers/promises";
import { ensureProgram } from "../support/packages.ts";
import { ensurePostgres, startPostgres } from "../support/postgres.ts";
import { freePort, TestProcess } from "../support/process.ts";
import { type RunningService, startService } from "../support/service.ts";
import type { Row } from "./table.ts";

const rulesPath = new URL("../../lib/deploy/prometheus-rules.yml", import.meta.url).pathname;
const names = ["auth-1", "auth-2", "auth-3"] as const;
/** How long an alert is waited for: the rules fire after a minute. */
const waitMs = 150_000;
const pollMs = 500;
/** Requests of each instance in a second, so that some fail in every outage. */
const requestsPerSecond = 10;

/** An alert that fires, with the address of its instance. */
type Firing = `${string} ${string}`;

/** Every row, as it is measured. */
export async function* benchAlerts(): AsyncGenerator<Row> {
  if (!await ensurePostgres() || !await ensureProgram("prometheus", "prometheus")) {
    throw new Error("Cannot try alerts without PostgreSQL and Prometheus");
  }
  await using cleanup = new AsyncDisposableStack();
  const postgres = cleanup.use(await startPostgres());
  const store = await postgres.createDatabase();
  const addresses = names.map(() => `127.0.0.1:${freePort()}`);
  const start = (index: number) => {
    const instance = { GATEHOUSE_LISTEN: addresses[index] ?? "", GATEHOUSE_INSTANCE: names[index] ?? "" };
    return startService({ env: { ...instance, GATEHOUSE_STORE: store } });
  };
  const services = await Promise.all(names.map((_, index) => start(index)));
  cleanup.defer(() => Promise.all(services.map((service) => service[Symbol.asyncDispose]())).then(() => {}));
  const alerts = cleanup.use(await Alerts.watch(addresses));
  cleanup.use(sendForever(addresses));

  const [address = ""] = addresses;
  await services[0]?.kill();
  yield await alerts.expect("one of three instances is killed", [`GatehouseInstanceDown ${address}`]);
  services[0] = await start(0);
  yield await alerts.expect("it is started again", []);

  await postgres.stop();
  const storeDown = addresses.map((one): Firing => `GatehouseStoreDown ${one}`);
  yield await alerts.expect("the database is stopped", storeDown);
  await postgres.start();
  yield await alerts.expect("it is started again", []);
  yield logRow(services);
}

/** Sends requests to each address until it is disposed of. */
function sendForever(addresses: readonly string[]): Disposable {
  const timer = setInterval(() => {
    for (const address of addresses) {
      const headers = {
        cookie: "__Host-gatehouse=01M81Q8RAFRWT8N2ZHDEH012P3.ViKCCZ6Z63J8PbJ1YbTuW7hH_eCpkibooMHLY9fIMQ4",
      };
      // A killed instance refuses the connection.
      fetch(`http://${address}/session/`, { headers }).then((response) => response.body?.cancel(), () => {});
    }
  }, 1_000 / requestsPerSecond);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The outage in the logs of the instances: one line when it began, one when it was over. */
function logRow(services: readonly RunningService[]): Row {
  const events = services.map((service) => service.log().match(/"event":"store-(not-)?ready"/g)?.length ?? 0);
  const failures = services.map((service) => Number(/"failureCount":(\d+)/.exec(service.log())?.[1] ?? 0));
  return {
    what: "lines about the store in the log of each instance, and failures that they stand for",
    target: "2",
    measured: `${events.join(", ")} (${failures.join(", ")} failures)`,
    isHeld: events.every((count) => count === 2),
  };
}

/** A Prometheus, and what fires there. */
class Alerts implements AsyncDisposable {
  readonly #process: TestProcess;
  readonly #url: string;
  readonly #folder: string;

  private constructor(process: TestProcess, { url, folder }: { readonly url: string; readonly folder: string }) {
    this.#process = process;
    this.#url = url;
    this.#folder = folder;
  }

  /** Starts Prometheus, and waits until it has scraped every address. */
  static async watch(addresses: readonly string[]): Promise<Alerts> {
    const folder = await Deno.makeTempDir({ prefix: "gatehouse-prometheus-" });
    const listen = `127.0.0.1:${freePort()}`;
    const config = {
      global: { scrape_interval: "2s", evaluation_interval: "2s" },
      rule_files: [rulesPath],
      scrape_configs: [{ job_name: "gatehouse", static_configs: [{ targets: addresses }] }],
    };
    await Deno.writeTextFile(`${folder}/prometheus.yml`, JSON.stringify(config));
    const args = [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${listen}`,
    ];
    const process = new TestProcess("prometheus", { args, env: {} });
    const alerts = new Alerts(process, { url: `http://${listen}/api/v1`, folder });
    await process.until(async () => await alerts.#countUp().catch(() => 0) === addresses.length || undefined, {
      what: "Prometheus to scrape every instance",
      timeoutMs: 60_000,
    });
    return alerts;
  }

  /** Waits until exactly these alerts fire. Any other that starts to fire meanwhile fails the row. */
  async expect(what: string, expected: readonly Firing[]): Promise<Row> {
    const before = await this.#firing();
    const allowed = new Set([...before, ...expected]);
    const unexpected = new Set<Firing>();
    const target = expected.length === 0
      ? "no alert"
      : [...new Set(expected.map((one) => one.split(" ")[0]))].join(", ");
    const startedAt = performance.now();
    let firing = before;
    while (!isSame(firing, expected) && performance.now() - startedAt < waitMs) {
      await delay(pollMs);
      firing = await this.#firing();
      firing.filter((one) => !allowed.has(one)).forEach((one) => unexpected.add(one));
    }
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const wrong = unexpected.size === 0 ? "" : `, also ${[...unexpected].join(", ")}`;
    return {
      what: `${what}: alerts`,
      target,
      measured: `${firing.length === 0 ? "none" : `${firing.length} × ${target}`} after ${seconds} s${wrong}`,
      isHeld: isSame(firing, expected) && unexpected.size === 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #firing(): Promise<Firing[]> {
    const { alerts } = await this.#get<{ alerts: { state: string; labels: Record<string, string> }[] }>("alerts");
    return alerts.filter(({ state }) => state === "firing")
      .map(({ labels: { alertname = "", instance = "" } }): Firing => `${alertname} ${instance}`);
  }

  async #countUp(): Promise<number> {
    const { result } = await this.#get<{ result: unknown[] }>("query?query=gatehouse_store_up==1");
    return result.length;
  }

  async #get<Data>(path: string): Promise<Data> {
    const response = await fetch(`${this.#url}/${path}`);
    return (await response.json()).data;
  }
}

function isSame(one: readonly Firing[], other: readonly Firing[]): boolean {
  return one.toSorted().join() === other.toSorted().join();
}
