/**
 * The real service under a real load, killed at random moments: whoever got a 201 must be able to log in afterwards.
 *
 * Each round starts the service on the data that the kill before has left, checks every registration that was
 * acknowledged in that round by a login, lets clients register as fast as they can, and kills it. At the end every
 * login that was ever acknowledged is looked for in the folder.
 */

import { realDisk } from "../../lib/store/file/disk.ts";
import { readRunningFolder } from "../../lib/store/file/folder.ts";
import { type RunningService, startService } from "./service.ts";

export interface KillLoopOptions {
  readonly rounds: number;
  /** The load lasts a random time up to this, in milliseconds. */
  readonly maxLoadMs?: number;
  /** Called after each round. */
  readonly onRound?: (round: number) => void;
}

export interface KillLoopResult {
  /** Registrations that were answered with 201. */
  readonly acknowledged: number;
  /** Of those, the ones that could not log in or were not in the folder at the end. */
  readonly lost: readonly string[];
}

const password = "mellow-otter-41-lantern";
/** How many clients register at once. */
const clientCount = 16;

/** Runs `rounds` rounds on a new folder, which is removed afterwards. */
export async function runKillLoop(options: KillLoopOptions): Promise<KillLoopResult> {
  const { rounds, maxLoadMs = 400, onRound = () => {} } = options;
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-kill-" });
  const acknowledged: string[] = [];
  const lost = new Set<string>();
  try {
    let checkFrom = 0;
    for (let round = 0; round <= rounds; round++) {
      await using service = await startService({ env: { GATEHOUSE_STORE: folder, GATEHOUSE_PBKDF2_ITERATIONS: "1" } });
      for (const login of await findLost(service, acknowledged.slice(checkFrom))) lost.add(login);
      checkFrom = acknowledged.length;
      // The last start is there for the check alone.
      if (round < rounds) acknowledged.push(...await registerUntilKilled(service, { round, maxLoadMs }));
      onRound(round);
    }
    const { tables } = await readRunningFolder(realDisk(folder));
    for (const login of acknowledged) if (tables.users.get(login) === undefined) lost.add(login);
    return { acknowledged: acknowledged.length, lost: [...lost] };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @returns the logins whose registration was answered with 201 */
async function registerUntilKilled(
  service: RunningService,
  options: { round: number; maxLoadMs: number },
): Promise<string[]> {
  const { round, maxLoadMs } = options;
  const acknowledged: string[] = [];
  const clients = Array.from({ length: clientCount }, async (_, client) => {
    try {
      for (let count = 0;; count++) {
        const login = `r${round}-c${client}-${count}`;
        const status = await post(service, "/user/", login);
        if (status !== 201) throw new Error(`Registering ${login} was answered with ${status}`);
        acknowledged.push(login);
      }
    } catch (error) {
      // The connection is gone with the service.
      if (!(error instanceof TypeError)) throw error;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, Math.random() * maxLoadMs));
  await service.kill();
  await Promise.all(clients);
  return acknowledged;
}

/** @returns which of the logins cannot log in */
async function findLost(service: RunningService, logins: readonly string[]): Promise<string[]> {
  const waiting = [...logins];
  const lost: string[] = [];
  const clients = Array.from({ length: clientCount }, async () => {
    for (let login = waiting.pop(); login !== undefined; login = waiting.pop()) {
      if (await post(service, "/session/", login) !== 201) lost.push(login);
    }
  });
  await Promise.all(clients);
  return lost;
}

async function post(service: RunningService, path: string, login: string): Promise<number> {
  const response = await fetch(service.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ login, password }),
  });
  await response.body?.cancel();
  return response.status;
}
