/**
 * `deno task bench NAME`: measures what section "What it reaches" of the README claims, and prints it as a table.
 *
 * Machines differ and drift, so wherever it can be a figure is a ratio of two things measured in turn within one run,
 * and the median of several rounds.
 */

import { printError, printLine, runTask, TaskError } from "../../lib/tasks/task.ts";
import { benchAlerts } from "./alerts.ts";
import { benchCluster } from "./cluster.ts";
import { benchFailover } from "./failover.ts";
import { benchFlood } from "./flood.ts";
import { benchFuzz } from "./fuzz.ts";
import { benchImport } from "./import.ts";
import { benchMonth } from "./month.ts";
import { benchStore } from "./store.ts";
import { machineName, type Row, tableOf } from "./table.ts";

const benches: Readonly<Record<string, () => AsyncIterable<Row>>> = {
  alerts: benchAlerts,
  cluster: benchCluster,
  failover: benchFailover,
  flood: benchFlood,
  fuzz: benchFuzz,
  import: benchImport,
  month: benchMonth,
  store: benchStore,
};

await runTask({
  usage: "bench NAME [PART]",
  help:
    `Measures and prints a table; test/README.md has results. NAME is one of ${Object.keys(benches).join(", ")}.\n` +
    "PART is one part of flood, or the seed of fuzz.",
  async run({ args: [name = ""] }) {
    const bench = benches[name];
    if (bench === undefined) throw new TaskError(`Cannot run "${name}": use ${Object.keys(benches).join(", ")}`);
    const rows: Row[] = [];
    for await (const row of bench()) {
      printError(`${row.what}: ${row.measured}`);
      rows.push(row);
    }
    printLine(`${machineName()}\n\n${tableOf(rows)}`);
    return rows.every((row) => row.isHeld) ? 0 : 2;
  },
});
