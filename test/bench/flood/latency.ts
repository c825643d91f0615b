/**
 * How long everybody else waits while passwords are hashed on all cores.
 *
 * Offers a steady rate of requests, however long the responses take, with and without logins in turn. It measures what
 * a client sees, on the same cores: the time that this process waits for its turn is part of it.
 */

import { Load, type NextRequest, percentile, requestOf, timesOf } from "../load.ts";
import { median, type Row } from "../table.ts";
import { loginsFrom, type Scene } from "./scene.ts";

const rounds = 6;
const seconds = 3;
const connections = 16;

/** A kind of request that is to stay fast. */
interface Kind {
  readonly what: string;
  readonly next: NextRequest;
  readonly status: number;
  readonly perSecond: number;
  readonly targetMs: number;
}

/** All kinds at once, with and without a flood of logins. */
export async function* latencies(scene: Scene): AsyncGenerator<Row> {
  const kinds = kindsOf(scene);
  const quiet: number[][] = kinds.map(() => []);
  const flooded: number[][] = kinds.map(() => []);
  using load = new Load(scene.service.url);
  for (let round = 0; round < rounds; round++) {
    const note = (all: number[][], p99s: number[]) => p99s.forEach((p99, index) => all[index]?.push(p99));
    note(quiet, await p99s(scene, kinds));
    const flood = load.keepBusy(loginsFrom(64), { connections, seconds: seconds + 1 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    note(flooded, await p99s(scene, kinds));
    await flood;
  }
  for (const [index, { what, targetMs }] of kinds.entries()) {
    const p99 = median(flooded[index] ?? []);
    yield {
      what: `${what}, p99 while ${connections} connections hammer logins`,
      target: `≤ ${targetMs} ms`,
      measured: `${p99.toFixed(1)} ms (${median(quiet[index] ?? []).toFixed(1)} ms without)`,
      isHeld: p99 <= targetMs,
    };
  }
}

function kindsOf({ live, spare }: Scene): readonly Kind[] {
  const tokenOf = (number: number) => live[number % live.length] ?? "";
  const bearer = (token: string | undefined) => ({ headers: { Authorization: `Bearer ${token}` } });
  return [
    {
      what: "`GET /guard/`",
      next: (number) => requestOf("GET /guard/", { headers: { Cookie: `__Host-gatehouse=${tokenOf(number)}` } }),
      status: 200,
      perSecond: 200,
      targetMs: 10,
    },
    {
      what: "`GET /session/`",
      next: (number) => requestOf("GET /session/", bearer(tokenOf(number))),
      status: 200,
      perSecond: 100,
      targetMs: 10,
    },
    {
      what: "a change without a hash, to its sync (`DELETE /session/`)",
      next: () => requestOf("DELETE /session/", bearer(spare.pop())),
      status: 204,
      perSecond: 40,
      targetMs: 20,
    },
  ];
}

/** @returns of each kind the time that one in a hundred exceeds, in milliseconds */
async function p99s({ service }: Scene, kinds: readonly Kind[]): Promise<number[]> {
  return await Promise.all(kinds.map(async ({ next, status, perSecond }) => {
    using load = new Load(service.url);
    const { samples } = await load.offer(next, { perSecond, seconds });
    return percentile(timesOf(await samples, status), 0.99);
  }));
}
