/**
 * `deno task bench month`: a month in an hour. The clock runs 720 times as fast while a hundred users log in, log out,
 * change and expire, with a backup each day, compactions and restarts. Nothing may grow, and each backup must restore.
 *
 * The service is stopped or killed every other day of the first week. Then one process runs to the end, so that a leak
 * has three weeks to show. `deno task bench month 6` takes 6 minutes, for a first look.
 */

import { setTimeout as delay } from "node:timers/promises";
import { realDisk } from "../../lib/store/file/disk.ts";
import { readRunningFolder } from "../../lib/store/file/folder.ts";
import { backUp, restore } from "../../lib/tasks/backup.ts";
import { printError } from "../../lib/tasks/task.ts";
import { TestProcess } from "../support/process.ts";
import { People } from "./month/people.ts";
import { failuresIn, meanOf, sample, type Samples } from "./month/watch.ts";
import type { Row } from "./table.ts";

const daysInMonth = 30;
/** Days on which the service is stopped (SIGTERM) or killed. */
const restarts: ReadonlyMap<number, Deno.Signal> = new Map([[1, "SIGTERM"], [3, "SIGKILL"], [5, "SIGTERM"]]);
const lastRestart = Math.max(...restarts.keys());
/** Actions a second of the real clock. */
const actsPerSecond = 12;
/** Actions at once, at most. */
const maxAtOnce = 4;

/** The service at one moment, and what its processes have said. */
interface Run {
  readonly folder: string;
  readonly since: number;
  readonly speed: number;
  readonly people: People;
  process: TestProcess;
  readonly logs: string[];
}

/** Every row, when the month is over. */
export async function* benchMonth(): AsyncGenerator<Row> {
  const minutes = Number(Deno.args[1] ?? 60);
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-month-" });
  try {
    yield* liveThrough(folder, { dayMs: minutes * 60_000 / daysInMonth });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function* liveThrough(folder: string, { dayMs }: { dayMs: number }): AsyncGenerator<Row> {
  const since = Date.now();
  const speed = 24 * 60 * 60 * 1_000 / dayMs;
  const data = `${folder}/data`;
  const process = startFastService({ folder: data, since, speed });
  const run: Run = { folder: data, since, speed, people: new People(), process, logs: [] };
  const samples: Samples = { residentBytes: [], descriptors: [] };
  const unrestorable: string[] = [];
  try {
    await untilReady(run);
    await run.people.moveIn(await setupTicket(process));
    for (let day = 0; day < daysInMonth; day++) {
      const isLast = day > lastRestart;
      await live(run, { until: since + (day + 1) * dayMs, samples: isLast ? samples : undefined });
      unrestorable.push(...await backUpAndRestore(run, `${folder}/backup-${day}`));
      const signal = restarts.get(day);
      if (signal !== undefined) await restart(run, signal);
    }
    yield* growthRows(samples);
    const { code } = await run.process.stop();
    run.logs.push(run.process.output);
    yield* countRows(run, { unrestorable, exitStatus: code });
  } finally {
    await run.process[Symbol.asyncDispose]();
  }
}

function startFastService({ folder, since, speed }: Pick<Run, "folder" | "since" | "speed">): TestProcess {
  return new TestProcess(Deno.execPath(), {
    args: ["run", "-A", `${import.meta.dirname}/month/fast_clock.ts`],
    env: {
      CLOCK_SINCE: String(since),
      CLOCK_SPEED: String(speed),
      GATEHOUSE_LISTEN: "127.0.0.1:0",
      GATEHOUSE_STORE: folder,
      GATEHOUSE_PBKDF2_ITERATIONS: "10000",
      GATEHOUSE_REGISTRATIONS_PER_HOUR: "0",
      // Within the month, sessions end both ways.
      GATEHOUSE_SESSION_MAX_HOURS: "336",
    },
  });
}

async function untilReady({ process, people }: Run): Promise<void> {
  const listening = () => /"event":"listening","at":"([^"]+)"/.exec(process.output)?.[1];
  people.url = await process.until(listening, { what: "the service to listen" });
}

/** @returns the ticket for the first administrator */
function setupTicket(process: TestProcess): Promise<string> {
  const printed = () => /become the administrator: (\S+)/.exec(process.output)?.[1];
  return process.until(printed, { what: "the ticket" });
}

async function restart(run: Run, signal: Deno.Signal): Promise<void> {
  await run.process.stop(signal);
  run.logs.push(run.process.output);
  run.process = startFastService(run);
  await untilReady(run);
}

/** Lets the users act at a steady rate until `until`, and takes a sample every second. */
async function live(run: Run, { until, samples }: { until: number; samples: Samples | undefined }): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let sampledAt = 0;
  while (Date.now() < until) {
    await delay(1_000 / actsPerSecond);
    if (underWay.size < maxAtOnce) {
      const act = run.people.act().finally(() => underWay.delete(act));
      underWay.add(act);
    }
    if (samples === undefined || Date.now() < sampledAt + 1_000) continue;
    sampledAt = Date.now();
    await sample(samples, run.process.pid);
  }
  await Promise.all(underWay);
}

/** @returns what is wrong with the backup, if anything */
async function backUpAndRestore({ folder, people }: Run, file: string): Promise<string[]> {
  const logins = people.registeredBefore(Date.now());
  try {
    await backUp(folder, file);
    await restore(file, `${file}-restored`);
    const { tables } = await readRunningFolder(realDisk(`${file}-restored`));
    return logins.filter((login) => tables.users.get(login) === undefined).map((login) => `${file} lacks ${login}`);
  } catch (error) {
    return [`${file}: ${error}`];
  }
}

function* growthRows({ residentBytes, descriptors }: Samples): Generator<Row> {
  const growth = (values: readonly number[]) => {
    // Of the whole month: the samples begin after the last restart.
    const first = (lastRestart + 1) / daysInMonth;
    const at = (share: number) => Math.max(0, (share - first) / (1 - first));
    const second = meanOf(values, { from: at(0.25), to: at(0.5) });
    const last = meanOf(values, { from: at(0.75), to: 1 });
    return { second, last, ratio: last / second };
  };
  const memory = growth(residentBytes);
  const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(0);
  yield {
    what: "resident memory, last quarter of the month against the second",
    target: "≤ 1.05",
    measured: `${memory.ratio.toFixed(3)} (${megabytes(memory.last)} MB against ${megabytes(memory.second)} MB)`,
    isHeld: memory.ratio <= 1.05,
  };
  const files = growth(descriptors);
  yield {
    what: "open descriptors, last quarter of the month against the second",
    target: "≤ 1.05",
    measured: `${files.ratio.toFixed(3)} (${files.last.toFixed(1)} against ${files.second.toFixed(1)})`,
    isHeld: files.ratio <= 1.05,
  };
}

function* countRows(
  { people, logs }: Run,
  { unrestorable, exitStatus }: { unrestorable: readonly string[]; exitStatus: number },
): Generator<Row> {
  const failures = logs.flatMap(failuresIn);
  const compactions = logs.join("").split('"event":"compacted"').length - 1;
  for (const text of [...failures, ...people.surprises, ...unrestorable].slice(0, 20)) printError(text);
  const none = (what: string, list: readonly unknown[], of: string): Row => {
    return { what, target: "0", measured: `${list.length} of ${of}`, isHeld: list.length === 0 };
  };
  yield none("warnings and errors in the log", failures, `${logs.join("").split("\n").length} lines`);
  yield none("responses with an unexpected status", people.surprises, `${people.requestCount}`);
  yield none("backups that do not restore with every user", unrestorable, `${daysInMonth}`);
  yield { what: "compactions", target: "≥ 3", measured: String(compactions), isHeld: compactions >= 3 };
  yield { what: "exit status at the end", target: "0", measured: String(exitStatus), isHeld: exitStatus === 0 };
}
