/**
 * `deno task bench cluster`: one, two and four instances on one PostgreSQL, beside the file store.
 *
 * Load, instances and database share the cores of one machine, so the rates show how little is lost by sharing the
 * users, not how they grow with machines. That follows from the CPU time of each part for one request.
 */

import { createLog } from "../../lib/log.ts";
import { recommendedIterations } from "../../lib/config/settings.ts";
import { hashPassword } from "../../lib/passwords/password_hash.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";
import { parsePostgresUrl } from "../../lib/config/postgres_address.ts";
import type { Store } from "../../lib/store.ts";
import { openFileStore } from "../../lib/store/file/file_store.ts";
import { openPostgresStore } from "../../lib/store/postgres/postgres_store.ts";
import { ensurePostgres, startPostgres, type TestPostgres } from "../support/postgres.ts";
import { startService } from "../support/service.ts";
import { Load, type NextRequest, requestOf } from "./load.ts";
import { median, type Row } from "./table.ts";
import { addSessions, userOf } from "./users.ts";

const userCount = 20_000;
const sessionCount = 1_000;
/** Users who log in. */
const ownerCount = 32;
const password = "mellow-otter-41-lantern";
const rounds = 3;
/** Of the kernel's clock, in a second: what `/proc` counts in. */
const ticksPerSecond = 100;
/** As safe as an operator would have it, and with the memory of a small machine. */
const settings = { fsync: "on", full_page_writes: "on", autovacuum: "on", shared_buffers: "256MB" };

/** What serves. */
interface Setup {
  readonly name: string;
  readonly instanceCount: number;
  readonly store: string;
  readonly postgres: TestPostgres | undefined;
}

/** One kind of request. */
interface Kind {
  readonly what: string;
  readonly iterations: number;
  readonly connections: number;
  readonly seconds: number;
  readonly status: number;
  readonly next: (tokens: readonly string[]) => NextRequest;
}

/** In all of them a client has an address of its own for every request: none is throttled. */
const kinds: readonly Kind[] = [
  {
    what: "sessions checked",
    iterations: 1,
    connections: 64,
    seconds: 3,
    status: 200,
    next: (tokens) => {
      const requests = tokens.map((token) =>
        requestOf("GET /session/", { headers: { Authorization: `Bearer ${token}` } })
      );
      return (number) => requests[number % requests.length] ?? new Uint8Array();
    },
  },
  {
    what: "registrations at 1 iteration",
    iterations: 1,
    connections: 128,
    seconds: 3,
    status: 201,
    next: () => {
      const round = crypto.randomUUID().slice(0, 8);
      return (number) => requestOf("POST /user/", { ...from(number), json: { login: `${round}-${number}`, password } });
    },
  },
  {
    what: "logins at 600,000 iterations",
    iterations: recommendedIterations,
    connections: 16,
    seconds: 4,
    status: 201,
    next: () => (number) =>
      requestOf("POST /session/", { ...from(number), json: { login: `owner${number % ownerCount}`, password } }),
  },
];

/** Every row, as it is measured. */
export async function* benchCluster(): AsyncGenerator<Row> {
  if (!await ensurePostgres()) throw new Error("Cannot measure a cluster without PostgreSQL");
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  try {
    yield* measure({ name: "file store", instanceCount: 1, store: folder, postgres: undefined });
    for (const instanceCount of [1, 2, 4]) {
      await using postgres = await startPostgres({ settings });
      const store = await postgres.createDatabase();
      const name = `PostgreSQL, ${instanceCount} instance${instanceCount === 1 ? "" : "s"}`;
      yield* measure({ name, instanceCount, store, postgres });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function* measure(setup: Setup): AsyncGenerator<Row> {
  const tokens = await fill(setup);
  for (const kind of kinds) {
    await using services = new AsyncDisposableStack();
    const urls: string[] = [];
    const pids: number[] = [];
    const env = { GATEHOUSE_STORE: setup.store, GATEHOUSE_PBKDF2_ITERATIONS: String(kind.iterations) };
    for (let index = 0; index < setup.instanceCount; index++) {
      const service = services.use(await startService({ env }));
      urls.push(service.url);
      pids.push(service.pid);
    }
    yield await rowOf(setup, { kind, urls, pids, next: kind.next(tokens) });
  }
}

interface Measured {
  readonly kind: Kind;
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  readonly next: NextRequest;
}

async function rowOf({ name, postgres }: Setup, { kind, urls, pids, next }: Measured): Promise<Row> {
  const loads = urls.map((url) => new Load(url));
  const ofDatabase = () => postgres === undefined ? 0 : treeSeconds(postgres.pid);
  const ofInstances = () => pids.reduce((sum, pid) => sum + processSeconds(pid), 0);
  const results: { rate: number; instanceMs: number; databaseMs: number }[] = [];
  let number = 0;
  // The first is for the compilers.
  for (let round = 0; round <= rounds; round++) {
    const [before, databaseBefore] = [ofInstances(), ofDatabase()];
    const startedAt = performance.now();
    const share = { connections: kind.connections / urls.length, seconds: kind.seconds };
    const samples = (await Promise.all(loads.map((load) => load.keepBusy(() => next(number++), share)))).flat();
    const seconds = (performance.now() - startedAt) / 1_000;
    const other = samples.find(({ status }) => status !== kind.status);
    if (other !== undefined) throw new Error(`A request was answered with ${other.status}, not with ${kind.status}`);
    const msEach = (cpuSeconds: number) => cpuSeconds * 1_000 / samples.length;
    results.push({
      rate: samples.length / seconds,
      instanceMs: msEach(ofInstances() - before),
      databaseMs: msEach(ofDatabase() - databaseBefore),
    });
  }
  for (const load of loads) load[Symbol.dispose]();
  const middle = (of: (result: typeof results[number]) => number) => median(results.slice(1).map(of));
  const database = postgres === undefined
    ? ""
    : ` and ${middle((result) => result.databaseMs).toFixed(3)} in the database`;
  const rate = middle((result) => result.rate);
  return {
    what: `${kind.what}, ${name}`,
    target: "none",
    measured: `${rate.toFixed(rate < 100 ? 1 : 0)}/s, each ${
      middle((result) => result.instanceMs).toFixed(3)
    } ms of a core in the instance${database}`,
    isHeld: true,
  };
}

/** @returns the tokens of its sessions */
async function fill({ store: place, postgres }: Setup): Promise<string[]> {
  const log = createLog(() => {});
  await using store: Store = postgres === undefined
    ? await openFileStore(place, { log })
    : await openPostgresStore(parsePostgresUrl(place), { log });
  for (let start = 0; start < userCount; start += 1_000) {
    const users = Array.from({ length: 1_000 }, (_, index) => userOf(start + index));
    await store.insertRecords(users.map((user) => ({ kind: "user", record: user })));
  }
  for (let number = 0; number < ownerCount; number++) {
    const passwordHash = await hashPassword(password, pbkdf2(recommendedIterations));
    await store.insertUser({ ...userOf(userCount + number), login: `owner${number}`, passwordHash });
  }
  return await addSessions(store, sessionCount);
}

function from(number: number): { headers: Readonly<Record<string, string>> } {
  return { headers: { "X-Forwarded-For": [10, number >> 16 & 255, number >> 8 & 255, number & 255].join(".") } };
}

/** What a process has used of a core until now. */
function processSeconds(pid: number): number {
  const [user = 0, system = 0] = timesOf(pid);
  return (user + system) / ticksPerSecond;
}

/** What PostgreSQL has used: the server, a process for each connection, and those that have ended. */
function treeSeconds(pid: number): number {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean);
  const own = timesOf(pid).reduce((sum, ticks) => sum + ticks, 0) / ticksPerSecond;
  return children.reduce((sum, child) => sum + processSeconds(Number(child)), own);
}

/** Of a process: user, system, and both of its children that have ended, in ticks. */
function timesOf(pid: number): readonly number[] {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ").slice(11, 15).map(Number);
}
