/**
 * Logins with Argon2id: against what the cores can hash, against PBKDF2 in turn, and the memory that a flood leaves.
 *
 * `deno task bench` and the service run with the threshold of glibc that `deno task start` sets, see
 * `lib/config/malloc.ts`: without it Argon2id alone is a sixth slower, and the service would look better than it is.
 */

import { setTimeout as delay } from "node:timers/promises";
import { argon2id as scheme } from "../../../lib/passwords/password_hash.ts";
import { Load } from "../load.ts";
import { median, residentBytes, type Row } from "../table.ts";
import { rawRate, requestRate } from "./hash_rate.ts";
import { loginsFrom, openScene, type Scene } from "./scene.ts";

const rounds = 7;
const seconds = 3;
const addressCount = 64;
const rawTarget = 0.95;
const pbkdf2Target = 1.9;
/** Of capacity, with an address each. */
const floodFactor = 10;
const floodAddressCount = 2 ** 24;
const maxResidentBytes = 200_000_000;

/** PBKDF2 is the service of the scene. */
export async function* argon2id({ service, folder }: Scene): AsyncGenerator<Row> {
  await using scene = await openScene(`${folder}-argon2id`, scheme);
  const rates = { raw: [await rawRate(seconds, scheme)], argon2id: [] as number[], pbkdf2: [] as number[] };
  {
    using load = new Load(scene.service.url);
    using pbkdf2Load = new Load(service.url);
    for (let round = 0; round < rounds; round++) {
      rates.argon2id.push(await requestRate(load, loginsFrom(addressCount)));
      rates.raw.push(await rawRate(seconds, scheme));
      rates.pbkdf2.push(await requestRate(pbkdf2Load, loginsFrom(addressCount)));
    }
  }
  yield rawRow(rates);
  yield pbkdf2Row(rates);
  yield await memoryRow(scene, median(rates.argon2id));
}

function rawRow({ argon2id, raw }: { readonly argon2id: readonly number[]; readonly raw: readonly number[] }): Row {
  const ratio = median(argon2id.map((rate, round) => 2 * rate / ((raw[round] ?? NaN) + (raw[round + 1] ?? NaN))));
  return {
    what: "logins with Argon2id (m=19456, t=2, p=1), 16 connections, against `deriveBits` alone on all cores",
    target: `≥ ${rawTarget}`,
    measured: `${ratio.toFixed(3)} (${median(argon2id).toFixed(1)}/s against ${median(raw).toFixed(1)}/s)`,
    isHeld: ratio >= rawTarget,
  };
}

function pbkdf2Row(rates: { readonly argon2id: readonly number[]; readonly pbkdf2: readonly number[] }): Row {
  const ratio = median(rates.argon2id.map((rate, round) => rate / (rates.pbkdf2[round] ?? NaN)));
  const [argon2id, pbkdf2] = [median(rates.argon2id), median(rates.pbkdf2)];
  return {
    what: "logins with Argon2id, against logins with PBKDF2 at 600,000 iterations",
    target: `≥ ${pbkdf2Target}`,
    measured: `${ratio.toFixed(2)} (${argon2id.toFixed(1)}/s against ${pbkdf2.toFixed(1)}/s)`,
    isHeld: ratio >= pbkdf2Target,
  };
}

/** @param capacity logins per second */
async function memoryRow({ service }: Scene, capacity: number): Promise<Row> {
  using load = new Load(service.url);
  const offered = await load.offer(loginsFrom(floodAddressCount), { perSecond: floodFactor * capacity, seconds: 5 });
  await offered.samples;
  await delay(1_000);
  const bytes = residentBytes(service.pid);
  return {
    what: `resident memory after logins with Argon2id at ${floodFactor}× of capacity, with 100,000 users`,
    target: `≤ ${maxResidentBytes / 1_000_000} MB`,
    measured: `${(bytes / 1_000_000).toFixed(0)} MB`,
    isHeld: bytes <= maxResidentBytes,
  };
}
