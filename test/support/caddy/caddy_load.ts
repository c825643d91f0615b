/** Clients that register through Caddy all the time, while what is behind it is killed and restarted. */

import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { RunningCaddy } from "./caddy.ts";

/** How many clients register at once in a load. */
export const clientCount = 8;
export const password = "mellow-otter-41-lantern";

/** What came of one request. */
export interface Sent {
  readonly status: number;
  readonly text: string;
}

/** What came of a load. */
export interface LoadResult {
  /** Logins whose registration was acknowledged. */
  readonly registered: readonly string[];
  readonly failures: readonly { readonly login: string; readonly status: number }[];
}

export async function send(
  caddy: RunningCaddy,
  path: string,
  init: RequestInit = {},
): Promise<Sent> {
  const reply = await fetch(caddy.url + path, { ...init, client: caddy.client });
  return { status: reply.status, text: await reply.text() };
}

export function post(caddy: RunningCaddy, path: string, json: unknown): Promise<Sent> {
  const headers = { "content-type": "application/json" };
  return send(caddy, path, { method: "POST", headers, body: JSON.stringify(json) });
}

/** Registers one login after another, by several clients at once, while `work` goes on. */
export async function underLoad(caddy: RunningCaddy, work: () => Promise<void>): Promise<LoadResult> {
  const registered: string[] = [];
  const failures: { login: string; status: number }[] = [];
  const reads = new Map<number, number>();
  let isOver = false;
  let number = 0;
  const register = async () => {
    while (!isOver) {
      const login = `user${number++}`;
      const { status } = await post(caddy, "/user/", { login, password });
      if (status === 201) registered.push(login);
      else failures.push({ login, status });
    }
  };
  const read = async () => {
    while (!isOver) {
      const { status } = await send(caddy, "/health/live");
      reads.set(status, (reads.get(status) ?? 0) + 1);
      await delay(5);
    }
  };
  const load = [...Array.from({ length: clientCount }, register), read()];
  await delay(300);
  await work();
  await delay(300);
  isOver = true;
  await Promise.all(load);
  assert(registered.length > 50, `only ${registered.length} were registered`);
  assertEquals([...reads.keys()], [200]);
  return { registered, failures };
}

/** 503 means that nothing was done. A busy machine may miss the retry window, at most once for each client. */
export function assertRepeatable(failures: LoadResult["failures"]): void {
  assertEquals(failures.filter(({ status }) => status !== 503), []);
  assert(failures.length <= clientCount, JSON.stringify(failures));
}

/** Those of the logins that the register does not have: a registration of such a login is no conflict. */
export async function lostOf(caddy: RunningCaddy, logins: readonly string[]): Promise<string[]> {
  const lost: string[] = [];
  for (const login of logins) {
    if ((await post(caddy, "/user/", { login, password })).status !== 409) lost.push(login);
  }
  return lost;
}
